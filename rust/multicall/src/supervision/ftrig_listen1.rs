//! s6-ftrig-listen1: runs a program and waits for an event.

use super::listening::{self, Listening, print_last_byte};
use super::waiting;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::machine::wait::Enough;

/// s6-ftrig-listen1.
pub static APPLET: Applet = Applet {
    name: "s6-ftrig-listen1",
    section: Section::Notification,
    about: "Subscribe to an event directory, run a program, and wait for a matching event",
    options: &[listening::LIMIT],
    arguments: "fifodir regexp prog...",
    syntax: Syntax::Long,
    exit_codes: &[("1", "timed out")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = waiting::deadline(call, 't')?;
    let directory = call.argument(0, "fifodir")?;
    let expression = call.argument(1, "regexp")?;
    call.argument(2, "prog")?;
    let listening = Listening::to([(directory, expression)])?;
    waiting::start(call, call.rest.get(2..).unwrap_or(&[]))?;
    listening.finish(Enough::All, deadline, |ears| print_last_byte(call, ears))
}
