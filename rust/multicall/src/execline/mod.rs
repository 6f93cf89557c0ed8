//! The commands of the execline language (contract execline).
//!
//! A command takes the words at the front, changes one thing and goes on with the rest. What they have in
//! common is here: blocks, children, and how a chain goes on.

pub mod condition;
pub mod environment;
pub mod execlineb;
pub mod leaving;
pub mod substitute;

mod blocks;
mod children;
mod directive;

use crate::{Exec, Exit, Failure};
use s6x_core::error::shown;
use s6x_core::execline::TooLong;
use s6x_core::execline::substitution::{self, Keys};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the exit codes of a command that goes on mean.
const CHAIN_CODES: &[(&str, &str)] =
    &[("126", "the program cannot be executed"), ("127", "there is no such program")];

/// Goes on with these words; without any, that was all (contract execline §0.1, ok0).
fn go_on(words: Vec<OsString>, environment: Environment) -> Exit {
    if words.is_empty() { Exit::SUCCESS } else { Exit::Exec(Exec::new(words, environment)) }
}

/// Goes on with these words, keys in them replaced.
fn substitute(
    words: &[OsString],
    keys: &impl Keys,
    environment: Environment,
) -> Result<Exit, Failure> {
    let replaced = substitution::apply(words, keys).map_err(|TooLong| too_long(words))?;
    Ok(go_on(replaced, environment))
}

/// The failure to become a program with more words than a program can have.
fn too_long(words: &[OsString]) -> Failure {
    let program = words.first().map(OsString::as_os_str).unwrap_or_default();
    let errno = s6x_core::error::Errno::TOO_LONG;
    Failure::new(126, format!("unable to exec {}: {errno}", shown(Path::new(program))))
}

/// A name that a variable can have (contract execline §0.8).
fn variable(name: &OsStr) -> Result<&OsStr, Failure> {
    if name.as_bytes().contains(&b'=') {
        let name = shown(Path::new(name));
        return Err(Failure::new(100, format!("invalid variable name: {name}")));
    }
    Ok(name)
}

/// The same for commands that do not accept the empty name.
#[expect(dead_code)]
fn filled_variable(name: &OsStr) -> Result<&OsStr, Failure> {
    if name.is_empty() {
        return Err(Failure::new(100, "invalid variable name: it is empty"));
    }
    variable(name)
}
