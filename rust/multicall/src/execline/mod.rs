//! The commands of the execline language (contract execline).
//!
//! A command takes the words at the front, changes one thing and goes on with the rest. What they have in
//! common is here: blocks, children, and how a chain goes on.

pub mod backtick;
pub mod beside;
pub mod branches;
pub mod case;
pub mod condition;
pub mod descriptors;
pub mod directory;
pub mod elgetopt;
pub mod eltest;
pub mod emptyenv;
pub mod envfile;
pub mod environment;
pub mod execlineb;
pub mod export_array;
pub mod facts;
pub mod forstdin;
pub mod forx;
pub mod heredoc;
pub mod homeof;
pub mod leaving;
pub mod loopwhilex;
pub mod mask;
pub mod multisubstitute;
pub mod positionals;
pub mod redirfd;
pub mod substitute;
pub mod trap;
pub mod tryexec;
pub mod wait;

mod arguments;
mod blocks;
mod children;
mod crew;
mod directive;

use crate::{Exec, Exit, Failure, Invocation, Opt, flag};
use s6x_core::error::shown;
use s6x_core::execline::TooLong;
use s6x_core::execline::substitution::{self, Keys, Table};
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
    Ok(go_on(replaced(words, keys)?, environment))
}

/// The words with keys in them replaced.
fn replaced(words: &[OsString], keys: &impl Keys) -> Result<Vec<OsString>, Failure> {
    substitution::apply(words, keys).map_err(|TooLong| too_long(words))
}

/// Option -E (contract execline §0.9).
const AUTOIMPORT: Opt = flag('E', "replace the variable in the words that follow, and remove it");
/// Option -e.
const NO_AUTOIMPORT: Opt = flag('e', "leave it in the environment (default)");

/// Which of them counts.
fn autoimports(call: &Invocation) -> bool {
    call.last_of("eE") == Some('E')
}

/// The words and the environment of a chain in which a variable got a value, or was removed: with -E,
/// the value is in the words and not in the environment.
fn with_variable(
    call: &Invocation,
    name: &OsStr,
    value: Option<&OsStr>,
    words: &[OsString],
    mut environment: Environment,
) -> Result<(Vec<OsString>, Environment), Failure> {
    let Some(value) = value else {
        environment.take(name);
        return Ok((words.to_vec(), environment));
    };
    if !autoimports(call) {
        environment.put(name, value);
        return Ok((words.to_vec(), environment));
    }
    environment.take(name);
    let mut keys = Table::default();
    if keys.add(name, vec![value.to_owned()]).is_err() {
        return Err(Failure::new(111, "bad substitution key: it is empty"));
    }
    Ok((replaced(words, &keys)?, environment))
}

/// Goes on with a variable that got a value, or was removed.
fn go_on_with(
    call: &Invocation,
    name: &OsStr,
    value: Option<&OsStr>,
    words: &[OsString],
    environment: Environment,
) -> Result<Exit, Failure> {
    let (words, environment) = with_variable(call, name, value, words, environment)?;
    Ok(go_on(words, environment))
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
fn filled_variable(name: &OsStr) -> Result<&OsStr, Failure> {
    if name.is_empty() {
        return Err(Failure::new(100, "invalid variable name: it is empty"));
    }
    variable(name)
}
