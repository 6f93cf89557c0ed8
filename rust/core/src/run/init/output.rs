//! Printing without ever waiting for whoever reads.
//!
//! The container's stdout and stderr may be pipes whose reader has stopped. PID 1 must not stop with it:
//! what cannot be written now is kept, up to a limit, and what goes beyond it is dropped with a note.

use crate::error::Errno;
use crate::sys::dir::{self, Open};
use crate::sys::{fd, poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// How much is kept for a reader that has stopped.
const MOST_KEPT: usize = 64 * 1024;
/// A pipe that can be written at all takes so much at once, whole.
pub(super) const CHUNK: usize = 4096;

/// One of the container's output streams.
#[derive(Debug)]
pub(super) struct Output {
    number: RawFd,
    /// The same pipe or terminal opened again, so that *not waiting* is our own business: the
    /// descriptor itself is shared with every service. `None`: it cannot be opened again.
    own: Option<OwnedFd>,
    kept: Vec<u8>,
    dropped: usize,
}

impl Output {
    /// For descriptor 1 or 2.
    pub(super) fn new(number: RawFd) -> Output {
        let regular = dir::stat(fd::standard(number)).is_ok_and(|stat| stat.is_file());
        // A regular file never blocks, and opened again it would have a position of its own.
        let again = || dir::open(format!("/proc/self/fd/{number}"), Open::WriteNow).ok();
        let own = if regular { None } else { again() };
        Output { number, own, kept: Vec::new(), dropped: 0 }
    }

    /// Prints; whatever waits goes first.
    pub(super) fn print(&mut self, text: &[u8]) {
        if self.kept.len() + text.len() > MOST_KEPT {
            self.dropped += text.len();
        } else {
            self.kept.extend_from_slice(text);
        }
        self.flush();
    }

    /// Writes what can be written now.
    pub(super) fn flush(&mut self) {
        while !self.kept.is_empty() {
            let chunk = self.kept.get(..CHUNK).unwrap_or(&self.kept);
            let Some(taken) = self.write(chunk) else { return };
            self.kept.drain(..taken.min(self.kept.len()));
        }
        if self.dropped > 0 {
            let note = format!("init: warning: {} bytes of output were dropped\n", self.dropped);
            self.dropped = 0;
            self.kept.extend_from_slice(note.as_bytes());
        }
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.kept.is_empty()
    }

    /// What to wait for before writing again.
    pub(super) fn target(&self) -> BorrowedFd<'_> {
        self.own.as_ref().map_or(fd::standard(self.number), AsFd::as_fd)
    }

    /// How much was taken; `None`: nothing can be written now. A stream that is broken for good takes
    /// everything, as there is nobody to tell.
    fn write(&self, chunk: &[u8]) -> Option<usize> {
        if self.own.is_none() && !poll::is_writable(self.target()) {
            return None;
        }
        match fd::write(self.target(), chunk) {
            Ok(taken) => Some(taken),
            Err(Errno::AGAIN) => None,
            Err(_) => Some(chunk.len()),
        }
    }
}
