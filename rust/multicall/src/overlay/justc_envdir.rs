//! justc-envdir: a directory merged into the environment, exactly (contract s6-overlay §6).

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::Syntax;
use s6x_core::model::envdir::{self, Reading};
use std::path::Path;

/// justc-envdir.
pub static APPLET: Applet = Applet {
    name: "justc-envdir",
    section: Section::Overlay,
    about: "Run a program with the variables that a directory holds, one in each file",
    options: &[],
    arguments: "dir prog...",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let directory = call.argument(0, "directory")?;
    call.argument(1, "program")?;
    let mut environment = call.environment.clone();
    let mut complain = |error: s6x_core::Error| call.warning(error.to_string());
    envdir::merge(Path::new(directory), Reading::Exact, &mut environment, &mut complain)?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}
