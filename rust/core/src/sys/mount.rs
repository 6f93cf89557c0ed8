//! The tree of file systems: mounting, its root, and swap space.

use super::cerr;
use super::dir::terminated;
use crate::error::Errno;
use crate::wire::mount::Flags;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};

/// Mounts a file system, or changes a mount, as the flags say; `data` goes to the file system's own
/// code.
pub fn mount(
    device: &OsStr,
    place: &OsStr,
    kind: &OsStr,
    flags: Flags,
    data: &OsStr,
) -> Result<(), Errno> {
    let (device, place) = (terminated(device)?, terminated(place)?);
    let (kind, data) = (terminated(kind)?, terminated(data)?);
    let (device, place, kind) = (device.as_ptr(), place.as_ptr(), kind.as_ptr());
    // SAFETY: four C strings; the kernel copies what it needs of them.
    cerr(unsafe { libc::mount(device, place, kind, flags.bits(), data.as_ptr().cast()) }).map(drop)
}

/// Unmounts what is mounted on a directory.
pub fn unmount(place: &OsStr) -> Result<(), Errno> {
    let place = terminated(place)?;
    // SAFETY: a C string.
    cerr(unsafe { libc::umount2(place.as_ptr(), 0) }).map(drop)
}

/// Makes this directory the root of this process, which stays where it is.
pub fn change_root(place: &OsStr) -> Result<(), Errno> {
    let place = terminated(place)?;
    // SAFETY: a C string.
    cerr(unsafe { libc::chroot(place.as_ptr()) }).map(drop)
}

/// Makes the file system mounted on `new` the root of the mount namespace, and moves the old root to
/// `old`, a directory below it.
pub fn pivot_root(new: &OsStr, old: &OsStr) -> Result<(), Errno> {
    let (new, old) = (terminated(new)?, terminated(old)?);
    // SAFETY: two C strings.
    cerr(unsafe { libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) }).map(drop)
}

/// Swaps to a device or file from now on.
pub fn swap_on(device: &OsStr) -> Result<(), Errno> {
    let device = terminated(device)?;
    // SAFETY: a C string.
    cerr(unsafe { libc::swapon(device.as_ptr(), 0) }).map(drop)
}

/// Brings back what was swapped to a device or file, and swaps there no more.
pub fn swap_off(device: &OsStr) -> Result<(), Errno> {
    let device = terminated(device)?;
    // SAFETY: a C string.
    cerr(unsafe { libc::swapoff(device.as_ptr()) }).map(drop)
}

/// Drops what the system holds of a block device; of a ramdisk nothing is left.
pub fn flush_device(device: impl AsFd) -> Result<(), Errno> {
    /// `BLKFLSBUF`, the same number on every machine.
    const BLKFLSBUF: libc::Ioctl = 0x1261;
    // SAFETY: this request takes no argument that the kernel would read or write.
    cerr(unsafe { libc::ioctl(device.as_fd().as_raw_fd(), BLKFLSBUF, 0) }).map(drop)
}
