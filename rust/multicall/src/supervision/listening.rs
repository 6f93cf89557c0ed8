//! Waiting until what event directories say matches regular expressions.

use super::waiting;
use crate::interrupts::{Interrupts, Woken};
use crate::invocation::quoted;
use crate::{Exit, Failure, Invocation, Opt, value};
use s6x_core::error::shown;
use s6x_core::machine::wait::Enough;
use s6x_core::regex::Regex;
use s6x_core::run::fifodir::Subscription;
use s6x_core::wire::clock::Monotonic;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
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
    fn open(directory: &OsStr, expression: &OsStr) -> Result<Ear, Failure> {
        let wanted = Regex::new(expression.as_bytes()).map_err(|why| {
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

/// Several of them. A signal ends the program only after its subscriptions are gone.
pub(super) struct Listening {
    ears: Vec<Ear>,
    interrupts: Interrupts,
}

impl Listening {
    /// Subscribes for pairs of directory and expression.
    pub(super) fn to<'a>(
        pairs: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> Result<Listening, Failure> {
        let interrupts = Interrupts::hold()?;
        let ears = pairs.into_iter().map(|(directory, wanted)| Ear::open(directory, wanted));
        Ok(Listening { ears: ears.collect::<Result<_, _>>()?, interrupts })
    }

    /// Waits until enough of them have heard what they wanted, then does `done`.
    pub(super) fn finish(
        mut self,
        enough: Enough,
        deadline: Option<Monotonic>,
        done: impl FnOnce(&[Ear]) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        loop {
            self.ears.iter_mut().for_each(Ear::listen);
            let heard = |ear: &Ear| ear.matched.is_some();
            let is_enough = match enough {
                Enough::All => self.ears.iter().all(heard),
                Enough::Any => self.ears.iter().any(heard),
            };
            if is_enough {
                return done(&self.ears).map(|()| Exit::SUCCESS);
            }
            let fds: Vec<BorrowedFd<'_>> = self.ears.iter().map(|ear| ear.events.as_fd()).collect();
            match self.interrupts.wait(&fds, deadline)? {
                Woken::Readable => {}
                // Exit code 1, as in s6 2.11.
                Woken::TimedOut => return Err(Failure::new(1, "timed out: no expected event")),
                Woken::Killed(signal) => return Ok(Exit::Killed(signal)),
            }
        }
    }
}

/// Prints the last byte that matched.
pub(super) fn print_last_byte(call: &Invocation, ears: &[Ear]) -> Result<(), Failure> {
    let mut line: Vec<u8> = ears.iter().filter_map(Ear::last_byte).collect();
    line.push(b'\n');
    call.print(line)
}
