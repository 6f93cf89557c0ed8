//! s6-mkfifo: makes FIFOs.

use super::modes;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::Error;
use s6x_core::sys::{path, process};

/// What a FIFO's mode never has unless it is asked for with `-m`: nobody executes one.
const MASK: u32 = 0o111;

/// s6-mkfifo.
pub static APPLET: Applet = Applet {
    name: "s6-mkfifo",
    section: Section::Utilities,
    about: "Make FIFOs",
    options: &[value('m', "mode", "their mode, octal, whatever the umask is (0666)")],
    arguments: "fifo...",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mode = modes::option(call)?.unwrap_or(0o666);
    call.argument(0, "fifo")?;
    process::umask(MASK);
    for fifo in &call.rest {
        path::mkfifo(fifo, mode).map_err(|errno| Error::on("mkfifo", fifo, errno))?;
    }
    Ok(Exit::SUCCESS)
}
