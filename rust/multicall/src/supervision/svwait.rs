//! s6-svwait: waits until services are in a state.

use super::waiting::{self, Waiting};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use std::path::PathBuf;

/// s6-svwait.
pub static APPLET: Applet = Applet {
    name: "s6-svwait",
    section: Section::Status,
    about: "Wait until services are up, down, or restarted",
    options: waiting::FOR_SEVERAL,
    arguments: "servicedir...",
    syntax: Syntax::Posix,
    exit_codes: waiting::CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "servicedir")?;
    let deadline = waiting::deadline(call, 't')?;
    let services: Vec<PathBuf> =
        call.rest.iter().map(|word| call.service(word)).collect::<Result<_, _>>()?;
    let waiting = Waiting::on(&services, waiting::goal(call), waiting::enough(call))?;
    waiting.finish(deadline)
}
