//! s6-touch: makes files, and says that they were changed.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::path;

/// s6-touch.
pub static APPLET: Applet = Applet {
    name: "s6-touch",
    section: Section::Utilities,
    about: "Set the times of files to now, and make those that are not there",
    options: &[],
    arguments: "file...",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "file")?;
    for file in &call.rest {
        path::touch(file).map_err(|errno| Error::on("touch", file, errno))?;
    }
    Ok(Exit::SUCCESS)
}
