//! wait: until children have ended.

use super::{CHAIN_CODES, go_on};
use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::execline::block;
use s6x_core::sys::held::HeldSignals;
use s6x_core::sys::{clock, wait};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::signal::Signal;
use s6x_core::wire::wait_status::WaitStatus;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// wait.
pub static APPLET: Applet = Applet {
    name: "wait",
    section: Section::Execline,
    about: "Wait until children have ended, and run a program",
    options: &[
        flag('a', "until all have ended (default)").long("all"),
        flag('o', "until one has: its process id is !, its exit code ?").long("one"),
        flag('i', "fail if the time is over").long("insist"),
        flag('I', "go on then (default)").long("no-insist"),
        flag('r', "do not wait, only see who has ended").long("reap"),
        value('t', "ms", "wait no longer than that").long("timeout"),
    ],
    arguments: "{ pids... } prog... | [ pids... ]",
    syntax: Syntax::Long,
    exit_codes: &[
        ("N", "without a block: the exit code of the last child that is named"),
        ("99", "with -i: the time is over"),
        CHAIN_CODES[0],
        ("127", "there is no such program; without a block: no such child, or the time is over"),
    ],
    run,
};

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Done,
    NoChildren,
    TimedOut,
}

/// What is waited for, and what was seen.
#[derive(Debug)]
struct Watch {
    /// Those of the list that have not ended yet; `None`: everybody.
    left: Option<Vec<u32>>,
    /// The last of the list, whose code counts.
    last: Option<u32>,
    /// One is enough.
    one: bool,
    /// Who counts of those that have ended.
    ended: Option<(i32, WaitStatus)>,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let limit = call.number('t')?;
    let limit = if call.has('r') { Some(0) } else { limit };
    let (words, rest) = match block::split(&call.rest) {
        Some((words, rest)) => (words, Some(rest)),
        None => (call.rest.clone(), None),
    };
    let mut watch = Watch::of(&words, call.last_of("ao") == Some('o'))?;
    let over = match limit {
        None => watch.run(wait::wait_for_any),
        Some(limit) => {
            let deadline = clock::monotonic() + Duration::from_millis(limit.into());
            watch.run_until(deadline)
        }
    };
    if over == Over::TimedOut && call.last_of("iI") == Some('i') {
        return Err(Failure::new(99, "unable to wait: Connection timed out"));
    }
    let Some(rest) = rest else { return Ok(Exit::Code(watch.code(over))) };
    let mut environment = call.environment.clone();
    if watch.one {
        if let Some((pid, status)) = watch.ended {
            environment.put("?", status.folded().to_string());
            environment.put("!", pid.to_string());
        } else {
            environment.take("?");
            environment.take("!");
        }
    }
    Ok(go_on(rest.to_vec(), environment))
}

impl Watch {
    fn of(words: &[OsString], one: bool) -> Result<Watch, Failure> {
        let pid = |word: &OsString| {
            let message = || format!("{:?} is not a process id", OsStr::to_string_lossy(word));
            let pid = number(word).filter(|_| !word.is_empty());
            pid.ok_or_else(|| Failure::usage(message()))
        };
        let pids: Vec<u32> = words.iter().map(pid).collect::<Result<_, _>>()?;
        let (last, left) = (pids.last().copied(), Some(pids).filter(|pids| !pids.is_empty()));
        Ok(Watch { left, last, one, ended: None })
    }

    /// Takes note of somebody's end; whether that was all.
    fn note(&mut self, pid: i32, status: WaitStatus) -> bool {
        let number = u32::try_from(pid).ok();
        if let Some(left) = &mut self.left {
            let Some(at) = left.iter().position(|left| Some(*left) == number) else { return false };
            left.remove(at);
        }
        if self.one || (self.last.is_some() && self.last == number) {
            self.ended = Some((pid, status));
        }
        self.one || self.left.as_ref().is_some_and(Vec::is_empty)
    }

    /// Waits until that is all, or there is nobody any more.
    fn run(&mut self, next: impl Fn() -> Option<(wait::Pid, WaitStatus)>) -> Over {
        while let Some((pid, status)) = next() {
            if self.note(pid.number(), status) {
                return Over::Done;
            }
        }
        Over::NoChildren
    }

    /// The same, or until the time is over.
    fn run_until(&mut self, deadline: Monotonic) -> Over {
        let held = HeldSignals::new(&[Signal::SIGCHLD]);
        loop {
            if self.run(wait::next_dead) == Over::Done {
                return Over::Done;
            }
            if !wait::has_children() {
                return Over::NoChildren;
            }
            if held.next(Some(deadline)).is_none() {
                return Over::TimedOut;
            }
        }
    }

    /// The exit code where nothing is to be run.
    fn code(&self, over: Over) -> u8 {
        match (self.ended, self.last, over) {
            (Some((_, status)), ..) => status.folded(),
            (None, None, Over::Done | Over::NoChildren) if !self.one => 0,
            (None, ..) => 127,
        }
    }
}
