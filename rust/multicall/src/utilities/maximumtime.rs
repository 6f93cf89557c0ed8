//! s6-maximumtime: a program that may take only so long.

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::{clock, poll, signals};
use s6x_core::wire::signal::Signal;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use std::ffi::{CString, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

const OPTIONS: &[Opt] = &[
    flag('0', "when the time is over, send nothing"),
    flag('a', "send SIGALRM"),
    flag('b', "send SIGABRT"),
    flag('i', "send SIGINT"),
    flag('k', "send SIGKILL"),
    flag('q', "send SIGQUIT"),
    flag('t', "send SIGTERM (default)"),
    flag('x', "send SIGXCPU"),
    flag('1', "send SIGUSR1"),
    flag('2', "send SIGUSR2"),
];

/// s6-maximumtime.
pub static APPLET: Applet = Applet {
    name: "s6-maximumtime",
    section: Section::Utilities,
    about: "Run a program, and send it a signal when its time is over",
    options: OPTIONS,
    arguments: "milliseconds prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the program's own exit code"),
        ("99", "the time is over; the program may still run"),
        ("111", "a signal ended the program, or it cannot be run"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let word = call.argument(0, "number of milliseconds")?;
    let wrong = || Failure::usage(format!("{} is no number of milliseconds", quoted(word)));
    let limit = number(word).ok_or_else(wrong)?;
    let program = call.argument(1, "program")?;
    let words = call.rest.get(1..).unwrap_or(&[]);
    let argv = words.iter().map(|word: &OsString| CString::new(word.as_bytes()));
    let argv: Vec<CString> =
        argv.collect::<Result<_, _>>().map_err(|_| Failure::usage("a word holds a NUL"))?;
    let (paths, env) = (call.environment.candidates(program), call.environment.to_c());
    signals::notice_children();
    let (_, child) = Launch::plain(&paths, &argv, &env)
        .spawn_held()
        .map_err(|errno| Error::on("spawn", Path::new(program), errno))?;
    let deadline =
        (limit != 0).then(|| clock::monotonic() + Duration::from_millis(u64::from(limit)));
    let ended = poll::readable(&[child.as_fd()], deadline)
        .map_err(|errno| Error::system("wait for the program", errno))?;
    if ended == [true] {
        let gone = || Failure::new(111, "unable to wait for the program: somebody else has");
        return match child.reap().map(WaitStatus::ending).ok_or_else(gone)? {
            Ending::Exited(code) => Ok(Exit::Code(code)),
            Ending::Killed(signal) => {
                Err(Failure::new(111, format!("child process crashed: {signal} ended it")))
            }
        };
    }
    if let Some(signal) = signal(call) {
        let _ = child.kill(signal); // it may have ended just now
    }
    Err(Failure::new(99, "unable to wait for child process: its time is over"))
}

/// What the program gets when its time is over; the last option counts.
fn signal(call: &Invocation) -> Option<Signal> {
    match call.options.last().map(|(letter, _)| *letter) {
        Some('0') => None,
        Some('a') => Some(Signal::SIGALRM),
        Some('b') => Some(Signal::SIGABRT),
        Some('i') => Some(Signal::SIGINT),
        Some('k') => Some(Signal::SIGKILL),
        Some('q') => Some(Signal::SIGQUIT),
        Some('x') => Some(Signal::SIGXCPU),
        Some('1') => Some(Signal::SIGUSR1),
        Some('2') => Some(Signal::SIGUSR2),
        Some(_) | None => Some(Signal::SIGTERM),
    }
}
