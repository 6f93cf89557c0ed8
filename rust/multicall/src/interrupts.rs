//! Programs that wait and leave something on disk meanwhile: they tidy up before a signal ends them.

use crate::Failure;
use s6x_core::Error;
use s6x_core::sys::poll;
use s6x_core::sys::signals::{self, SignalFd};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::signal::Signal;
use std::os::fd::{AsFd, BorrowedFd};

/// The usual ends of a program that somebody has had enough of.
const ENDS: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Holds these signals back, but for those that we were started to ignore.
#[derive(Debug)]
pub(crate) struct Interrupts(SignalFd);

/// Why a wait was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something can be read.
    Readable,
    /// The deadline has passed.
    TimedOut,
    /// This signal came: tidy up and return [`crate::Exit::Killed`].
    Killed(Signal),
}

impl Interrupts {
    /// From here on. Children that are started get all signals back.
    pub(crate) fn hold() -> Result<Interrupts, Failure> {
        let held: Vec<Signal> =
            ENDS.into_iter().filter(|signal| !signals::is_ignored(*signal)).collect();
        let fd = SignalFd::new(&held).map_err(|errno| Error::system("watch signals", errno))?;
        Ok(Interrupts(fd))
    }

    /// Waits until one of `fds` can be read.
    pub(crate) fn wait(
        &self,
        fds: &[BorrowedFd<'_>],
        deadline: Option<Monotonic>,
    ) -> Result<Woken, Failure> {
        let all: Vec<BorrowedFd<'_>> = [self.0.as_fd()].into_iter().chain(fds.to_vec()).collect();
        let ready = poll::readable(&all, deadline)
            .map_err(|errno| Error::system("wait for events", errno))?;
        if let Some(signal) = self.0.take() {
            return Ok(Woken::Killed(signal));
        }
        Ok(if ready.contains(&true) { Woken::Readable } else { Woken::TimedOut })
    }
}
