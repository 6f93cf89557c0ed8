//! s6-hiercopy: copies whole trees.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::run::tree;
use std::path::Path;

/// s6-hiercopy.
pub static APPLET: Applet = Applet {
    name: "s6-hiercopy",
    section: Section::Utilities,
    about: "Copy a tree of files of all kinds, with modes and, where permitted, owners",
    options: &[],
    arguments: "src dst",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "src was copied, except for what was complained of on stderr")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (from, to) = (call.argument(0, "source")?, call.argument(1, "destination")?);
    call.warn_of_more_than(2);
    tree::copy(Path::new(from), Path::new(to), &mut |error| call.warning(error.to_string()))?;
    Ok(Exit::SUCCESS)
}
