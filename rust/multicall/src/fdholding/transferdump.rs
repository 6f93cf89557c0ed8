//! s6-fdholder-transferdump: everything that one server holds for another.

use super::asking::{EXIT_CODES, connect_to, refused};
use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::sys::clock;
use s6x_core::wire::clock::Monotonic;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// s6-fdholder-transferdump.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-transferdump",
    section: Section::FdHolding,
    about: "Have an s6-fdholderd hold everything that another one holds",
    options: &[value(
        't',
        "ms[:ms]",
        "wait at most that long for the first, and for the second (0: as long as it takes)",
    )],
    arguments: "from to",
    syntax: Syntax::Posix,
    exit_codes: EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (from, to) = limits(call)?;
    let source = call.argument(0, "socket to get everything from")?;
    let target = call.argument(1, "socket to give everything to")?;
    call.warn_of_more_than(2);
    let dump = connect_to(source, deadline(from))?.dump().map_err(refused("get the dump"))?;
    let mut holder = connect_to(target, deadline(to))?;
    holder.set_dump(&dump).map_err(refused("set the dump"))?;
    Ok(Exit::SUCCESS)
}

/// The value of `-t`: two numbers, of which each may be missing.
fn limits(call: &Invocation) -> Result<(u32, u32), Failure> {
    let Some(text) = call.value('t') else { return Ok((0, 0)) };
    let mut parts = text.as_bytes().splitn(2, |&byte| byte == b':').map(OsStr::from_bytes);
    let mut part = || match parts.next() {
        None => Some(0),
        Some(word) if word.is_empty() => Some(0),
        Some(word) => number(word),
    };
    let limits = part().zip(part()).filter(|_| !text.is_empty());
    let wrong = || format!("option -t: {} is not of the form ms:ms", quoted(text));
    limits.ok_or_else(|| Failure::usage(wrong()))
}

fn deadline(limit: u32) -> Option<Monotonic> {
    (limit != 0).then(|| clock::monotonic() + Duration::from_millis(limit.into()))
}
