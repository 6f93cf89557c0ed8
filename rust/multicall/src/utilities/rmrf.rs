//! s6-rmrf: removes whole trees.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::run::tree;
use std::path::Path;

/// s6-rmrf.
pub static APPLET: Applet = Applet {
    name: "s6-rmrf",
    section: Section::Utilities,
    about: "Remove files and directories with everything in them; links are not followed",
    options: &[],
    arguments: "file...",
    syntax: Syntax::Posix,
    exit_codes: &[("111", "something could not be removed; what was named later is still there")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "file")?;
    for file in &call.rest {
        tree::remove(Path::new(file))?;
    }
    Ok(Exit::SUCCESS)
}
