//! s6-fdholder-list: what is held.

use super::asking::{EXIT_CODES, TIMEOUT, connect, refused};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::execline::quote::readable;

/// s6-fdholder-list.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-list",
    section: Section::FdHolding,
    about: "Print the names of the descriptors that an s6-fdholderd holds, one per line",
    options: &[TIMEOUT],
    arguments: "socket",
    syntax: Syntax::Posix,
    exit_codes: EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.only_argument("socket")?;
    let ids = connect(call)?.list().map_err(refused("get the list"))?;
    let mut text = Vec::new();
    for id in ids {
        text.extend(readable(id.bytes()));
        text.push(b'\n');
    }
    call.print(text)?;
    Ok(Exit::SUCCESS)
}
