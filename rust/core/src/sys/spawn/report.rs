//! How a child that shares no memory with its parent tells that its exec failed, or that it did not.
//!
//! A pipe whose write end is close-on-exec: the end of it is the exec, four bytes before that are the
//! reason of a failure. The parent waits for either, but not for a child that somebody has stopped, and not
//! for ever.

use super::super::wait::{self, Pid};
use super::super::{clock, fd, poll};
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// How long a child may take to its exec, on a busy machine, before the parent goes on without its report.
const LONGEST: Duration = Duration::from_secs(2);
/// How often to look whether somebody has stopped it.
const LOOK: Duration = Duration::from_millis(20);

/// The two ends of the pipe.
pub(super) struct Report {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Report {
    /// The child's end gets a number that no descriptor of the child's is placed on.
    pub(super) fn new(places: &[(BorrowedFd<'_>, RawFd)]) -> Result<Report, Errno> {
        let (reader, writer) = fd::pipe()?;
        let mut report = Report { reader, writer };
        while places.iter().any(|(_, number)| *number == report.number()) {
            report.writer = fd::duplicate(&report.writer, report.number() + 1)?;
        }
        Ok(report)
    }

    /// The number of the child's end.
    pub(super) fn number(&self) -> RawFd {
        self.writer.as_raw_fd()
    }

    /// In the parent: waits for the exec, as long as that is sensible.
    pub(super) fn await_exec(self, child: Pid) -> Result<Pid, Errno> {
        drop(self.writer);
        let end = clock::monotonic() + LONGEST;
        loop {
            let now = clock::monotonic();
            let told = poll::readable(&[self.reader.as_fd()], Some(end.min(now + LOOK)));
            if told.is_ok_and(|ready| ready == [true]) {
                break;
            }
            if now >= end || wait::is_stopped(child) {
                return Ok(child);
            }
        }
        let mut reason = [0; size_of::<i32>()];
        match fd::read(&self.reader, &mut reason) {
            Ok(got) if got == reason.len() => Err(Errno(i32::from_ne_bytes(reason))),
            _ => Ok(child),
        }
    }
}

/// In the child: why it does not become the program. Async-signal-safe.
pub(super) fn tell(report: RawFd, errno: Errno) {
    let reason = errno.0.to_ne_bytes();
    // SAFETY: pointer and length describe `reason`. If nobody listens any more, SIGPIPE or EPIPE: the
    // child ends in any case.
    unsafe { libc::write(report, reason.as_ptr().cast(), reason.len()) };
}
