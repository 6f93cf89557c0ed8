//! backtick: a block's output as a variable.

use super::blocks::Blocks;
use super::{CHAIN_CODES, children, filled_variable, go_on_with, too_long};
use crate::chain::Beside;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::execline::MOST_BYTES;
use s6x_core::sys::fd;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;

/// backtick.
pub static APPLET: Applet = Applet {
    name: "backtick",
    section: Section::Execline,
    about: "Set a variable to what a block writes, and run a program",
    options: &[
        flag('i', "fail if the block fails, or writes a NUL (default)"),
        flag('I', "take what it wrote, up to a NUL; ? is how it ended"),
        flag('x', "remove the variable then; ? is how it ended"),
        value('D', "default", "take this then; ? is how it ended"),
        flag('n', "without a newline at the end (default)"),
        flag('N', "with it"),
        super::AUTOIMPORT,
        super::NO_AUTOIMPORT,
    ],
    arguments: "variable { block } prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the block's code, if it failed"),
        ("111", "the block cannot be run"),
        ("124", "the block has written a NUL"),
        CHAIN_CODES[0],
        CHAIN_CODES[1],
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "variable")?;
    call.argument(1, "block")?;
    let name = filled_variable(name)?;
    let mut blocks = Blocks::of(call, call.rest.get(1..).unwrap_or(&[]));
    let block = blocks.need("unterminated block")?;
    if block.is_empty() {
        return Err(Failure::new(100, "empty block"));
    }
    if blocks.rest().is_empty() {
        let message = "the command line after the block must not be empty";
        return Err(Failure::new(100, message));
    }
    let (mut output, status) = output_of(call, &block, blocks.rest())?;
    if call.last_of("nN") != Some('N') && output.last() == Some(&b'\n') {
        output.pop();
    }
    let mut environment = call.environment.clone();
    let value = match call.last_of("iIxD") {
        Some('I') => {
            let end = output.iter().position(|&byte| byte == 0);
            output.truncate(end.unwrap_or(output.len()));
            Some(output)
        }
        Some(otherwise @ ('x' | 'D')) => match without_nul(status, output) {
            Ok(output) => Some(output),
            Err(failure) => {
                if failure.code == 124 {
                    call.warning(failure.message);
                }
                call.value('D').filter(|_| otherwise == 'D').map(|word| word.to_owned().into_vec())
            }
        },
        Some(_) | None => Some(without_nul(status, output)?),
    };
    if call.last_of("iIxD").is_some_and(|letter| letter != 'i') {
        environment.put("?", status.raw().to_string());
    }
    let value = value.map(OsString::from_vec);
    go_on_with(call, name, value.as_deref(), blocks.rest(), environment)
}

/// The output of a block that succeeded; else why that is no value.
fn without_nul(status: WaitStatus, output: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let code = status.folded();
    match status.ending() {
        Ending::Killed(_) => Err(Failure::new(code, "child process crashed")),
        Ending::Exited(1..) => Err(Failure::new(code, "child process exited non-zero")),
        Ending::Exited(0) if output.contains(&0) => {
            Err(Failure::new(124, "child process output contained a null character"))
        }
        Ending::Exited(0) => Ok(output),
    }
}

/// What a block writes, and how it ends.
fn output_of(
    call: &Invocation,
    block: &[OsString],
    rest: &[OsString],
) -> Result<(Vec<u8>, WaitStatus), Failure> {
    let (reader, writer) = fd::pipe().map_err(|errno| Error::system("make a pipe", errno))?;
    let beside = Beside {
        place: Some((writer.as_fd(), 1)),
        private: &[reader.as_fd(), writer.as_fd()],
        keeps_mask: false,
        ..Beside::plain(block, &call.environment)
    };
    let started = beside.start(call);
    let pid = started.map_err(|errno| Failure::new(111, children::not_started(block, errno)))?;
    drop(writer);
    let output = fd::read_up_to(&reader, MOST_BYTES)
        .map_err(|errno| Error::system("read what the block writes", errno))?;
    if output.len() == MOST_BYTES {
        return Err(too_long(rest));
    }
    drop(reader);
    Ok((output, children::wait(pid)?))
}
