//! s6-envdir: an environment from a directory, one file for each variable.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::model::envdir::{Manner, Reading, merge};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the originals take of a file unless told otherwise.
const MOST: usize = 4095;

/// s6-envdir.
pub static APPLET: Applet = Applet {
    name: "s6-envdir",
    section: Section::Process,
    about: "Run a program with the variables that a directory holds, one in each file",
    options: &[
        flag('i', "the directory must be there (default)"),
        flag('I', "it need not be"),
        flag('f', "a value is its whole file, not the first line; a newline at its end is cut"),
        flag('n', "cut nothing from the end of a value"),
        flag('L', "values may be longer than 4095 bytes"),
        value('c', "char", "what a NUL in a file means (a newline)"),
    ],
    arguments: "dir prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "a variable cannot be read; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let manner = Manner {
        whole: call.has('f'),
        uncut: call.has('n'),
        most: (!call.has('L')).then_some(MOST),
        nul: stand_in(call)?,
    };
    let directory = Path::new(call.argument(0, "directory")?);
    call.argument(1, "program")?;
    let mut environment = call.environment.clone();
    let mut first = None;
    let mut complain = |error: Error| first = first.take().or(Some(error));
    match merge(directory, Reading::AsTold(manner), &mut environment, &mut complain) {
        Err(error) if may_be_absent(call) && error.errno() == Some(Errno::NOT_FOUND) => {}
        Err(error) => return Err(error.into()),
        Ok(()) => {}
    }
    match first {
        // Half an environment is worse than none.
        Some(error) => Err(Failure::new(111, error.to_string())),
        None => Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment)),
    }
}

fn may_be_absent(call: &Invocation) -> bool {
    call.last_of("iI") == Some('I')
}

/// What a NUL becomes.
fn stand_in(call: &Invocation) -> Result<u8, Failure> {
    let Some(word) = call.value('c') else { return Ok(b'\n') };
    let first = word.as_bytes().first().copied();
    first.ok_or_else(|| Failure::usage("option -c needs a character, which a NUL then becomes"))
}
