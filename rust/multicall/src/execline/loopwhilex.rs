//! loopwhilex: a program again and again.

use super::branches::hinted;
use super::children;
use super::crew::{self, Ending};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::execline::codes::Codes;

/// loopwhilex.
pub static APPLET: Applet = Applet {
    name: "loopwhilex",
    section: Section::Execline,
    about: "Run a program again and again, as long as it succeeds",
    options: &[
        flag('n', "as long as it fails; with -o or -x: until it does what they say"),
        value('o', "codes", "as long as it exits with one of these codes"),
        value('x', "codes", "as long as it does not exit with one of these codes"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: crew::CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let ending = match Ending::of(call)? {
        Ending::Never => Ending::Unless(Codes::success()),
        given @ (Ending::At(_) | Ending::Unless(_)) => given,
    };
    let program = call.argument(0, "program")?.to_owned();
    loop {
        let pid = children::start(call, &call.rest, &call.environment)
            .map_err(|failure| hinted(failure, &program))?;
        let code = children::wait(pid)?.folded();
        if ending.is_at(code) != call.has('n') {
            return Ok(Exit::Code(code));
        }
    }
}
