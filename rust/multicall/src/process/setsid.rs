//! s6-setsid: a session or process group of its own for a program.

use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::{fd, process, signals};
use s6x_core::wire::signal::Signal;
use std::os::fd::OwnedFd;

/// Options of s6 2.15 that have no letter.
const PROCESS_GROUP: char = '\u{1}';
const FOREGROUND: char = '\u{2}';
const GRAB: char = '\u{3}';

const OPTIONS: &[Opt] = &[
    flag('s', "a new session (default)").long("session"),
    flag('b', "a new process group, in the background").long("background-process-group"),
    flag('f', "a new process group, in the terminal's foreground").long("foreground-process-group"),
    flag('g', "the same, and take the terminal without asking")
        .long("foreground-process-group-grab"),
    flag(PROCESS_GROUP, "a new process group").long("process-group"),
    flag(FOREGROUND, "with a process group: in the terminal's foreground").long("foreground"),
    flag(GRAB, "with --foreground: take the terminal without asking").long("grab"),
    flag('i', "fail if that cannot be done").long("strict"),
    flag('I', "warn if that cannot be done (default)").long("no-strict"),
    flag('q', "if that cannot be done, keep quiet about it").long("quiet"),
    value('d', "fd", "the terminal (descriptor 0 if it is one, else /dev/tty)").long("ctty"),
];

/// s6-setsid.
pub static APPLET: Applet = Applet {
    name: "s6-setsid",
    section: Section::Process,
    about: "Run a program in a session or process group of its own",
    options: OPTIONS,
    arguments: "prog...",
    syntax: Syntax::Long,
    exit_codes: &[
        ("111", "with -i: it cannot be done"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

/// What to make.
#[derive(Debug, Default)]
struct Wanted {
    group: bool,
    foreground: bool,
    grab: bool,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let terminal = call.number('d')?;
    call.argument(0, "program")?;
    let wanted = wanted(call);
    if wanted.group {
        accept(call, process::new_process_group(), "start a process group")?;
        if wanted.foreground {
            accept(call, take_foreground(terminal, wanted.grab), "take the terminal's foreground")?;
        }
    } else {
        accept(call, process::new_session(), "start a session")?;
    }
    Ok(call.chain(&call.rest, call.environment.clone()))
}

fn wanted(call: &Invocation) -> Wanted {
    let mut wanted = Wanted::default();
    for (letter, _) in &call.options {
        match *letter {
            's' => wanted = Wanted::default(),
            'b' => wanted = Wanted { group: true, ..Wanted::default() },
            'f' => wanted = Wanted { group: true, foreground: true, grab: false },
            'g' => wanted = Wanted { group: true, foreground: true, grab: true },
            PROCESS_GROUP => wanted.group = true,
            FOREGROUND => wanted.foreground = true,
            GRAB => wanted.grab = true,
            _ => {} // about failures, and the terminal
        }
    }
    wanted
}

/// A failure is fatal, worth a warning, or nothing.
fn accept(call: &Invocation, result: Result<(), Errno>, what: &str) -> Result<(), Failure> {
    let Err(errno) = result else { return Ok(()) };
    let error = Error::system(what, errno);
    match call.last_of("iIq") {
        Some('i') => return Err(error.into()),
        Some('q') => {}
        Some(_) | None => call.warning(error.to_string()),
    }
    Ok(())
}

fn take_foreground(terminal: Option<u32>, grab: bool) -> Result<(), Errno> {
    let terminal = self::terminal(terminal)?;
    if grab {
        // Who is in the background gets SIGTTOU for it, and stops.
        return signals::holding_back(Signal::SIGTTOU, || process::take_foreground(&terminal));
    }
    process::take_foreground(&terminal)
}

fn terminal(number: Option<u32>) -> Result<OwnedFd, Errno> {
    match number {
        Some(number) => fd::duplicate_number(i32::try_from(number).unwrap_or(-1)),
        None if fd::is_terminal(fd::standard(0)) => fd::duplicate(fd::standard(0), 3),
        None => open("/dev/tty", Open::Read),
    }
}
