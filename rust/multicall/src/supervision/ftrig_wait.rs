//! s6-ftrig-wait: waits for an event.

use super::listening::{self, Ear};
use super::waiting;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

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
    let mut ear = Ear::open(directory, expression)?;
    listening::finish(call, &mut ear, directory, deadline)?;
    Ok(Exit::SUCCESS)
}
