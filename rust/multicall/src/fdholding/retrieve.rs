//! s6-fdholder-retrieve: a program with a held descriptor as its standard input.

use super::asking::{CHAIN_EXIT_CODES, TIMEOUT, connect, id, refused};
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::fd;

/// s6-fdholder-retrieve.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-retrieve",
    section: Section::FdHolding,
    about: "Get a descriptor from an s6-fdholderd, and run a program with it as standard input",
    options: &[flag('D', "have the server close it"), TIMEOUT],
    arguments: "socket id prog...",
    syntax: Syntax::Posix,
    exit_codes: CHAIN_EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "socket")?;
    let name = call.argument(1, "id")?;
    call.argument(2, "program")?;
    let mut holder = connect(call)?;
    let retrieved = id(name).and_then(|id| holder.retrieve(id, call.has('D')));
    let descriptor = retrieved.map_err(refused(format!("retrieve {}", quoted(name))))?;
    fd::place(&descriptor, 0).map_err(|errno| Error::system("replace stdin", errno))?;
    Ok(call.chain(call.rest.get(2..).unwrap_or(&[]), call.environment.clone()))
}
