//! Facts about the machine (or what a container takes for it): its name, its units of measure.

use super::cerr;
use crate::error::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The host's name.
pub fn name() -> Result<OsString, Errno> {
    let mut buffer = vec![0_u8; 256]; // the kernel's names have 64 bytes at most
    // SAFETY: pointer and length describe `buffer`; the last byte stays zero.
    cerr(unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) })?;
    let length = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    buffer.truncate(length);
    Ok(OsString::from_vec(buffer))
}

/// Gives the host a name.
pub fn set_name(name: &OsStr) -> Result<(), Errno> {
    let bytes = name.as_bytes();
    // SAFETY: pointer and length describe `bytes`.
    cerr(unsafe { libc::sethostname(bytes.as_ptr().cast(), bytes.len()) }).map(drop)
}

/// Bytes of memory that the machine has.
pub fn memory() -> u64 {
    // SAFETY: all zeroes are a valid sysinfo.
    let mut info: libc::sysinfo = unsafe { std::mem::zeroed() };
    // SAFETY: `info` has room for one sysinfo. Cannot fail; if it did, there would be no memory.
    unsafe { libc::sysinfo(&raw mut info) };
    info.totalram.saturating_mul(info.mem_unit.into())
}

/// Bytes of a page.
pub fn page_size() -> u64 {
    configured(libc::_SC_PAGESIZE).unwrap_or(4096)
}

/// In how many parts `/proc` divides a second.
pub fn ticks_per_second() -> u64 {
    configured(libc::_SC_CLK_TCK).unwrap_or(100)
}

fn configured(name: libc::c_int) -> Option<u64> {
    // SAFETY: a plain integer.
    u64::try_from(unsafe { libc::sysconf(name) }).ok().filter(|&value| value != 0)
}

/// How many processors we may run on.
pub fn processors() -> usize {
    // SAFETY: all zeroes are a valid set, the empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` has room for as many bits as are said.
    unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    // SAFETY: only counts the bits of `set`.
    usize::try_from(unsafe { libc::CPU_COUNT(&set) }).unwrap_or(1).max(1)
}
