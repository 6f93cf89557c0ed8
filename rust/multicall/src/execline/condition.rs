//! foreground, if: a block, and then the rest.

use super::blocks::Blocks;
use super::{CHAIN_CODES, children, go_on};
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// foreground.
pub static FOREGROUND: Applet = Applet {
    name: "foreground",
    section: Section::Execline,
    about: "Run a block to its end, then a program; ? is how the block ended",
    options: &[],
    arguments: "{ block } prog...",
    syntax: Syntax::Raw,
    exit_codes: CHAIN_CODES,
    run: foreground,
};

/// if.
pub static IF: Applet = Applet {
    name: "if",
    section: Section::Execline,
    about: "Run a program if a block succeeds",
    options: &[
        flag('n', "if it fails"),
        flag('X', "being killed by a signal is a failure like others"),
        flag('t', "else exit 0, rather than with the block's code"),
        value('x', "code", "else exit with this code"),
    ],
    arguments: "{ block } prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the block's code if it fails (-n: 1 if it succeeds)"),
        ("128+N", "signal N killed the block"),
        ("111", "the block cannot be run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run: only_if,
};

fn foreground(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let block = blocks.need("unterminated block")?;
    let status = in_front(call, &block)?;
    let mut environment = call.environment.clone();
    environment.put("?", status.to_string());
    Ok(go_on(blocks.rest().to_vec(), environment))
}

/// Runs a block to its end and returns what `?` is to be. A block that cannot be run is only worth a
/// warning.
pub(super) fn in_front(call: &Invocation, block: &[std::ffi::OsString]) -> Result<u16, Failure> {
    if block.is_empty() {
        return Ok(0);
    }
    match crate::chain::Beside::plain(block, &call.environment).start(call) {
        Ok(pid) => children::wait(pid).map(s6x_core::wire::wait_status::WaitStatus::raw),
        Err(errno) => {
            call.warning(children::not_started(block, errno));
            Ok(if errno == Errno::NOT_FOUND { 127 } else { 126 })
        }
    }
}

fn only_if(call: &Invocation) -> Result<Exit, Failure> {
    let otherwise = match call.last_of("tx") {
        Some('t') => Some(0),
        Some(_) => call.value('x').map(exit_code).transpose()?,
        None => None,
    };
    let mut blocks = Blocks::of(call, &call.rest);
    let block = blocks.need("unterminated block")?;
    let code = children::test(call, &block, call.has('X'))?;
    match (code, call.has('n')) {
        (0, false) | (1.., true) => Ok(go_on(blocks.rest().to_vec(), call.environment.clone())),
        (0, true) => Ok(Exit::Code(otherwise.unwrap_or(1))),
        (code, false) => Ok(Exit::Code(otherwise.unwrap_or(code))),
    }
}

/// The number that a word begins with (contract execline §0.7, loose decimal).
fn exit_code(word: &OsStr) -> Result<u8, Failure> {
    let bytes = word.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = bytes.get(..digits).and_then(|digits| str::from_utf8(digits).ok());
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let message = format!("option -x: {} is not a number", quoted(word));
        return Err(Failure::usage(message));
    };
    let invalid = || Failure::new(100, format!("invalid exit code {text}: it is above 255"));
    text.parse().map_err(|_| invalid())
}
