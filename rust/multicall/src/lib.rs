//! s6x-multicall: one executable, many names.
//!
//! [`table`] lists the applets. Each is data (name, options, texts) and a function from an
//! [`Invocation`] to how it ends; parser, usage and help come from the data, and [`main`] is the only
//! place that reports failures, execs, and gives the exit code.

mod block;
mod filter;
mod front;
mod interrupts;

pub mod applet;
pub mod exit;
pub mod invocation;
pub mod logging;
pub mod options;
pub mod overlay;
pub mod process;
pub mod sockets;
pub mod supervision;
pub mod table;
pub mod utilities;

pub use applet::{Applet, Section};
pub use exit::{Exec, Exit, Failure};
pub use invocation::Invocation;
pub use options::{Opt, Syntax, flag, value};

use s6x_core::sys::title::Title;
use s6x_core::sys::{fd, signals};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Runs the applet that these words name, the first being what we were called by, and returns the
/// exit code.
pub fn main(words: &[OsString], environment: Environment, title: Option<Title>) -> u8 {
    exit::report_panics();
    let _ = fd::cover_standard(); // without /dev/null there is nothing better to put there
    let called = words.first().map_or(OsStr::new("s6x"), |word| basename(word));
    let rest = words.get(1..).unwrap_or(&[]);
    match called.to_str().and_then(table::named) {
        Some(applet) => run(applet, rest, environment, title, false),
        None if called.as_bytes().starts_with(b"s6x") => front(rest, environment, title),
        None => {
            fd::complain(&front::no_applet(called));
            100
        }
    }
}

/// What we were called by: `-sh` and `/bin/sh` are `sh`.
fn basename(word: &OsStr) -> &OsStr {
    let bytes = word.as_bytes();
    let name = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or(bytes);
    OsStr::from_bytes(name.strip_prefix(b"-").unwrap_or(name))
}

/// `s6x WORD ...`, also for executables named `s6x-1.0` and the like.
fn front(words: &[OsString], environment: Environment, title: Option<Title>) -> u8 {
    let Some((word, rest)) = words.split_first() else {
        fd::complain(&front::help());
        return 100;
    };
    let text = match word.to_str() {
        Some("--list-applets") => front::list(),
        Some("--version") => front::version(),
        Some("--help" | "-h") => front::help(),
        Some(_) | None => {
            if let Some(applet) = front::applet(word) {
                return run(applet, rest, environment, title, true);
            }
            let failure = exit::exec(&front::python(words, &environment), &environment);
            fd::complain(&front::no_python(word, &failure));
            return failure.code;
        }
    };
    show("s6x", &text)
}

/// Prints a text that was asked for, and returns the exit code.
fn show(name: &str, text: &str) -> u8 {
    match fd::write_all(fd::standard(1), text.as_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            fd::complain(&format!("{name}: fatal: unable to write to stdout: {errno}\n"));
            111
        }
    }
}

/// Runs one applet to its end.
fn run(
    applet: &'static Applet,
    words: &[OsString],
    environment: Environment,
    title: Option<Title>,
    as_word: bool,
) -> u8 {
    let asked_for_help = words.first().is_some_and(|word| word == "--help");
    if asked_for_help && applet.syntax != Syntax::Raw {
        return show(applet.name, &applet.help());
    }
    let parsed = match options::parse(applet.syntax, applet.options, words) {
        Ok(parsed) => parsed,
        Err(message) => return invocation::report(applet, &Failure::usage(message)),
    };
    let (options, rest) = (parsed.options, parsed.rest);
    let call = Invocation { applet, options, rest, environment, title, as_word };
    match (applet.run)(&call) {
        Ok(Exit::Code(code)) => code,
        Ok(Exit::Killed(signal)) => signals::die_of(signal),
        Ok(Exit::Exec(wanted)) => call.failed(&exit::exec(&wanted, &call.environment)),
        Ok(Exit::ExecUnder(wanted, limits)) => {
            call.failed(&exit::exec_under(&wanted, &call.environment, &limits))
        }
        Err(failure) => call.failed(&failure),
    }
}
