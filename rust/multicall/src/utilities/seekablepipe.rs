//! seekablepipe: standard input as a file, for programs that go back and forth in it.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::dir::{Open, open, unlink};
use s6x_core::sys::fd;
use std::os::fd::AsFd;
use std::path::Path;

/// seekablepipe.
pub static APPLET: Applet = Applet {
    name: "seekablepipe",
    section: Section::Utilities,
    about: "Copy all of stdin to a temporary file, and run a program that reads it from there",
    options: &[],
    arguments: "tempfile prog...",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "temporary file")?;
    call.argument(1, "program")?;
    let failed = |verb: &'static str| move |errno| Error::on(verb, Path::new(name), errno);
    let writer = open(name, Open::Replace(0o666)).map_err(failed("create"))?;
    let reader = open(name, Open::Read).map_err(failed("open"))?;
    unlink(name).map_err(failed("remove"))?;
    copy(fd::standard(0), &writer)?;
    fd::place(&reader, 0).map_err(|errno| Error::system("put the file on descriptor 0", errno))?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

fn copy(from: impl AsFd, to: impl AsFd) -> Result<(), Failure> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = fd::read(&from, &mut buffer)
            .map_err(|errno| Error::system("read from stdin", errno))?;
        if got == 0 {
            return Ok(());
        }
        fd::write_all(&to, buffer.get(..got).unwrap_or(&[]))
            .map_err(|errno| Error::system("write to the temporary file", errno))?;
    }
}
