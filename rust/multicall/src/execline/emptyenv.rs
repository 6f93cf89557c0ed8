//! emptyenv: a program without variables, or without those of execline.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::execline::frame;
use s6x_core::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// emptyenv.
pub static APPLET: Applet = Applet {
    name: "emptyenv",
    section: Section::Execline,
    about: "Run a program without variables, or without those that execline has set",
    options: &[
        flag('p', "keep PATH").long("keep-path"),
        flag('l', "keep LD_LIBRARY_PATH").long("keep-ld-library-path"),
        flag('c', "only remove what execline uses itself").long("cleanup"),
        flag('o', "only take back what elgetopt has set").long("pop-elgetopt"),
        flag('P', "only take back the positional parameters").long("pop-execline"),
    ],
    arguments: "prog...",
    syntax: Syntax::Long,
    exit_codes: super::CHAIN_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let own = &call.environment;
    let environment = if call.has('c') {
        only(own, |name| !is_execlines(name))
    } else if call.has('o') || call.has('P') {
        popped(call)?
    } else {
        let mut kept = Environment::default();
        for (letter, name) in [('p', "PATH"), ('l', "LD_LIBRARY_PATH")] {
            if let Some(value) = own.lookup(name).filter(|_| call.has(letter)) {
                kept.put(name, value);
            }
        }
        kept
    };
    Ok(call.chain(&call.rest, environment))
}

/// The variables that pass, and the entries that are none.
fn only(environment: &Environment, keep: impl Fn(&[u8]) -> bool) -> Environment {
    let passes = |entry: &&OsStr| {
        let bytes = entry.as_bytes();
        let equals = bytes.iter().position(|&byte| byte == b'=');
        equals.and_then(|at| bytes.get(..at)).is_none_or(&keep)
    };
    Environment::new(environment.entries().filter(passes).map(OsStr::to_owned))
}

fn is_execlines(name: &[u8]) -> bool {
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    matches!(name, b"!" | b"?" | b"#" | b"EXECLINE_STRICT")
        || name.starts_with(b"ELGETOPT_")
        || is_number(name)
        || name.strip_prefix(b"FD").is_some_and(is_number)
}

fn popped(call: &Invocation) -> Result<Environment, Failure> {
    let mut prefixes = Vec::new();
    if call.has('P') {
        prefixes.extend(frame::POSITIONALS);
    }
    if call.has('o') {
        prefixes.push("ELGETOPT_");
    }
    let failed = |_| {
        let why = "an entry of it is no variable";
        Failure::new(111, format!("unable to pop current execline environment: {why}"))
    };
    frame::pop(&call.environment, &prefixes).map_err(failed)
}
