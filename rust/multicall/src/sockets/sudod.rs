//! s6-sudod: the server's end of one connection. The exchange is in the core, `run::sudo`.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::sudo::{Served, Service, serve};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// s6-sudod.
pub static APPLET: Applet = Applet {
    name: "s6-sudod",
    section: Section::Sockets,
    about: "Run a program with our rights for an s6-sudoc that is connected to standard input",
    options: &[
        flag('0', "its standard input is /dev/null, not the client's"),
        flag('1', "its standard output is /dev/null, not the client's"),
        flag('2', "its standard error is ours, not the client's"),
        flag('d', "all three, and it goes on when the client has gone"),
        value('t', "timeout", "the client must ask within that many milliseconds (0: ever)"),
    ],
    arguments: "[ args... ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "the program has ended"),
        ("1", "the client has gone; the program was told to end"),
        ("100", "wrong usage, or what the client says is no request"),
        ("111", "the program cannot be run, or a system call failed"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let words = call.rest.iter().map(|word| CString::new(word.as_bytes()));
    let words: Result<Vec<CString>, _> = words.collect();
    let outlives = call.has('d');
    let service = Service {
        words: words.map_err(|_| Failure::usage("a word holds a NUL"))?,
        environment: &call.environment,
        spared: ['0', '1', '2'].map(|letter| outlives || call.has(letter)),
        outlives,
        deadline: call.deadline('t')?,
    };
    Ok(match serve(&service)? {
        Served::Ended => Exit::SUCCESS,
        Served::Left => Exit::Code(1),
    })
}
