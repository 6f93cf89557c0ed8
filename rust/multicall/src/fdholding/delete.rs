//! s6-fdholder-delete: have a descriptor no longer held.

use super::asking::{EXIT_CODES, TIMEOUT, connect, id, refused};
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

/// s6-fdholder-delete.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-delete",
    section: Section::FdHolding,
    about: "Have an s6-fdholderd close a descriptor that it holds",
    options: &[TIMEOUT],
    arguments: "socket id",
    syntax: Syntax::Posix,
    exit_codes: EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "socket")?;
    let name = call.argument(1, "id")?;
    call.warn_of_more_than(2);
    let mut holder = connect(call)?;
    let deleted = id(name).and_then(|id| holder.delete(id));
    deleted.map_err(refused(format!("delete {}", quoted(name))))?;
    Ok(Exit::SUCCESS)
}
