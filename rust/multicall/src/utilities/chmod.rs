//! s6-chmod: changes the mode of a file.

use super::modes;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::error::Errno;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// s6-chmod.
pub static APPLET: Applet = Applet {
    name: "s6-chmod",
    section: Section::Utilities,
    about: "Change the mode of a file, or of what a link leads to, to an octal number",
    options: &[],
    arguments: "mode file",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mode = modes::octal("mode", call.argument(0, "mode")?)?;
    let file = call.argument(1, "file")?;
    call.warn_of_more_than(2);
    set_permissions(file, Permissions::from_mode(mode))
        .map_err(|error| Error::on("change mode of", file, Errno::of(&error)))?;
    Ok(Exit::SUCCESS)
}
