//! The locks by which two daemons keep out of each other's way (contract s6 §5.4).
//!
//! The originals use POSIX record locks. We take *open file description* locks: both kinds see
//! each other, but ours are not lost when some other descriptor of the same file is closed.

use super::cerr;
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Tries to lock the whole file for writing. `false`: someone else holds it.
pub fn try_exclusive(fd: impl AsFd) -> Result<bool, Errno> {
    match set(fd.as_fd().as_raw_fd(), libc::F_OFD_SETLK) {
        Ok(()) => Ok(true),
        Err(Errno(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Waits until the whole file is locked for writing. Async-signal-safe.
pub(super) fn wait_exclusive(fd: RawFd) -> Result<(), Errno> {
    loop {
        match set(fd, libc::F_OFD_SETLKW) {
            Err(Errno(libc::EINTR)) => {}
            result => return result,
        }
    }
}

/// Whether anybody holds a write lock. Needs the file open for reading only.
pub fn is_held(fd: impl AsFd) -> Result<bool, Errno> {
    let mut lock = whole(libc::F_RDLCK as i16);
    // SAFETY: F_OFD_GETLK reads and writes one flock; l_pid is zero as it demands.
    cerr(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

fn set(fd: RawFd, how: libc::c_int) -> Result<(), Errno> {
    let lock = whole(libc::F_WRLCK as i16);
    // SAFETY: both setting commands read one flock.
    cerr(unsafe { libc::fcntl(fd, how, &raw const lock) }).map(drop)
}

fn whole(kind: i16) -> libc::flock {
    // SAFETY: flock is plain data, for which all zeroes are valid: offset 0, length 0, pid 0.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind;
    lock.l_whence = libc::SEEK_SET as i16;
    lock
}
