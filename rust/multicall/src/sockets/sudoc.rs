//! s6-sudoc: the client's end of a connection to s6-sudod. The exchange is in the core, `run::sudo`.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::run::sudo::ask;
use s6x_core::sys::{clock, fd};
use s6x_core::wire::sudo::Request;
use s6x_core::wire::wait_status::WaitStatus;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// s6-sudoc.
pub static APPLET: Applet = Applet {
    name: "s6-sudoc",
    section: Section::Sockets,
    about: "Have a program run by the s6-sudod that is connected to descriptors 6 and 7",
    options: &[
        flag('e', "send no environment"),
        value(
            't',
            "timeoutconn",
            "wait at most that many milliseconds for the start (0: for ever)",
        ),
        value('T', "timeoutrun", "wait at most that many milliseconds for the end (0: for ever)"),
    ],
    arguments: "[ args... ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the program's own, 128 if that is more, or 128 and the signal that killed it"),
        ("100", "wrong usage, or the server is no s6-sudod"),
        ("111", "the program was not started, or how it ended cannot be learned"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let started_by = call.deadline('t')?;
    let limit = call.number('T')?.filter(|&ms| ms != 0);
    let ended_by = || limit.map(|ms| clock::monotonic() + Duration::from_millis(ms.into()));
    // Taken before anything is opened that could get one of their numbers.
    let connection = |number: i32| {
        let unusable = move |errno| Error::system(format!("use descriptor {number}"), errno);
        fd::take_inherited(number).map_err(unusable)
    };
    let (reads, writes) = (connection(6)?, connection(7)?);
    let words = call.rest.iter().map(|word| CString::new(word.as_bytes()));
    let words: Result<Vec<CString>, _> = words.collect();
    let variables =
        if call.has('e') { Vec::new() } else { Request::variables_of(&call.environment) };
    let words = words.map_err(|_| Failure::usage("a word holds a NUL"))?;
    let status = ask(reads, writes, &Request { words, variables }, started_by, ended_by)?;
    Ok(Exit::Code(WaitStatus::folded(status)))
}
