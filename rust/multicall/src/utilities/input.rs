//! Files and standard input, block by block.

use crate::Failure;
use s6x_core::Error;
use s6x_core::sys::dir::{self, Open};
use s6x_core::sys::fd;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How much is read at once.
pub(super) const ROOM: usize = 64 * 1024;

/// Where text comes from.
pub(super) enum Input<'a> {
    Standard,
    File(OwnedFd, &'a OsStr),
}

impl<'a> Input<'a> {
    /// A file; `-` is standard input.
    pub(super) fn open(name: &'a OsStr) -> Result<Input<'a>, Failure> {
        if name == "-" {
            return Ok(Input::Standard);
        }
        let file = dir::open(name, Open::Read).map_err(|errno| Error::on("open", name, errno))?;
        Ok(Input::File(file, name))
    }

    /// Reads once; nothing at the end.
    pub(super) fn read<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
        let (fd, name): (BorrowedFd<'_>, _) = match self {
            Input::Standard => (fd::standard(0), OsStr::new("stdin")),
            Input::File(fd, name) => (fd.as_fd(), *name),
        };
        let got = fd::read(fd, buffer).map_err(|errno| Error::on("read from", name, errno))?;
        Ok(buffer.get(..got).unwrap_or(&[]))
    }

    /// Reads to the end and gives `each` every block, until it says `false`.
    pub(super) fn blocks(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut buffer = vec![0; ROOM];
        loop {
            let block = self.read(&mut buffer)?;
            if block.is_empty() || !each(block)? {
                return Ok(());
            }
        }
    }
}

/// What follows the first `count` bytes of this value in a text, and how many of them there were.
pub(super) fn behind(count: u64, wanted: u8, mut text: &[u8]) -> (u64, &[u8]) {
    let mut found = 0;
    while found < count {
        let Some(at) = s6x_core::sys::search::byte(wanted, text) else { return (found, &[]) };
        found += 1;
        text = text.get(at + 1..).unwrap_or(&[]);
    }
    (found, text)
}
