//! s6-nice: a program that lets others go first.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::sys::process;

/// s6-nice.
pub static APPLET: Applet = Applet {
    name: "s6-nice",
    section: Section::Utilities,
    about: "Run a program with another nice value",
    options: &[
        flag('I', "warn if that cannot be done (default)"),
        flag('i', "fail if that cannot be done"),
        value('n', "value", "how much nicer (10)"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "with -i: it cannot be done"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let increment = match call.value('n') {
        None => 10,
        Some(word) => {
            let wrong = || Failure::usage(format!("option -n: {} is not a number", quoted(word)));
            word.to_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?
        }
    };
    call.argument(0, "program")?;
    if let Err(errno) = process::renice(increment) {
        let error = Error::system(format!("nice by {increment}"), errno);
        if call.last_of("iI") == Some('i') {
            return Err(error.into());
        }
        call.warning(error.to_string());
    }
    Ok(call.chain(&call.rest, call.environment.clone()))
}
