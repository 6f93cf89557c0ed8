//! Directories read in batches: for walkers through large ones, who must not have all names at once.

use super::cerr;
use super::dir::{Dir, entries};
use crate::error::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

/// How much is read at once: some thousand names.
const BATCH: usize = 32 * 1024;

/// A reading position in a directory.
#[derive(Debug)]
pub struct Listing {
    dir: Dir,
    buffer: Vec<u8>,
}

/// One name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name.
    pub name: &'a OsStr,
    /// Whether it was a directory when it was read; not all file systems tell.
    pub is_dir: Option<bool>,
}

impl Listing {
    /// Of a directory that nobody has read from yet.
    pub fn of(dir: Dir) -> Listing {
        Listing { dir, buffer: vec![0; BATCH] }
    }

    /// The directory itself.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The next names, `.` and `..` among them, in the order of the system, and the directory for
    /// whoever works on them; `None` at the end.
    pub fn batch(&mut self) -> Result<Option<(&Dir, impl Iterator<Item = Entry<'_>>)>, Errno> {
        let fd = self.dir.as_fd().as_raw_fd();
        let (place, room) = (self.buffer.as_mut_ptr(), self.buffer.len());
        // SAFETY: `place` and `room` describe the buffer.
        let got = match cerr(unsafe { libc::syscall(libc::SYS_getdents64, fd, place, room) }) {
            Ok(got) => got as usize,
            Err(Errno::NOT_FOUND) => 0, // it was removed meanwhile
            Err(errno) => return Err(errno),
        };
        let kind = |kind| match kind {
            libc::DT_DIR => Some(true),
            libc::DT_UNKNOWN => None,
            _ => Some(false),
        };
        let names = entries(self.buffer.get(..got).unwrap_or(&[]))
            .map(move |(name, of)| Entry { name: OsStr::from_bytes(name), is_dir: kind(of) });
        Ok((got > 0).then_some((&self.dir, names)))
    }
}

impl Entry<'_> {
    /// Whether it is one of the two names that every directory has.
    pub fn is_dots(&self) -> bool {
        matches!(self.name.as_bytes(), b"." | b"..")
    }
}
