//! s6-ipcserverd: the super-server itself is in the core, `run::super_server`.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::machine::connections::Limits;
use s6x_core::run::super_server::{Options, serve};
use s6x_core::sys::dir::{self, Open, open};
use s6x_core::sys::{fd, local};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// How many connections there are at most, whatever is asked for.
const MOST: u32 = 16384;
/// How many there are if nothing is asked for.
const USUAL: u32 = 40;

/// s6-ipcserverd.
pub static APPLET: Applet = Applet {
    name: "s6-ipcserverd",
    section: Section::Sockets,
    about: "Accept clients of a Unix socket, our standard input, and run a program for each",
    options: &[
        flag('1', "write a newline to standard output when clients are served"),
        flag('P', "do not ask for the ids of clients"),
        flag('p', "ask for them (default)"),
        value('v', "verbosity", "0: quiet, 1: warnings (default), 2: all clients"),
        value('c', "maxconn", "at most so many clients (40; never more than 16384)"),
        value('C', "localmaxconn", "at most so many of one user (40)"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "told to stop"),
        ("100", "wrong usage, or standard input is no socket"),
        ("111", "a system call failed, or the socket does not listen"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let total = call.number('c')?.unwrap_or(USUAL).clamp(1, MOST);
    let per_user = call.number('C')?.unwrap_or(USUAL).min(total);
    let verbosity = call.number('v')?.unwrap_or(1);
    let looks_up = call.last_of("Pp") != Some('P');
    let program = call.argument(0, "program")?;
    if program.is_empty() {
        return Err(Failure::usage("the program is an empty word"));
    }
    let argv: Result<Vec<CString>, _> =
        call.rest.iter().map(|word| CString::new(word.as_bytes())).collect();
    let argv = argv.map_err(|_| Failure::usage("a word holds a NUL"))?;

    let failed = |errno| Error::system("use standard input", errno);
    let socket = fd::used_standard(0).map_err(failed)?;
    if !dir::stat(socket).map_err(failed)?.is_socket() {
        return Err(Failure::new(100, "standard input is no socket"));
    }
    if !local::listens(socket).map_err(failed)? {
        return Err(Failure::new(111, "standard input is a socket that does not listen"));
    }
    let announces = call.has('1');
    if announces && fd::was_closed(1) {
        return Err(Failure::new(100, "option -1: standard output is closed"));
    }
    if !announces {
        leave_stdout().map_err(|errno| Error::on("open", "/dev/null", errno))?;
    }
    let options = Options {
        limits: Limits { total, per_user: if looks_up { per_user } else { total } },
        looks_up,
        verbosity,
        argv: &argv,
        paths: &call.environment.candidates(program),
        ready: if announces { announce } else { || {} },
    };
    serve(socket, &options, call.environment.clone())?;
    Ok(Exit::SUCCESS)
}

/// Says that clients are served, to whoever waits for it.
fn announce() {
    let _ = fd::write_all(fd::standard(1), b"\n"); // nobody waits any more
    let _ = leave_stdout(); // the reader gets no end-of-file, but has its line
}

/// Leaves standard output to whoever else holds it.
fn leave_stdout() -> Result<(), Errno> {
    fd::place(open("/dev/null", Open::ReadWrite)?, 1)
}
