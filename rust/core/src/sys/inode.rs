//! Files held by themselves, under whatever name, and what can be made in a directory without
//! following a link: for walkers through trees that others may change meanwhile.

use super::cerr;
use super::dir::{self, Dir, Stat, terminated};
use crate::error::Errno;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A file of any kind, held without being opened: a FIFO does not block, a device does nothing.
#[derive(Debug)]
pub struct Inode(OwnedFd);

impl Inode {
    /// What this name in a directory is; a link is the link.
    pub fn of(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Inode, Errno> {
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        open_at(dir, &terminated(name.as_ref())?, flags, 0).map(Inode)
    }

    /// What this name in a directory leads to, links followed.
    pub fn behind(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Inode, Errno> {
        open_at(dir, &terminated(name.as_ref())?, libc::O_PATH, 0).map(Inode)
    }

    /// Owner, mode, identity.
    pub fn stat(&self) -> Result<Stat, Errno> {
        dir::stat(&self.0)
    }

    /// The device number of a device.
    pub fn device(&self) -> Result<u64, Errno> {
        let mut raw = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `raw` has room for one stat.
        cerr(unsafe { libc::fstat(self.0.as_raw_fd(), raw.as_mut_ptr()) })?;
        // SAFETY: fstat succeeded, so it filled `raw`.
        Ok(unsafe { raw.assume_init() }.st_rdev)
    }

    /// Changes owner and group; `u32::MAX` leaves one as it is.
    pub fn chown(&self, uid: u32, gid: u32) -> Result<(), Errno> {
        let (fd, flags) = (self.0.as_raw_fd(), libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW);
        // SAFETY: an empty C string, and plain integers.
        cerr(unsafe { libc::fchownat(fd, c"".as_ptr(), uid, gid, flags) }).map(drop)
    }

    /// Changes the mode; no umask. Links have none.
    pub fn chmod(&self, mode: u32) -> Result<(), Errno> {
        let magic = CString::new(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
        let magic = magic.map_err(|_| Errno::INVALID)?;
        // SAFETY: a C string. The link leads to this very file, whatever its name leads to now.
        match cerr(unsafe { libc::chmod(magic.as_ptr(), mode) }) {
            Ok(_) => Ok(()),
            // Without /proc: opened, if it is something that is safe to open.
            Err(Errno::NOT_FOUND) if self.stat()?.is_dir() => dir::chmod(self.open_dir()?, mode),
            Err(errno) => Err(errno),
        }
    }

    /// Opens it as a directory.
    pub fn open_dir(&self) -> Result<Dir, Errno> {
        open_at(&self.0, c".", libc::O_RDONLY | libc::O_DIRECTORY, 0).map(Dir::from_fd)
    }
}

impl AsFd for Inode {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Creates a file that was not there, for writing.
pub fn create(dir: &Dir, name: impl AsRef<OsStr>, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
    open_at(dir, &terminated(name.as_ref())?, flags, mode)
}

/// Opens a file for reading unless its name is a link (`ELOOP`); a FIFO does not block.
pub fn open_to_read(dir: &Dir, name: impl AsRef<OsStr>) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    open_at(dir, &terminated(name.as_ref())?, flags, 0)
}

/// Opens a regular file to write it anew, in its place, unless its name is a link (`ELOOP`); a FIFO
/// does not block.
pub fn open_to_overwrite(dir: &Dir, name: impl AsRef<OsStr>) -> Result<OwnedFd, Errno> {
    let flags =
        libc::O_WRONLY | libc::O_TRUNC | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    open_at(dir, &terminated(name.as_ref())?, flags, 0)
}

/// Makes a device, a FIFO or a socket: whatever the type bits of `mode` say.
pub fn mknod(dir: &Dir, name: impl AsRef<OsStr>, mode: u32, device: u64) -> Result<(), Errno> {
    let name = terminated(name.as_ref())?;
    // SAFETY: a C string and plain integers.
    cerr(unsafe { libc::mknodat(dir.as_fd().as_raw_fd(), name.as_ptr(), mode, device) }).map(drop)
}

fn open_at(base: impl AsFd, name: &CStr, flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: `name` is a C string; a mode is always given.
    let fd = cerr(unsafe { libc::openat(base.as_fd().as_raw_fd(), name.as_ptr(), flags, mode) })?;
    // SAFETY: just opened, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether programs on this file system cannot be executed.
pub fn is_noexec(fd: impl AsFd) -> bool {
    let mut raw = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `raw` has room for one statvfs.
    let result = unsafe { libc::fstatvfs(fd.as_fd().as_raw_fd(), raw.as_mut_ptr()) };
    // SAFETY: read only if fstatvfs succeeded, and then it filled `raw`.
    result == 0 && unsafe { raw.assume_init() }.f_flag & libc::ST_NOEXEC != 0
}
