//! ifelse, ifte, ifthenelse: one of two ways, by how a child ends.

use super::blocks::Blocks;
use super::condition::in_front;
use super::{CHAIN_CODES, children, go_on};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::execline::block;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// What the exit codes of these commands mean.
const CODES: &[(&str, &str)] = &[
    ("128+N", "signal N killed the child that decides"),
    ("111", "that child cannot be run"),
    CHAIN_CODES[0],
    CHAIN_CODES[1],
];

/// ifelse.
pub static IFELSE: Applet = Applet {
    name: "ifelse",
    section: Section::Execline,
    about: "Become one program if a block succeeds, else another",
    options: &[
        flag('n', "if it fails"),
        flag('X', "being killed by a signal is a failure like others"),
    ],
    arguments: "{ block } { then... } else...",
    syntax: Syntax::Posix,
    exit_codes: CODES,
    run: ifelse,
};

/// ifte.
pub static IFTE: Applet = Applet {
    name: "ifte",
    about: "Run a program, and become another one if it succeeds, else a third",
    arguments: "{ then... } { else... } prog...",
    run: ifte,
    ..IFELSE
};

/// ifthenelse.
pub static IFTHENELSE: Applet = Applet {
    name: "ifthenelse",
    about: "Run one block or another, by how a first one ends, then a program",
    options: &[
        flag('X', "being killed by a signal is a failure like others"),
        flag('s', "become the chosen block, with the program behind it"),
    ],
    arguments: "{ block } { then... } { else... } prog...",
    run: ifthenelse,
    ..IFELSE
};

fn ifelse(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let test = blocks.need("unterminated if block")?;
    let then = following(&mut blocks, "then")?;
    let code = children::test(call, &test, call.has('X'))?;
    let chosen = if (code == 0) == call.has('n') { blocks.rest().to_vec() } else { then };
    Ok(go_on(chosen, call.environment.clone()))
}

fn ifte(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let then = blocks.need("unterminated then block")?;
    let otherwise = following(&mut blocks, "else")?;
    let Some(program) = blocks.rest().first() else {
        return Err(Failure::new(100, "empty command-if"));
    };
    let tested = children::test(call, blocks.rest(), call.has('X'));
    let code = tested.map_err(|failure| hinted(failure, program))?;
    let chosen = if (code == 0) == call.has('n') { otherwise } else { then };
    Ok(go_on(chosen, call.environment.clone()))
}

/// A program whose name begins with a space is most likely a block.
pub(super) fn hinted(failure: Failure, program: &OsString) -> Failure {
    if failure.code != 111 || block::bare(program).as_bytes() == program.as_bytes() {
        return failure;
    }
    let message = format!("{} (its name begins with a space: is it a block?)", failure.message);
    Failure { message, ..failure }
}

fn ifthenelse(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let test = blocks.need("unterminated if block")?;
    let then = following(&mut blocks, "then")?;
    let otherwise = blocks.need("unterminated else block")?;
    let code = children::test(call, &test, call.has('X'))?;
    let mut chosen = if code == 0 { then } else { otherwise };
    let mut environment = call.environment.clone();
    if call.has('s') {
        chosen.extend_from_slice(blocks.rest());
        return Ok(go_on(chosen, environment));
    }
    environment.put("?", in_front(call, &chosen)?.to_string());
    Ok(go_on(blocks.rest().to_vec(), environment))
}

/// A block behind another one, where there may be nothing at all.
fn following(blocks: &mut Blocks<'_>, which: &str) -> Result<Vec<OsString>, Failure> {
    if blocks.rest().is_empty() {
        return Err(Failure::new(100, format!("{which} block required")));
    }
    blocks.need(&format!("unterminated {which} block"))
}
