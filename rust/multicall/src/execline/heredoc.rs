//! heredoc: a text that a program reads from a descriptor.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::process::{self, Side, exit_now};
use s6x_core::sys::{fd, numbered};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// heredoc.
pub static APPLET: Applet = Applet {
    name: "heredoc",
    section: Section::Execline,
    about: "Run a program that can read a text from a descriptor",
    options: &[flag('d', "let the process that writes it be nobody's child")],
    arguments: "fd string prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let target = call.argument(0, "descriptor")?;
    let text = call.argument(1, "string")?;
    call.argument(2, "program")?;
    let wrong = || Failure::usage("the descriptor is not a number");
    let place = number(target).ok_or_else(wrong)?;
    let (reader, writer) = fd::pipe().map_err(|errno| Error::system("pipe", errno))?;
    let (forked, what) = if call.has('d') {
        (process::fork_orphan(), "doublefork")
    } else {
        (process::fork(), "fork")
    };
    match forked.map_err(|errno| Error::system(what, errno))? {
        Side::Child => {
            drop(reader);
            write(&writer, text.as_bytes())
        }
        Side::Parent(_) => drop(writer),
    }
    numbered::install(reader, place)
        .map_err(|errno| Error::system(format!("read on fd {place}"), errno))?;
    Ok(call.chain(call.rest.get(2..).unwrap_or(&[]), call.environment.clone()))
}

/// The life of the writer.
fn write(pipe: &OwnedFd, text: &[u8]) -> ! {
    if let Err(errno) = fd::write_all(pipe, text) {
        fd::complain(&format!("heredoc (child): fatal: unable to write: {errno}\n"));
        exit_now(111);
    }
    exit_now(0)
}
