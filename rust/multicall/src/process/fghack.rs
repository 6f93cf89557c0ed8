//! s6-fghack: stays in the foreground for a daemon that does not.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::wait::wait_for;
use s6x_core::sys::{fd, signals};
use s6x_core::wire::wait_status::WaitStatus;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many descriptors the program gets: daemons close those that they find, but rarely so many.
const COPIES: usize = 31;

/// s6-fghack.
pub static APPLET: Applet = Applet {
    name: "s6-fghack",
    section: Section::Process,
    about: "Run a program, and wait for it and for all that it left in the background",
    options: &[],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the program's own exit code, or 128 and the signal that killed it"),
        ("102", "the program has written to the descriptors that show us what it left running"),
        ("111", "the program cannot be run, or a system call failed"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let program = call.argument(0, "program")?;
    let argv = call.rest.iter().map(|word| CString::new(word.as_bytes()));
    let argv: Vec<CString> =
        argv.collect::<Result<_, _>>().map_err(|_| Failure::usage("a word holds a NUL"))?;
    let (paths, env) = (call.environment.candidates(program), call.environment.to_c());
    let (reader, copies) = pipe().map_err(|errno| Error::system("make a pipe", errno))?;
    signals::notice_children();
    let child = Launch::plain(&paths, &argv, &env)
        .spawn()
        .map_err(|errno| Error::on("exec", Path::new(program), errno))?;
    drop(copies);
    match fd::read(&reader, &mut [0]) {
        Ok(0) => {}
        Ok(_) => {
            let message = format!(
                "{} has written to a descriptor that it does not know; s6-fghack cannot tell \
                 whether it still runs",
                shown(Path::new(program))
            );
            return Err(Failure::new(102, message));
        }
        Err(errno) => return Err(Error::system("read from the pipe", errno).into()),
    }
    let gone = || Failure::new(111, "unable to wait for the program: somebody else has");
    wait_for(child).map(WaitStatus::shell_code).map(Exit::Code).ok_or_else(gone)
}

/// A pipe of which many writing ends go to the program.
fn pipe() -> Result<(OwnedFd, Vec<OwnedFd>), Errno> {
    let (reader, writer) = fd::pipe()?;
    let mut copies = vec![writer];
    while let (true, Some(first)) = (copies.len() < COPIES, copies.first()) {
        let copy = fd::duplicate(first, 3)?;
        copies.push(copy);
    }
    for copy in &copies {
        fd::keep_across_exec(copy)?;
    }
    Ok((reader, copies))
}
