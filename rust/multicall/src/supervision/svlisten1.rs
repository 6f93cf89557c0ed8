//! s6-svlisten1: starts a program and waits until a service is in a state.

use super::waiting::{self, Waiting};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::machine::wait::Enough;

/// s6-svlisten1.
pub static APPLET: Applet = Applet {
    name: "s6-svlisten1",
    section: Section::Status,
    about: "Watch a service, run a program, and wait until it is up, down, or restarted",
    options: waiting::FOR_ONE,
    arguments: "servicedir prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the service failed for good or lost its supervisor meanwhile"),
        ("99", "timed out"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = waiting::deadline(call, 't')?;
    let service = call.service(call.argument(0, "servicedir")?)?;
    call.argument(1, "prog")?;
    let waiting = Waiting::on(&[service], waiting::goal(call), Enough::All)?;
    waiting::start(call, call.rest.get(1..).unwrap_or(&[]))?;
    waiting.finish(deadline)
}
