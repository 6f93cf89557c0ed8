//! envfile: variables from a file.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::execline::MOST_BYTES;
use s6x_core::execline::envfile::{Mistake, Reader};
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::{fd, numbered};
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// envfile.
pub static APPLET: Applet = Applet {
    name: "envfile",
    section: Section::Execline,
    about: "Run a program with the variables that the lines of a file set",
    options: &[flag('i', "the file must be there (default)"), flag('I', "it need not be")],
    arguments: "file prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "a line of the file is none"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

type Variables = Vec<(OsString, OsString)>;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let file = call.argument(0, "file")?;
    call.argument(1, "program")?;
    let variables = if file == "-" { from_standard_input() } else { from(call, Path::new(file)) }?;
    let mut environment = call.environment.clone();
    environment.put_all(variables);
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

fn from(call: &Invocation, path: &Path) -> Result<Variables, Failure> {
    match open(path, Open::Read) {
        Ok(file) => variables(file.as_fd(), &shown(path)),
        Err(Errno::NOT_FOUND) if call.last_of("iI") == Some('I') => Ok(Variables::new()),
        Err(errno) => Err(Error::on("open", path, errno).into()),
    }
}

/// What has read standard input to its end leaves it closed, as the original does.
fn from_standard_input() -> Result<Variables, Failure> {
    let variables = variables(fd::standard(0), "standard input")?;
    numbered::close(0);
    Ok(variables)
}

fn variables(file: BorrowedFd<'_>, name: &str) -> Result<Variables, Failure> {
    let syntax = |Mistake { line }| Failure::new(1, format!("in {name}: syntax error line {line}"));
    let failed = |errno| Failure::from(Error::system(format!("read from {name}"), errno));
    let mut reader = Reader::default();
    let mut buffer = [0; 4096];
    loop {
        let got = fd::read(file, &mut buffer).map_err(failed)?;
        let read = buffer.get(..got).unwrap_or(&[]);
        if got == 0 || !reader.read(read).map_err(syntax)? {
            return reader.finish().map_err(syntax);
        }
        if reader.size() > MOST_BYTES {
            return Err(failed(Errno::TOO_LONG));
        }
    }
}
