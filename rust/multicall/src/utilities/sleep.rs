//! s6-sleep: waits, then runs a program.

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::{clock, poll};
use std::time::Duration;

/// s6-sleep.
pub static APPLET: Applet = Applet {
    name: "s6-sleep",
    section: Section::Utilities,
    about: "Wait for a time, then run a program, if one is given",
    options: &[flag('m', "milliseconds, not seconds")],
    arguments: "duration [ prog... ]",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let word = call.argument(0, "duration")?;
    let wrong = || Failure::usage(format!("{} is not a duration", quoted(word)));
    let count = u64::from(number(word).ok_or_else(wrong)?);
    let time =
        if call.has('m') { Duration::from_millis(count) } else { Duration::from_secs(count) };
    poll::readable(&[], Some(clock::monotonic() + time))
        .map_err(|errno| Error::system("wait", errno))?;
    match call.rest.get(1..).unwrap_or(&[]) {
        [] => Ok(Exit::SUCCESS),
        program => Ok(call.chain(program, call.environment.clone())),
    }
}
