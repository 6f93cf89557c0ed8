//! What only the system can do to files by path, as scripts name them.

use super::cerr;
use super::dir::{self, Open, terminated};
use crate::error::Errno;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Gives a file a second name, which must be free (`EEXIST`). If `old` is a symbolic link, the name is
/// for the link, or for what it leads to if it is to be followed.
pub fn link(old: impl AsRef<Path>, new: impl AsRef<Path>, follow: bool) -> Result<(), Errno> {
    let here = libc::AT_FDCWD;
    let (old, new) = (terminated(old.as_ref().as_os_str())?, terminated(new.as_ref().as_os_str())?);
    let flags = if follow { libc::AT_SYMLINK_FOLLOW } else { 0 };
    // SAFETY: both are C strings.
    cerr(unsafe { libc::linkat(here, old.as_ptr(), here, new.as_ptr(), flags) }).map(drop)
}

/// Lets two files have each other's names, at once. `EINVAL` where the file system cannot do that.
pub fn exchange(one: impl AsRef<Path>, other: impl AsRef<Path>) -> Result<(), Errno> {
    let here = libc::AT_FDCWD;
    let one = terminated(one.as_ref().as_os_str())?;
    let other = terminated(other.as_ref().as_os_str())?;
    let (from, to, flags) = (one.as_ptr(), other.as_ptr(), libc::RENAME_EXCHANGE);
    // SAFETY: both are C strings.
    let done = unsafe { libc::syscall(libc::SYS_renameat2, here, from, here, to, flags) };
    cerr(done).map(drop)
}

/// Makes a FIFO (less the umask).
pub fn mkfifo(path: impl AsRef<Path>, mode: u32) -> Result<(), Errno> {
    let path = terminated(path.as_ref().as_os_str())?;
    // SAFETY: a C string.
    cerr(unsafe { libc::mkfifo(path.as_ptr(), mode) }).map(drop)
}

/// Says that a file was read and changed just now; makes it if it is not there.
pub fn touch(path: impl AsRef<Path>) -> Result<(), Errno> {
    let path = path.as_ref();
    let name = terminated(path.as_os_str())?;
    // SAFETY: a C string; no times means now.
    match cerr(unsafe { libc::utimensat(libc::AT_FDCWD, name.as_ptr(), std::ptr::null(), 0) }) {
        Err(Errno::NOT_FOUND) => {}
        done => return done.map(drop),
    }
    let file = dir::open(path, Open::UpdateNow(0o666))?;
    // It may have been made by somebody else since.
    // SAFETY: an open descriptor; no times means now.
    cerr(unsafe { libc::futimens(file.as_raw_fd(), std::ptr::null()) }).map(drop)
}
