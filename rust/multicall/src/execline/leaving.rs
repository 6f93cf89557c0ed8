//! exec, exit: how a chain ends.

use super::CHAIN_CODES;
use crate::invocation::number;
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::wire::environment::Environment;
use std::ffi::OsString;

/// exec.
pub static EXEC: Applet = Applet {
    name: "exec",
    section: Section::Execline,
    about: "Run a program under another name, or without environment",
    options: &[
        flag('c', "with an empty environment"),
        flag('l', "with - in front of its name, as a login shell"),
        value('a', "name", "with this name"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: CHAIN_CODES,
    run: exec,
};

/// exit.
pub static EXIT: Applet = Applet {
    name: "exit",
    section: Section::Execline,
    about: "Exit with a code",
    options: &[],
    arguments: "[ code ]",
    syntax: Syntax::Raw,
    exit_codes: &[("N", "the code, less what does not fit into 8 bits (0)")],
    run: exit,
};

fn exec(call: &Invocation) -> Result<Exit, Failure> {
    let program = call.argument(0, "program")?;
    let mut name: Option<OsString> = call.value('a').map(OsString::from);
    if call.has('l') {
        let mut login = OsString::from("-");
        login.push(name.as_deref().unwrap_or(program));
        name = Some(login);
    }
    let environment = if call.has('c') { Environment::default() } else { call.environment.clone() };
    Ok(Exit::Exec(Exec { argv0: name, ..Exec::new(call.rest.clone(), environment) }))
}

fn exit(call: &Invocation) -> Result<Exit, Failure> {
    let code = call.rest.first().map(|word| number(word).filter(|_| !word.is_empty()));
    let wrong = || Failure::usage("the exit code is not a number");
    Ok(Exit::Code(code.unwrap_or(Some(0)).ok_or_else(wrong)? as u8))
}
