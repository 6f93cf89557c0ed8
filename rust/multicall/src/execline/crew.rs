//! The children of a loop: the same words for one value after the other, or for several at a time (contract
//! execline §3.3).

use super::{autoimports, children, with_variable};
use crate::chain::Beside;
use crate::options::Opt;
use crate::{Failure, Invocation, flag, value};
use s6x_core::error::{Errno, shown};
use s6x_core::execline::codes::Codes;
use s6x_core::sys::wait::Pid;
use s6x_core::sys::{fd, signals, wait};
use s6x_core::wire::environment::Environment;
use s6x_core::wire::wait_status::WaitStatus;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The options of all loops.
pub(super) const PARALLEL: Opt = flag('p', "do not wait for one before starting the next");
pub(super) const AT_MOST: Opt = value('P', "max", "run at most that many at a time");
pub(super) const GO_ON_AT: Opt =
    value('o', "codes", "go on only as long as the program exits with one of these codes");
pub(super) const END_AT: Opt =
    value('x', "codes", "go on until the program exits with one of these codes");

/// What the exit codes of a loop mean.
pub(super) const CODES: &[(&str, &str)] =
    &[("N", "the code that ended the loop"), ("111", "the program cannot be run")];

/// Which exit codes end a loop.
#[derive(Debug)]
pub(super) enum Ending {
    /// None.
    Never,
    /// These.
    At(Codes),
    /// All but these.
    Unless(Codes),
}

impl Ending {
    /// What the last of the options -o and -x says.
    pub(super) fn of(call: &Invocation) -> Result<Ending, Failure> {
        let mut ending = Ending::Never;
        for (letter, word) in &call.options {
            let codes = || {
                let codes = word.as_ref().and_then(|word| Codes::parse(word.as_bytes()));
                let message = || format!("option -{letter}: a list of exit codes is needed");
                codes.ok_or_else(|| Failure::usage(message()))
            };
            match letter {
                'o' => ending = Ending::Unless(codes()?),
                'x' => ending = Ending::At(codes()?),
                _ => {}
            }
        }
        Ok(ending)
    }

    /// Whether a code ends it.
    pub(super) fn is_at(&self, code: u8) -> bool {
        match self {
            Ending::Never => false,
            Ending::At(codes) => codes.contains(code),
            Ending::Unless(codes) => !codes.contains(code),
        }
    }
}

/// How many children at a time: what the last of the options -p and -P says; `all` for -p.
pub(super) fn at_a_time(call: &Invocation, all: u32) -> Result<u32, Failure> {
    let most = call.number('P')?;
    Ok(match call.last_of("pP") {
        Some('p') => all,
        Some(_) => most.unwrap_or(1).clamp(1, all),
        None => 1,
    })
}

/// A loop's children.
#[derive(Debug)]
pub(super) struct Crew<'a> {
    /// The loop's command.
    pub call: &'a Invocation,
    /// The variable that has the value.
    pub name: &'a OsStr,
    /// What is run with it.
    pub words: &'a [OsString],
    /// The variables beside it.
    pub environment: Environment,
    /// Descriptors of ours that no child must have.
    pub private: &'a [BorrowedFd<'a>],
    /// Whether a program that cannot be executed is a failure of that child, not of the loop: where the
    /// original has something else executed first.
    pub is_late: bool,
    /// How many run at a time.
    pub most: u32,
    /// What ends the loop.
    pub ending: Ending,
    /// Those that run.
    running: BTreeSet<Pid>,
    /// Whether one has exited with a code that ends the loop.
    is_over: bool,
}

impl<'a> Crew<'a> {
    /// Nobody yet.
    pub(super) fn new(
        call: &'a Invocation,
        name: &'a OsStr,
        words: &'a [OsString],
        most: u32,
    ) -> Result<Crew<'a>, Failure> {
        signals::notice_children();
        Ok(Crew {
            call,
            name,
            words,
            environment: call.environment.clone(),
            private: &[],
            is_late: autoimports(call),
            most,
            ending: Ending::of(call)?,
            running: BTreeSet::new(),
            is_over: false,
        })
    }

    /// Starts one for a value, and waits while there are as many as there may be. The code that ends the
    /// loop, if it was this one's: when several run at a time, none ends it.
    pub(super) fn take(&mut self, value: &OsStr) -> Result<Option<u8>, Failure> {
        let mut last = None;
        match self.start(value) {
            Ok(pid) => drop(self.running.insert(pid)),
            Err(failure) if self.is_late => {
                fd::complain(&format!("{}: fatal: {}\n", self.call.applet.name, failure.message));
                last = Some(failure.code);
            }
            Err(failure) => return Err(failure),
        }
        while self.running.len() >= self.most as usize {
            last = Some(self.reap()?);
        }
        let ending = last.filter(|&code| self.ending.is_at(code));
        self.is_over |= ending.is_some();
        Ok(ending.filter(|_| self.most == 1))
    }

    /// Waits for all; whether any exited with a code that would have ended the loop.
    pub(super) fn finish(mut self) -> Result<bool, Failure> {
        while !self.running.is_empty() {
            self.reap()?;
        }
        Ok(self.is_over)
    }

    fn start(&self, value: &OsStr) -> Result<Pid, Failure> {
        let environment = self.environment.clone();
        let (words, environment) =
            with_variable(self.call, self.name, Some(value), self.words, environment)?;
        let beside = Beside {
            private: self.private,
            keeps_mask: false,
            ..Beside::plain(&words, &environment)
        };
        beside.start(self.call).map_err(|errno| self.failed(&words, errno))
    }

    fn failed(&self, words: &[OsString], errno: Errno) -> Failure {
        if !self.is_late {
            return Failure::new(111, children::not_started(words, errno));
        }
        let Some(program) = words.first() else { return Failure::usage("no program given") };
        let errno = if program.is_empty() { Errno::REFUSED } else { errno };
        let code = if errno == Errno::NOT_FOUND { 127 } else { 126 };
        Failure::new(code, format!("unable to exec {}: {errno}", shown(Path::new(program))))
    }

    /// Waits until one of ours ends, and returns its code; whom we have from before the loop may end too.
    fn reap(&mut self) -> Result<u8, Failure> {
        loop {
            let gone = || Failure::new(111, "unable to wait for a child: No child process");
            let (pid, status): (Pid, WaitStatus) = wait::wait_for_any().ok_or_else(gone)?;
            if self.running.remove(&pid) {
                let code = status.folded();
                self.is_over |= self.ending.is_at(code);
                return Ok(code);
            }
        }
    }
}
