//! s6-hostname: the host's name.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::host;
use std::os::unix::ffi::OsStrExt;

/// s6-hostname.
pub static APPLET: Applet = Applet {
    name: "s6-hostname",
    section: Section::Utilities,
    about: "Print the host's name, or give it one",
    options: &[],
    arguments: "[ name ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(1);
    if let Some(name) = call.rest.first() {
        host::set_name(name).map_err(|errno| Error::system("set the host's name", errno))?;
        return Ok(Exit::SUCCESS);
    }
    let name = host::name().map_err(|errno| Error::system("get the host's name", errno))?;
    call.print([name.as_bytes(), b"\n"].concat())?;
    Ok(Exit::SUCCESS)
}
