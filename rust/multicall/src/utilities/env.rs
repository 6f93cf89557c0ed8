//! s6-env and s6-printenv: the environment, changed for a program or printed.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// s6-env.
pub static ENV: Applet = Applet {
    name: "s6-env",
    section: Section::Utilities,
    about: "Run a program with variables set, or print the environment",
    options: &[flag('i', "begin with an empty environment")],
    arguments: "[ name=value... ] [ prog... ]",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run: env,
};

/// s6-printenv.
pub static PRINTENV: Applet = Applet {
    name: "s6-printenv",
    section: Section::Utilities,
    about: "Print the environment",
    options: &[
        flag('n', "nothing behind the last variable"),
        flag('0', "a NUL behind each variable, instead of a newline"),
        value('d', "delim", "this byte behind each variable (empty: netstrings)"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: printenv,
};

fn env(call: &Invocation) -> Result<Exit, Failure> {
    let mut environment =
        if call.has('i') { Environment::default() } else { call.environment.clone() };
    let mut rest = call.rest.as_slice();
    while let Some((name, value)) = rest.first().and_then(|word| assignment(word)) {
        environment.set(name, value);
        rest = rest.get(1..).unwrap_or(&[]);
    }
    if rest.is_empty() {
        call.print(listed(&environment, Some(b'\n'), true))?;
        return Ok(Exit::SUCCESS);
    }
    Ok(call.chain(rest, environment))
}

/// `name=value`, at the first equals sign.
fn assignment(word: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = word.as_bytes();
    let equals = bytes.iter().position(|&byte| byte == b'=')?;
    let (name, value) = (bytes.get(..equals)?, bytes.get(equals + 1..)?);
    Some((OsStr::from_bytes(name), OsStr::from_bytes(value)))
}

fn printenv(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let delimiter = match call.value('d') {
        _ if call.has('0') => Some(0),
        Some(word) => word.as_bytes().first().copied(),
        None => Some(b'\n'),
    };
    call.print(listed(&call.environment, delimiter, !call.has('n')))?;
    Ok(Exit::SUCCESS)
}

/// The variables with the delimiter behind each, or as netstrings if there is none.
fn listed(environment: &Environment, delimiter: Option<u8>, ended: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for entry in environment.entries().map(OsStr::as_bytes) {
        if let Some(delimiter) = delimiter {
            text.extend_from_slice(entry);
            text.push(delimiter);
        } else {
            text.extend_from_slice(format!("{}:", entry.len()).as_bytes());
            text.extend_from_slice(entry);
            text.push(b',');
        }
    }
    if delimiter.is_some() && !ended {
        text.pop();
    }
    text
}
