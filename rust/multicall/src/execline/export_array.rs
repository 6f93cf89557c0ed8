//! export-array: a list of words in a variable.

use super::blocks::Blocks;
use super::variable;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::execline::value::as_netstrings;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// export-array.
pub static APPLET: Applet = Applet {
    name: "export-array",
    section: Section::Execline,
    about: "Run a program with a list of words in a variable, as netstrings",
    options: &[value('d', "delim", "as they are, each with this character behind it")],
    arguments: "variable { words... } prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "variable")?;
    call.argument(1, "block")?;
    let name = variable(name)?;
    let mut blocks = Blocks::of(call, call.rest.get(1..).unwrap_or(&[]));
    let words = blocks.filled("unterminated block")?;
    if blocks.rest().is_empty() {
        return Err(Failure::usage("no program given"));
    }
    let delimiter = call.value('d').and_then(|word| word.as_bytes().first().copied());
    let joined = match delimiter {
        None => as_netstrings(words.iter().map(OsString::as_os_str)),
        Some(delimiter) => {
            let each = words.iter().flat_map(|word| [word.as_bytes(), &[delimiter]].concat());
            OsString::from_vec(each.collect())
        }
    };
    let mut environment = call.environment.clone();
    environment.put(name, joined);
    Ok(call.chain(blocks.rest(), environment))
}
