//! What the programs that wait for a state have in common: options, messages, exit codes.

use crate::interrupts::{Interrupts, Woken};
use crate::{Exit, Failure, Invocation, Opt, flag, value};
use s6x_core::Error;
use s6x_core::machine::wait::{Enough, Goal};
use s6x_core::run::observe::Watch;
use s6x_core::sys::clock;
use s6x_core::sys::spawn::Launch;
use s6x_core::wire::clock::Monotonic;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

const UP: Opt = flag('u', "wait until up (default)");
const UP_READY: Opt = flag('U', "wait until up and ready");
const DOWN: Opt = flag('d', "wait until down");
const DOWN_READY: Opt = flag('D', "wait until down and ready to be started again");
const RESTART: Opt = flag('r', "wait until down, then up");
const RESTART_READY: Opt = flag('R', "wait until down, then up and ready");
const ALL: Opt = flag('a', "wait for all services (default)");
const ANY: Opt = flag('o', "wait for one of the services");
const LIMIT: Opt = value('t', "timeout", "wait at most that many milliseconds");

/// Options of programs that wait for one service.
pub(super) const FOR_ONE: &[Opt] = &[UP, UP_READY, DOWN, DOWN_READY, RESTART, RESTART_READY, LIMIT];
/// Options of programs that wait for several services.
pub(super) const FOR_SEVERAL: &[Opt] =
    &[UP, UP_READY, DOWN, DOWN_READY, RESTART, RESTART_READY, ALL, ANY, LIMIT];

/// Exit codes of programs that wait for several services.
pub(super) const CODES: &[(&str, &str)] = &[
    ("1..98", "how many services failed for good or lost their supervisor meanwhile"),
    ("99", "timed out"),
];

/// The state that the options ask for.
pub(super) fn goal(call: &Invocation) -> Goal {
    call.last_of("uUdDrR").and_then(Goal::from_letter).unwrap_or(Goal::Up)
}

/// How many services the options ask for.
pub(super) fn enough(call: &Invocation) -> Enough {
    if call.last_of("ao") == Some('o') { Enough::Any } else { Enough::All }
}

/// When an option's number of milliseconds will have passed; 0 is no limit.
pub(super) fn deadline(call: &Invocation, letter: char) -> Result<Option<Monotonic>, Failure> {
    let limit = call.number(letter)?.filter(|&limit| limit != 0);
    Ok(limit.map(|limit| clock::monotonic() + Duration::from_millis(limit.into())))
}

/// A failure of these programs is a failed system call, an unreadable status file too (111).
pub(super) fn temporary(error: &Error) -> Failure {
    Failure::new(111, error.to_string())
}

/// Services being waited for. A signal ends the program only after its subscriptions are gone.
pub(super) struct Waiting {
    watch: Watch,
    interrupts: Interrupts,
}

impl Waiting {
    /// Subscribes: what happens from here on is not missed.
    pub(super) fn on(services: &[PathBuf], goal: Goal, enough: Enough) -> Result<Waiting, Failure> {
        let interrupts = Interrupts::hold()?;
        let watch = Watch::on(services, goal, enough).map_err(|error| temporary(&error))?;
        Ok(Waiting { watch, interrupts })
    }

    /// Waits to the end.
    pub(super) fn finish(mut self, deadline: Option<Monotonic>) -> Result<Exit, Failure> {
        loop {
            let now = clock::monotonic();
            match self.watch.until(Some(now)).map_err(|error| temporary(&error))? {
                Some(0) => return Ok(Exit::SUCCESS),
                Some(lost) => {
                    let message =
                        "some services reported permanent failure or their supervisor died";
                    return Err(Failure::new(lost_code(lost), message));
                }
                None => {}
            }
            match self.interrupts.wait(&self.watch.descriptors(), deadline)? {
                Woken::Readable => {}
                Woken::TimedOut => return Err(Failure::new(99, "timed out")),
                Woken::Killed(signal) => return Ok(Exit::Killed(signal)),
            }
        }
    }
}

/// How many were lost, as an exit code: not above 98, since 99 is a timeout and 256 would be 0.
fn lost_code(lost: usize) -> u8 {
    lost.min(98) as u8
}

/// Starts a program and does not wait for it.
pub(super) fn start(call: &Invocation, argv: &[OsString]) -> Result<(), Failure> {
    let Some(program) = argv.first() else { return Err(Failure::usage("no program given")) };
    let failed = |why: String| {
        Failure::new(111, format!("unable to spawn {}: {why}", program.to_string_lossy()))
    };
    let words: Result<Vec<CString>, _> =
        argv.iter().map(|word| CString::new(word.as_bytes())).collect();
    let words = words.map_err(|_| failed("a NUL in its arguments".into()))?;
    let (paths, env) = (call.environment.candidates(program), call.environment.to_c());
    Launch::plain(&paths, &words, &env).spawn().map_err(|errno| failed(errno.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_never_look_like_something_else() {
        assert_eq!([1, 98, 99, 100, 256, 1000].map(lost_code), [1, 98, 98, 98, 98, 98]);
    }
}
