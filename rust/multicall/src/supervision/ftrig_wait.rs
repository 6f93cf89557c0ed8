//! s6-ftrig-wait: waits for an event.

use super::listening::{self, Listening, print_last_byte};
use super::waiting;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::machine::wait::Enough;

/// s6-ftrig-wait.
pub static APPLET: Applet = Applet {
    name: "s6-ftrig-wait",
    section: Section::Notification,
    about: "Wait until what an event directory says matches an extended regular expression",
    options: &[listening::LIMIT],
    arguments: "fifodir regexp",
    syntax: Syntax::Long,
    exit_codes: &[("1", "timed out")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = waiting::deadline(call, 't')?;
    let directory = call.argument(0, "fifodir")?;
    let expression = call.argument(1, "regexp")?;
    call.warn_of_more_than(2);
    let listening = Listening::to([(directory, expression)])?;
    listening.finish(Enough::All, deadline, |ears| print_last_byte(call, ears))
}
