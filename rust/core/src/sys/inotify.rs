//! Notices of the kernel that something has happened in a directory.

use super::dir::terminated;
use super::{cerr, fd};
use crate::error::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A watch on one directory. It tells only *that* something has happened: whoever is told looks for
/// himself.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Watches a directory: what is made in it, written to, or gets another name.
    pub fn new(directory: &OsStr) -> Result<Watch, Errno> {
        let path = terminated(directory)?;
        // SAFETY: plain integers.
        let fd = cerr(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
        // SAFETY: just opened, known to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = libc::IN_CREATE | libc::IN_MODIFY | libc::IN_MOVED_FROM | libc::IN_MOVED_TO;
        let events = events | libc::IN_ONLYDIR;
        // SAFETY: an inotify descriptor and a C string.
        cerr(unsafe { libc::inotify_add_watch(fd.as_raw_fd(), path.as_ptr(), events) })?;
        Ok(Watch(fd))
    }

    /// Forgets all notices that have come.
    pub fn clear(&self) {
        let mut buffer = [0_u8; 4096];
        while fd::read(&self.0, &mut buffer).is_ok_and(|got| got > 0) {}
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
