//! s6-svdt-clear: forgets the deaths of a service.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::dir::Dir;

/// s6-svdt-clear.
pub static APPLET: Applet = Applet {
    name: "s6-svdt-clear",
    section: Section::Status,
    about: "Forget the deaths of a service",
    options: &[],
    arguments: "servicedir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let service = call.service(call.only_argument("servicedir")?)?;
    let supervise = service.join("supervise");
    Dir::open(&supervise)
        .and_then(|dir| dir.replace("death_tally", b"", 0o666))
        .map_err(|errno| Error::on("clear", supervise.join("death_tally"), errno))?;
    Ok(Exit::SUCCESS)
}
