//! The catch-all logger: where what nobody logs goes, if not to the container's own stdout and stderr.
//!
//! PID 1 and all that it starts then write to a FIFO that the service `s6-svscan-log` reads (contract
//! s6-overlay §4, `S6_LOGGING`). Both ends of it are held here, so that nothing is lost and nobody gets
//! SIGPIPE when the logger dies and comes back. What the logger itself has to say goes to the
//! container's stderr. It is the last to end: when the rest is told to, PID 1 lets go of the FIFO, and the
//! logger finds its end as soon as nobody else can write.

use super::Container;
use super::facts::{hold, path_of};
use crate::error::{Errno, Error, Result};
use crate::sys::dir::{self, Open};
use crate::sys::fd;
use crate::wire::plan;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is held for the catch-all logger.
#[derive(Debug)]
pub(super) struct CatchAll {
    /// Keeps what is in the FIFO while nobody reads it; to the very end, as the logger may be late.
    _reader: OwnedFd,
    /// The container's own stdout.
    stdout: OwnedFd,
    /// The container's own stderr.
    stderr: OwnedFd,
    /// Whether CMD's output is caught, too.
    takes_command: bool,
    /// Whether we still write to the FIFO.
    held: bool,
}

impl CatchAll {
    /// Makes the FIFO our stdout and stderr.
    fn open(fifo: &std::path::Path, takes_command: bool) -> std::result::Result<CatchAll, Errno> {
        let reader = dir::open(fifo, Open::ReadNow)?;
        // There is a reader, so this does not wait; who inherits it may.
        let writer = dir::open(fifo, Open::Append(0o600))?;
        let (stdout, stderr) =
            (fd::duplicate(fd::standard(1), 3)?, fd::duplicate(fd::standard(2), 3)?);
        fd::place(&writer, 1)?;
        fd::place(&writer, 2)?;
        Ok(CatchAll { _reader: reader, stdout, stderr, takes_command, held: true })
    }

    /// The stderr of the catch-all logger itself.
    pub(super) fn console(&self) -> Result<OwnedFd> {
        let copy = fd::duplicate(&self.stderr, 3);
        copy.map_err(|errno| Error::system("keep standard error for the catch-all logger", errno))
    }

    /// Where CMD's stdout and stderr are, if not where everybody's are.
    pub(super) fn places_of_command(&self) -> impl Iterator<Item = (BorrowedFd<'_>, i32)> {
        let own = [(self.stdout.as_fd(), 1), (self.stderr.as_fd(), 2)];
        own.into_iter().filter(|_| !self.takes_command)
    }
}

impl Container {
    /// From here on everything goes to the catch-all logger, if the plan wants one.
    pub(super) fn catch_all(&mut self, wanted: &plan::CatchAll) -> Result<()> {
        let affairs = self.affairs();
        if !hold(&wanted.when, &self.facts, affairs) {
            return Ok(());
        }
        let fifo = path_of(&wanted.fifo, &self.facts);
        let command = wanted.command.as_ref();
        let takes_command = command.is_some_and(|when| hold(when, &self.facts, affairs));
        self.console.pass_on();
        let caught = CatchAll::open(&fifo, takes_command);
        self.catch_all = Some(caught.map_err(|errno| Error::on("open", &fifo, errno))?);
        self.console.reopen();
        Ok(())
    }

    /// Lets go of the catch-all logger's FIFO. What is said from here on nobody logs: errors go to the
    /// container's own stderr, the rest nowhere, as CMD alone has its stdout.
    pub(super) fn release_output(&mut self) {
        self.console.pass_on();
        let Some(caught) = self.catch_all.as_mut().filter(|caught| caught.held) else { return };
        caught.held = false;
        let _ = fd::place(&caught.stderr, 2); // cannot fail: both are open
        fd::leave_standard(1);
        self.console.reopen();
    }
}
