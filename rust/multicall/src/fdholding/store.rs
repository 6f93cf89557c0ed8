//! s6-fdholder-store: have a descriptor held.

use super::asking::{EXIT_CODES, TIMEOUT, connect, id, refused};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::error::Errno;
use s6x_core::sys::{clock, fd};
use s6x_core::wire::fdholder::Entry;
use std::os::fd::AsFd;
use std::time::Duration;

/// s6-fdholder-store.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-store",
    section: Section::FdHolding,
    about: "Give a descriptor to an s6-fdholderd, under a name",
    options: &[
        value('d', "fd", "the descriptor (0)"),
        TIMEOUT,
        value('T', "ms", "it is closed after that many milliseconds (0: never)"),
    ],
    arguments: "socket id",
    syntax: Syntax::Posix,
    exit_codes: EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let number = call.number('d')?.unwrap_or(0);
    let lifetime = call.number('T')?.filter(|&lifetime| lifetime != 0);
    call.argument(0, "socket")?;
    let name = call.argument(1, "id")?;
    call.warn_of_more_than(2);
    let mut holder = connect(call)?;
    let now = clock::wall();
    let limit = lifetime.map_or(now.never(), |ms| now + Duration::from_millis(ms.into()));
    let number = i32::try_from(number).unwrap_or(-1);
    let stored = id(name).and_then(|id| {
        if !fd::was_inherited(number) {
            return Err(Errno::NOT_OPEN);
        }
        let descriptor = fd::duplicate_number(number)?;
        holder.store(Entry { id, limit }, descriptor.as_fd())
    });
    stored.map_err(refused(format!("store descriptor {number}")))?;
    Ok(Exit::SUCCESS)
}
