//! s6-svc: tells supervisors what to do.

use super::waiting::{self, Waiting};
use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::machine::wait::{Enough, Goal};
use s6x_core::run::control;
use s6x_core::sys::signals;
use s6x_core::wire::control::Control;
use s6x_core::wire::signal::Signal;
use std::ffi::OsStr;
use std::path::PathBuf;

/// s6-svc.
pub static APPLET: Applet = Applet {
    name: "s6-svc",
    section: Section::Supervision,
    about: "Control supervised services: send them signals, bring them up or down",
    options: OPTIONS,
    arguments: "servicedir...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1..98", "how many services failed for good or lost their supervisor while waited for"),
        ("99", "timed out"),
        ("100", "wrong usage, or no supervisor listens"),
    ],
    run,
};

/// Its options.
pub(crate) const OPTIONS: &[Opt] = &[
    flag('a', "SIGALRM to the service"),
    flag('b', "SIGABRT"),
    flag('q', "SIGQUIT"),
    flag('h', "SIGHUP"),
    flag('k', "SIGKILL"),
    flag('t', "SIGTERM"),
    flag('i', "SIGINT"),
    flag('1', "SIGUSR1"),
    flag('2', "SIGUSR2"),
    flag('p', "pause: SIGSTOP"),
    flag('c', "continue: SIGCONT"),
    flag('y', "SIGWINCH"),
    flag('r', "restart: its down-signal, and it is started again if wanted up"),
    flag('l', "reload: its reload-signal"),
    flag('P', "pause its process group"),
    flag('C', "continue its process group"),
    flag('K', "kill its process group"),
    flag('o', "up once: start it, do not restart it"),
    flag('d', "down: its down-signal, then SIGCONT"),
    flag('u', "up: start it, restart it whenever it dies"),
    flag('D', "down, and down when supervision starts again"),
    flag('U', "up, and up when supervision starts again"),
    flag('x', "the supervisor exits when the service is down"),
    flag('O', "once at most: do not restart it"),
    flag('Q', "do not restart it, and keep it down when supervision starts again"),
    value('s', "signal", "this signal, by name or number, if one of the letters sends it"),
    value('w', "uUdDrR", "wait until up, down, restarted; a capital letter: and ready"),
    value('T', "timeout", "wait at most that many milliseconds"),
];

/// No more letters than this: the originals' limit.
const MOST: usize = 62;

pub(crate) fn run(call: &Invocation) -> Result<Exit, Failure> {
    let controls = controls(call)?;
    let goal = call.value('w').map(goal).transpose()?;
    call.argument(0, "servicedir")?;
    if call.rest.iter().any(|word| word.is_empty()) {
        return Err(Failure::new(100, "invalid service path: it is empty"));
    }
    let services: Vec<PathBuf> =
        call.rest.iter().map(|word| call.service(word)).collect::<Result<_, _>>()?;
    let deadline = waiting::deadline(call, 'T')?;
    let Some(goal) = goal else { return send(call, &services, &controls) };
    let goal = possible(call, goal, services.first())?;
    let waiting = Waiting::on(&services, goal, Enough::All)?;
    if !controls.is_empty() {
        send(call, &services, &controls)?;
    }
    waiting.finish(deadline)
}

/// The control letters, in the order of the command line.
fn controls(call: &Invocation) -> Result<Vec<Control>, Failure> {
    let mut controls = Vec::new();
    for (letter, value) in &call.options {
        match (letter, value) {
            ('s', Some(name)) => controls.push(signal(name)?),
            ('w' | 'T', _) => {}
            (letter, _) => controls.extend(Control::from_letter(*letter as u8)),
        }
    }
    if controls.len() > MOST {
        return Err(Failure::new(100, format!("too many commands: at most {MOST}")));
    }
    Ok(controls)
}

/// `-s`: the letter for a signal.
fn signal(name: &OsStr) -> Result<Control, Failure> {
    let text = name.to_string_lossy();
    let Some(signal) = Signal::parse(&text) else {
        return Err(Failure::new(100, format!("{text:?} is not a signal")));
    };
    let none = || Failure::new(100, format!("supervisors do not send {signal}: it has no letter"));
    Control::of_signal(signal).ok_or_else(none)
}

/// `-w`: the state to wait for. What follows its first letter is ignored, as in the originals.
fn goal(state: &OsStr) -> Result<Goal, Failure> {
    let text = state.to_string_lossy();
    let goal = text.chars().next().and_then(Goal::from_letter);
    goal.ok_or_else(|| Failure::usage(format!("option -w: {text:?} is not one of u U d D r R")))
}

/// Without `notification-fd`, a service that is up never becomes ready.
fn possible(call: &Invocation, goal: Goal, first: Option<&PathBuf>) -> Result<Goal, Failure> {
    let Some(file) = first.map(|service| service.join("notification-fd")) else { return Ok(goal) };
    let failed = |error| Error::on("look at", &file, Errno::of(&error));
    if goal.without_ready() == goal || !goal.is_up() || file.try_exists().map_err(failed)? {
        return Ok(goal);
    }
    call.warning(format!("no {}: not waiting for readiness", shown(&file)));
    Ok(goal.without_ready())
}

/// Tells all of them, whatever happens with some; the last failure is the one to end with.
fn send(call: &Invocation, services: &[PathBuf], controls: &[Control]) -> Result<Exit, Failure> {
    signals::survive_broken_pipes();
    let mut failure: Option<Failure> = None;
    for service in services {
        let Err(error) = control::service(service, controls) else { continue };
        let earlier = failure.replace(Failure::new(error.exit_code(), error.to_string()));
        if let Some(earlier) = earlier {
            call.warning(earlier.message);
        }
    }
    failure.map_or(Ok(Exit::SUCCESS), Err)
}
