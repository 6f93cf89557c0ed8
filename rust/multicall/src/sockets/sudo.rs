//! s6-sudo: connects to a server and has it run a program.

use super::ipcclient::verbosity;
use super::ipcserver::Chain;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};

/// s6-sudo.
pub static APPLET: Applet = Applet {
    name: "s6-sudo",
    section: Section::Sockets,
    about: "Have a program run by an s6-sudod that serves a Unix socket",
    options: &[
        flag('q', "say less"),
        flag('Q', "say what goes wrong (default)"),
        flag('v', "say more: that we are connected"),
        value('p', "bindpath", "bind our own end to this path"),
        value('l', "localname", "what IPCLOCALPATH is to say"),
        flag('e', "send no environment"),
        value('t', "timeout", "wait at most that many milliseconds for the start (0: for ever)"),
        value('T', "timeoutrun", "wait at most that many milliseconds for the end (0: for ever)"),
    ],
    arguments: "path [ args... ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the program's own, 128 if that is more, or 128 and the signal that killed it"),
        ("100", "wrong usage, or what listens there is no s6-sudod"),
        ("111", "the program was not started, or how it ended cannot be learned"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut chain = Chain::default();
    chain.program("s6-ipcclient");
    match verbosity(call) {
        0 => chain.flag(true, "-q"),
        more => (1..more.min(4)).for_each(|_| chain.flag(true, "-v")),
    }
    chain.text("-p", call.value('p'));
    chain.text("-l", call.value('l'));
    chain.end_of_options();
    chain.words(&[call.argument(0, "path")?.to_owned()]);
    chain.program("s6-sudoc");
    chain.flag(call.has('e'), "-e");
    chain.value("-t", Some(call.number('t')?.unwrap_or(0)));
    chain.value("-T", Some(call.number('T')?.unwrap_or(0)));
    chain.end_of_options();
    chain.words(call.rest.get(1..).unwrap_or(&[]));
    Ok(call.chain(&chain.0, call.environment.clone()))
}
