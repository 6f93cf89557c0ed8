//! s6-connlimit: turns a client away that has too many connections already.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use std::ffi::{OsStr, OsString};

/// s6-connlimit.
pub static APPLET: Applet = Applet {
    name: "s6-connlimit",
    section: Section::Sockets,
    about: "Run a program for a client, unless ${PROTO}CONNNUM is above ${PROTO}CONNMAX",
    options: &[],
    arguments: "prog...",
    syntax: Syntax::Raw,
    exit_codes: &[
        ("1", "the client has too many connections"),
        ("100", "$PROTO is not set or empty, or one of the numbers is none"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let set = |name: &OsStr| {
        let missing = || Failure::new(100, format!("${} is not set", name.display()));
        call.environment.lookup(name).ok_or_else(missing)
    };
    let proto = set(OsStr::new("PROTO"))?;
    if proto.is_empty() {
        return Err(Failure::new(100, "$PROTO is empty"));
    }
    let variable = |suffix: &str| {
        let mut name = OsString::from(proto);
        name.push(suffix);
        name
    };
    let value = |name: &OsStr, text: &OsStr| {
        let wrong = || Failure::new(100, format!("${} is not a number", name.display()));
        number(text).ok_or_else(wrong)
    };
    let (now, most) = (variable("CONNNUM"), variable("CONNMAX"));
    let count = value(&now, set(&now)?)?;
    if let Some(text) = call.environment.lookup(&most) {
        let limit = value(&most, text)?;
        if count > limit {
            let message = format!("this client has {count} connections, and may have {limit}");
            return Err(Failure::new(1, message));
        }
    }
    if call.rest.is_empty() {
        return Ok(Exit::SUCCESS); // nothing more to be done, as after any test
    }
    Ok(call.chain(&call.rest, call.environment.clone()))
}
