//! s6-fdholder-getdump: a program with everything that is held.

use super::asking::{CHAIN_EXIT_CODES, TIMEOUT, connect, hand_over, refused};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;

/// s6-fdholder-getdump.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-getdump",
    section: Section::FdHolding,
    about: "Run a program that has everything that an s6-fdholderd holds",
    options: &[TIMEOUT],
    arguments: "socket prog...",
    syntax: Syntax::Posix,
    exit_codes: CHAIN_EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "socket")?;
    call.argument(1, "program")?;
    let dump = connect(call)?.dump().map_err(refused("get the dump"))?;
    let mut environment = call.environment.clone();
    hand_over(dump, &mut environment)
        .map_err(|errno| Error::system("hand over descriptors", errno))?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}
