//! with-contenv, with-contenv-legacy, printcontenv: the container's environment, for scripts that see
//! only what the tree sees (contract s6-overlay §6).
//!
//! Values are exact, of any length, empty ones included, in every generation; the originals of v1 cut them
//! at 4095 bytes and lost the empty ones. Only the program that is called *legacy* still does.

use crate::applet::{Applet, Section};
use crate::exit::{Exec, Exit, Failure};
use crate::invocation::Invocation;
use crate::options::Syntax;
use s6x_core::error::{Errno, shown};
use s6x_core::model::envdir::{self, Reading};
use s6x_core::model::runtime;
use s6x_core::wire::environment::Environment;
use s6x_core::wire::plan::decimal;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Below the runtime directory.
const DIRECTORY: &str = "container_environment";
/// How many bytes of a value v1 kept.
const LEGACY_MOST: usize = 4095;

const EXIT_CODES: &[(&str, &str)] =
    &[("126", "the program cannot be executed"), ("127", "there is no such program")];

/// with-contenv.
pub static WITH_CONTENV: Applet = Applet {
    name: "with-contenv",
    section: Section::Overlay,
    about: "Run a program with the container's environment",
    options: &[],
    arguments: "prog...",
    syntax: Syntax::Raw,
    exit_codes: EXIT_CODES,
    run: |call| with(call, false),
};

/// with-contenv-legacy.
pub static WITH_CONTENV_LEGACY: Applet = Applet {
    name: "with-contenv-legacy",
    about: "Run a program with the container's environment as v1 had it: short values, none empty",
    run: |call| with(call, true),
    ..WITH_CONTENV
};

/// printcontenv.
pub static PRINTCONTENV: Applet = Applet {
    name: "printcontenv",
    section: Section::Overlay,
    about: "Print a variable of the container's environment",
    options: &[],
    arguments: "name",
    syntax: Syntax::Raw,
    exit_codes: &[
        ("1", "there is no such variable, or none was named"),
        ("100", "there is no such variable, and the tree keeps the environment (S6_KEEP_ENV)"),
    ],
    run: print,
};

fn with(call: &Invocation, legacy: bool) -> Result<Exit, Failure> {
    let program = call.argument(0, "program")?.to_owned();
    let environment = if keeps_environment(&call.environment) {
        call.environment.clone()
    } else if legacy {
        as_in_v1(&read(call)?)
    } else {
        read(call)?
    };
    let candidates = environment.candidates(&program);
    Ok(Exit::Exec(Exec { argv: call.rest.clone(), environment, candidates, argv0: None }))
}

fn as_in_v1(environment: &Environment) -> Environment {
    let kept = environment.variables().filter(|(_, value)| !value.is_empty());
    let cut = |value: &OsStr| {
        let bytes = value.as_bytes();
        OsStr::from_bytes(bytes.get(..LEGACY_MOST).unwrap_or(bytes)).to_owned()
    };
    kept.map(|(name, value)| (name.to_owned(), cut(value))).collect()
}

fn print(call: &Invocation) -> Result<Exit, Failure> {
    let Some(name) = call.rest.first() else { return Ok(Exit::Code(1)) };
    let (environment, end, missing) = if keeps_environment(&call.environment) {
        (call.environment.clone(), "", 100)
    } else {
        (read(call)?, "\n", 1)
    };
    match environment.lookup(name) {
        Some(value) => {
            // One that was written with its newline is not printed with two, as in v2.
            let value = value.as_bytes();
            let value = value.strip_suffix(end.as_bytes()).unwrap_or(value);
            call.print([value, end.as_bytes()].concat())?;
            Ok(Exit::SUCCESS)
        }
        None => Ok(Exit::Code(missing)),
    }
}

/// A variable of the container; where there are no files, of our own environment.
pub(super) fn lookup(call: &Invocation, name: &str) -> Option<OsString> {
    let own = || call.environment.clone();
    let found = if keeps_environment(&call.environment) { None } else { read(call).ok() };
    found.unwrap_or_else(own).lookup(name).map(OsStr::to_owned)
}

/// With `S6_KEEP_ENV`, everything sees the container's environment already.
fn keeps_environment(environment: &Environment) -> bool {
    let value = environment.filled("S6_KEEP_ENV").unwrap_or(OsStr::new("0")).as_bytes();
    decimal(value) != Some(0)
}

/// What is in the files now: scripts may have changed them.
fn read(call: &Invocation) -> Result<Environment, Failure> {
    let places = || runtime::places(&call.environment).map(|run| run.join(DIRECTORY));
    for place in places() {
        let mut environment = Environment::default();
        let mut complain = |error: s6x_core::Error| call.warning(error.to_string());
        match envdir::merge(&place, Reading::Exact, &mut environment, &mut complain) {
            Ok(()) => return Ok(environment),
            Err(error) if error.errno() == Some(Errno::NOT_FOUND) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let looked: Vec<String> = places().map(|place| shown(&place)).collect();
    Err(Failure::new(
        111,
        format!(
            "there is no environment of a container at {}; $S6X_RUN can name another runtime \
             directory",
            looked.join(" or ")
        ),
    ))
}
