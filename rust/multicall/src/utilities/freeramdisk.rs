//! s6-freeramdisk: gives back the memory of a ramdisk.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::mount::flush_device;
use std::path::Path;

/// s6-freeramdisk.
pub static APPLET: Applet = Applet {
    name: "s6-freeramdisk",
    section: Section::Utilities,
    about: "Give back the memory of a ramdisk, with what is on it",
    options: &[],
    arguments: "device",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let path = Path::new(call.only_argument("device")?);
    let device = open(path, Open::ReadWrite).map_err(|errno| Error::on("open", path, errno))?;
    flush_device(&device).map_err(|errno| Error::on("flush", path, errno))?;
    Ok(Exit::SUCCESS)
}
