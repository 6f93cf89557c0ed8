//! Printing without ever waiting for whoever reads.
//!
//! The container's stdout and stderr may be pipes whose reader has stopped. PID 1 must not stop with it:
//! what cannot be written now is kept, up to a limit, and what goes beyond it is dropped with a note.

use crate::error::Errno;
use crate::sys::dir::{self, Open};
use crate::sys::{clock, fd, poll};
use crate::wire::clock::Monotonic;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// How much is kept for a reader that has stopped.
const MOST_KEPT: usize = 64 * 1024;
/// A pipe that can be written at all takes so much at once.
const CHUNK: usize = 4096;
/// How soon to try again.
const RETRY: Duration = Duration::from_millis(50);
/// How long the last lines of a container may take to be read.
const FAREWELL: Duration = Duration::from_millis(500);

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

/// When the last lines are given up.
pub(super) fn farewell() -> Monotonic {
    clock::monotonic() + FAREWELL
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

    /// When to try again.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        (!self.kept.is_empty()).then(|| clock::monotonic() + RETRY)
    }

    /// Before the end: gives a slow reader a moment, up to [`farewell`].
    pub(super) fn finish(&mut self, end: Monotonic) {
        loop {
            self.flush();
            let now = clock::monotonic();
            if self.kept.is_empty() || now >= end {
                return;
            }
            let _ = poll::readable(&[], Some(now + Duration::from_millis(5)));
        }
    }

    /// How much was taken; `None`: nothing can be written now. A stream that is broken for good takes
    /// everything, as there is nobody to tell.
    fn write(&self, chunk: &[u8]) -> Option<usize> {
        let target: BorrowedFd<'_> = match &self.own {
            Some(own) => own.as_fd(),
            None if poll::is_writable(fd::standard(self.number)) => fd::standard(self.number),
            None => return None,
        };
        match fd::write(target, chunk) {
            Ok(taken) => Some(taken),
            Err(Errno::AGAIN) => None,
            Err(_) => Some(chunk.len()),
        }
    }
}
