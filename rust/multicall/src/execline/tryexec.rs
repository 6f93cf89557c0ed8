//! tryexec: one program, or another one if the first cannot be executed.

use super::blocks::Blocks;
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax, chain, exit, flag, value};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};

/// tryexec.
pub static APPLET: Applet = Applet {
    name: "tryexec",
    section: Section::Execline,
    about: "Become the program in the block, or if that is impossible, the other one",
    options: &[
        flag('n', "the other one first, and that in the block if it is impossible"),
        flag('c', "without variables, the first one"),
        flag('l', "as a login shell, the first one: its argv[0] begins with -"),
        value('a', "argv0", "under this name, the first one"),
    ],
    arguments: "{ command... } prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("126", "neither program can be executed"),
        ("127", "there is no such program as the second one"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let block = blocks.filled("unterminated block")?;
    let rest = blocks.rest().to_vec();
    let (first, second) = if call.has('n') { (rest, block) } else { (block, rest) };
    let Some(program) = first.first() else {
        return Err(Failure::new(100, "empty remainder not allowed with -n"));
    };
    let environment = if call.has('c') { Environment::default() } else { call.environment.clone() };
    let argv0 = (call.has('a') || call.has('l')).then(|| argv0(call, program));
    let attempt = Exec { argv0, ..Exec::new(first, environment) };
    // One of ours can always be executed.
    if chain::is_own(&attempt.places(&call.environment)) {
        return Ok(Exit::Exec(attempt));
    }
    // Why it failed is nobody's business: there is the other one.
    let _ = exit::exec(&attempt, &call.environment);
    if second.is_empty() {
        return Ok(Exit::SUCCESS);
    }
    Ok(call.chain(&second, call.environment.clone()))
}

/// What the first program is called by.
fn argv0(call: &Invocation, program: &OsStr) -> OsString {
    let mut name = OsString::from(if call.has('l') { "-" } else { "" });
    name.push(call.value('a').unwrap_or(program));
    name
}
