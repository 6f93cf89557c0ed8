//! s6-svlisten: starts a program and waits until services are in a state.

use super::waiting::{self, Waiting};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::execline::block;
use s6x_core::machine::wait::Enough;
use std::path::PathBuf;

/// s6-svlisten.
pub static APPLET: Applet = Applet {
    name: "s6-svlisten",
    section: Section::Status,
    about: "Watch services, run a program, and wait until they are up, down, or restarted",
    options: waiting::FOR_SEVERAL,
    arguments: "servicedir... \"\" prog...",
    syntax: Syntax::Posix,
    exit_codes: waiting::CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = waiting::deadline(call, 't')?;
    call.argument(0, "servicedir")?;
    let (words, prog) = block::split(&call.rest).ok_or_else(|| {
        Failure::usage("unterminated servicedir block: an empty word must end it")
    })?;
    if prog.is_empty() {
        return Err(Failure::usage("no prog given"));
    }
    if words.is_empty() {
        return Ok(call.chain(prog, call.environment.clone()));
    }
    let services: Vec<PathBuf> =
        words.iter().map(|word| call.service(word)).collect::<Result<_, _>>()?;
    let waiting = Waiting::on(&services, waiting::goal(call), enough_for(call))?;
    waiting::start(call, prog)?;
    waiting.finish(deadline)
}

/// As the originals: a restart is always one of all services.
fn enough_for(call: &Invocation) -> Enough {
    let enough = waiting::enough(call);
    match call.last_of("uUdDrR") {
        Some(letter @ ('r' | 'R')) if enough == Enough::Any => {
            call.warning(format!("-o is unsupported with -{letter}: using -a"));
            Enough::All
        }
        Some(_) | None => enough,
    }
}
