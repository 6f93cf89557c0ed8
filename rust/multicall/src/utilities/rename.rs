//! s6-rename: gives a file another name, at once.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use std::path::Path;

/// s6-rename.
pub static APPLET: Applet = Applet {
    name: "s6-rename",
    section: Section::Utilities,
    about: "Give a file another name, in place of what has that name",
    options: &[],
    arguments: "old new",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (old, new) = (call.argument(0, "old name")?, call.argument(1, "new name")?);
    call.warn_of_more_than(2);
    std::fs::rename(old, new).map_err(|error| {
        let what = format!("rename {} to {}", shown(Path::new(old)), shown(Path::new(new)));
        Error::system(what, Errno::of(&error))
    })?;
    Ok(Exit::SUCCESS)
}
