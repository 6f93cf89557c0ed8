//! s6x-multicall: one executable, many names.
//!
//! [`table`] lists the applets. Each is data (name, options, texts) and a function from an
//! [`Invocation`] to how it ends; parser, usage and help come from the data, and [`main`] is the only
//! place that reports failures, execs, and gives the exit code.

mod chain;
mod filter;
mod front;
mod interrupts;
mod maker;

pub mod applet;
pub mod execline;
pub mod exit;
pub mod fdholding;
pub mod instances;
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

use chain::Link;
use s6x_core::sys::fd;
use s6x_core::sys::process::executed_path;
use s6x_core::sys::title::Title;
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Runs the applet that these words name, the first being what we were called by, and returns the
/// exit code. If that is no applet's name, because whoever executed us gave another one, the path counts
/// that was executed; and if that is none either, because an image renamed a link (`mv /init /s6-init`), the
/// names count that the link leads by.
pub fn main(words: &[OsString], environment: Environment, title: Option<Title>) -> u8 {
    exit::report_panics();
    let word = words.first().map_or(OsStr::new("s6x"), |word| word);
    let called = basename(word);
    let rest = words.get(1..).unwrap_or(&[]);
    let named = |name: &OsStr| name.to_str().and_then(table::named);
    if let Some(applet) = named(called) {
        return run(applet, word, rest, environment, title, false);
    }
    if called.as_bytes().starts_with(b"s6x") {
        return front(rest, environment, title);
    }
    // What a script's first line names is the first word then; the executed path is the script's.
    let interpreter = word.as_bytes().contains(&b'/').then(|| word.to_owned());
    let mut paths = interpreter.into_iter().chain(executed_path());
    if let Some(applet) = paths.find_map(|path| led_by(Path::new(&path), named)) {
        return run(applet, word, rest, environment, title, false);
    }
    fd::complain(&front::no_applet(called));
    100
}

/// The applet whose name is the path's own, or that of a link on its way to the executable.
fn led_by(
    path: &Path,
    named: impl Fn(&OsStr) -> Option<&'static Applet>,
) -> Option<&'static Applet> {
    const LINKS: usize = 8;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Some(applet) = named(basename(path.as_os_str())) {
            return Some(applet);
        }
        path = path.parent()?.join(path.read_link().ok()?);
    }
    None
}

/// Runs one applet to its end, and what it becomes.
fn run(
    applet: &'static Applet,
    called: &OsStr,
    words: &[OsString],
    environment: Environment,
    title: Option<Title>,
    as_word: bool,
) -> u8 {
    let (called, words) = (called.to_owned(), words.to_vec());
    chain::run(Link { applet, called, words, environment, title, as_word })
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
                return run(applet, word, rest, environment, title, true);
            }
            let failure = exit::exec(&front::python(words, &environment), &environment);
            fd::complain(&front::no_python(word, &failure));
            return failure.code;
        }
    };
    invocation::show("s6x", &text)
}
