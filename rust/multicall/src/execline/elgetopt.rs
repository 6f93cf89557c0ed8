//! elgetopt: a script's own options, taken from its positional parameters.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::execline::frame::{self, Frame, Parameters};
use s6x_core::execline::getopt::{self, Mistake};
use s6x_core::sys::fd;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

/// elgetopt.
pub static APPLET: Applet = Applet {
    name: "elgetopt",
    section: Section::Execline,
    about: "Take the options from a script's positional parameters, and run a program",
    options: &[value('D', "default", "the value of options without argument (1)")],
    arguments: "optstring prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the script was given an option that optstring does not list, or no argument to one"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

/// With what the names of the variables begin.
const PREFIX: &str = "ELGETOPT_";

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let known = call.argument(0, "optstring")?;
    call.argument(1, "program")?;
    let frame = Frame::of(&call.environment).map_err(|name| missing(call, &name))?;
    let found = match getopt::find(known, &frame.words) {
        Ok(found) => found,
        Err(mistake) => {
            // In the script's name, for who called it.
            let what = match mistake {
                Mistake::Illegal => "illegal option",
                Mistake::NoArgument => "option requires an argument",
            };
            fd::complain(&format!("{}: {what}\n", frame.zero.to_string_lossy()));
            return Ok(Exit::Code(1));
        }
    };
    let failed = |_| Failure::new(111, "unable to update environment: an entry is no variable");
    let mut environment = frame::push(&call.environment, &[PREFIX]).map_err(failed)?;
    let default = call.value('D').unwrap_or(OsStr::new("1"));
    environment.put_all(found.options.into_iter().map(|(letter, argument)| {
        let name = OsString::from_vec([PREFIX.as_bytes(), &[letter]].concat());
        (name, argument.unwrap_or_else(|| default.to_owned()))
    }));
    let taken = u32::try_from(found.taken).unwrap_or(u32::MAX);
    if let Some(parameters) = Parameters::of(&call.environment) {
        environment = parameters.shifted(&environment, taken);
    }
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

/// What a frame lacks; messages as the original's.
fn missing(call: &Invocation, name: &str) -> Failure {
    if call.environment.lookup(name).is_some() {
        return Failure::new(100, format!("invalid ${name}"));
    }
    Failure::new(100, format!("{name} not set"))
}
