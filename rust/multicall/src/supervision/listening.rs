//! Waiting until what event directories say matches regular expressions.

use super::waiting;
use crate::invocation::quoted;
use crate::{Failure, Invocation, Opt, value};
use s6x_core::Error;
use s6x_core::error::shown;
use s6x_core::machine::wait::Enough;
use s6x_core::run::fifodir::Subscription;
use s6x_core::sys::poll;
use s6x_core::sys::regex::Regex;
use s6x_core::wire::clock::Monotonic;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

pub(super) const LIMIT: Opt =
    value('t', "timeout", "wait at most that many milliseconds").long("timeout");

/// A subscription, what it must say, and what it has said.
pub(super) struct Ear {
    events: Subscription,
    wanted: Regex,
    heard: Vec<u8>,
    /// Where it matched first; what is said after that does not matter.
    matched: Option<Range<usize>>,
}

impl Ear {
    /// Subscribes to a directory for an expression. Failures are temporary ones (111), a wrong
    /// expression too, as in the originals.
    pub(super) fn open(directory: &OsStr, expression: &OsStr) -> Result<Ear, Failure> {
        let wanted = Regex::new(expression).map_err(|why| {
            let what =
                format!("{} with regexp {}", shown(Path::new(directory)), quoted(expression));
            Failure::new(111, format!("unable to subscribe to {what}: {why}"))
        })?;
        let events = Subscription::to(directory).map_err(|error| waiting::temporary(&error))?;
        Ok(Ear { events, wanted, heard: Vec::new(), matched: None })
    }

    fn listen(&mut self) {
        let news = self.events.take();
        if self.matched.is_none() && !news.is_empty() {
            self.heard.extend(news);
            self.matched = self.wanted.find(&self.heard);
        }
    }

    /// The last byte that matched, as s6 up to 2.14 prints it.
    fn last_byte(&self) -> Option<u8> {
        let end = self.matched.as_ref()?.end;
        self.heard.get(end.checked_sub(1)?).copied()
    }
}

/// Waits until enough of them have heard what they wanted; false: the deadline came first.
pub(super) fn wait(
    ears: &mut [Ear],
    enough: Enough,
    deadline: Option<Monotonic>,
) -> Result<bool, Failure> {
    loop {
        ears.iter_mut().for_each(Ear::listen);
        let done = match enough {
            Enough::All => ears.iter().all(|ear| ear.matched.is_some()),
            Enough::Any => ears.iter().any(|ear| ear.matched.is_some()),
        };
        if done {
            return Ok(true);
        }
        let fds: Vec<BorrowedFd<'_>> = ears.iter().map(|ear| ear.events.as_fd()).collect();
        let ready = poll::readable(&fds, deadline)
            .map_err(|errno| Error::system("wait for events", errno))?;
        if !ready.contains(&true) {
            return Ok(false);
        }
    }
}

/// The end of a program that listens to one directory: prints the last byte that matched.
pub(super) fn finish(
    call: &Invocation,
    ear: &mut Ear,
    directory: &OsStr,
    deadline: Option<Monotonic>,
) -> Result<(), Failure> {
    if !wait(std::slice::from_mut(ear), Enough::All, deadline)? {
        return Err(timed_out(directory));
    }
    let mut line: Vec<u8> = ear.last_byte().into_iter().collect();
    line.push(b'\n');
    call.print(line)
}

/// Exit code 1, as in s6 2.11.
pub(super) fn timed_out(directory: &OsStr) -> Failure {
    let message = format!("no expected event from {}: timed out", shown(Path::new(directory)));
    Failure::new(1, message)
}
