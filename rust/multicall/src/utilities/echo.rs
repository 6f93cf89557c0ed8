//! s6-echo: prints its arguments.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use std::os::unix::ffi::OsStrExt;

/// s6-echo.
pub static APPLET: Applet = Applet {
    name: "s6-echo",
    section: Section::Utilities,
    about: "Print the arguments in a line, as they are",
    options: &[
        flag('n', "no newline at the end"),
        value('s', "sep", "what stands between two arguments, one byte (empty: NUL); a blank else"),
    ],
    arguments: "args...",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let separator = call.value('s').map(|word| word.as_bytes().first().copied().unwrap_or(0));
    let words: Vec<&[u8]> = call.rest.iter().map(|word| word.as_bytes()).collect();
    let mut line = words.join(&separator.unwrap_or(b' '));
    if !call.has('n') {
        line.push(b'\n');
    }
    call.print(line)?;
    Ok(Exit::SUCCESS)
}
