//! s6-notifyoncheck: for services that cannot report readiness but can be asked.

use super::notification::{aside, readiness, report};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::shown;
use s6x_core::run::fifodir::Subscription;
use s6x_core::run::observe;
use s6x_core::sys::signals::SignalFd;
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::wait::{self, Pid};
use s6x_core::sys::{clock, fd, poll};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::notice::Notice;
use s6x_core::wire::signal::Signal;
use s6x_core::wire::wait_status::WaitStatus;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// s6-notifyoncheck.
pub static APPLET: Applet = Applet {
    name: "s6-notifyoncheck",
    section: Section::Notification,
    about: "Become a service, and report readiness for it when a check succeeds",
    options: &[
        flag('d', "check from an orphan rather than from a child of the service")
            .long("doublefork"),
        value('3', "fd", "report to this descriptor (that of ./notification-fd)")
            .long("notification-fd"),
        value('s', "ms", "wait that long before the first check (10)").long("initial-sleep"),
        value('T', "ms", "give up after that long (0: never)").long("global-timeout"),
        value('t', "ms", "a check that takes longer has failed (0: none does)")
            .long("local-timeout"),
        value('w', "ms", "wait that long between two checks (1000)").long("waiting-time"),
        value('n', "tries", "give up after so many checks (7; 0: never)").long("tries"),
        value('c', "words", "check by this execline command instead of ./data/check")
            .long("check-program"),
    ],
    arguments: "prog...",
    syntax: Syntax::Long,
    exit_codes: &[
        ("100", "wrong usage, or this is not the directory of a supervised service"),
        ("126", "prog cannot be executed"),
        ("127", "prog is not there"),
    ],
    run,
};

// How the checking process ends; nobody sees it.
const TRIED_ENOUGH: u8 = 1;
const SERVICE_DIED: u8 = 2;
const TIMED_OUT: u8 = 3;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let ms = |letter, default: u32| -> Result<Duration, Failure> {
        Ok(Duration::from_millis(call.number(letter)?.unwrap_or(default).into()))
    };
    let plan = Plan {
        first: ms('s', 10)?,
        between: ms('w', 1000)?,
        limit: Some(ms('t', 0)?).filter(|limit| !limit.is_zero()),
        tries: Some(call.number('n')?.unwrap_or(7)).filter(|&tries| tries != 0),
        deadline: call.deadline('T')?,
    };
    if !observe::is_supervised(Path::new("."))? {
        let how = "start this in the run script of a service, before it changes its directory";
        return Err(Failure::new(
            100,
            format!("no supervisor is running on the working directory; {how}"),
        ));
    }
    let readiness = readiness(call, '3')?;
    let check: Vec<OsString> = match call.value('c') {
        Some(words) => vec!["execlineb".into(), "-Pc".into(), words.to_owned()],
        None => vec!["./data/check".into()],
    };
    let (listening, speaker) = fd::pipe().map_err(|errno| Error::system("make a pipe", errno))?;

    let shared = (listening, speaker, readiness);
    let (listening, speaker, readiness) =
        aside(call, call.has('d'), shared, |(listening, speaker, readiness)| {
            drop(listening);
            let checker = Checker::new(call, &check)?;
            let _ = fd::write(&speaker, b"s"); // if nobody hears it, the service will not start
            drop(speaker);
            checker.work(plan, &readiness)
        })?;
    drop((speaker, readiness));
    await_word(&listening)?;
    Ok(call.chain(&call.rest, call.environment.clone()))
}

/// The service must not start, and perhaps die, before its events are listened to.
fn await_word(listening: &OwnedFd) -> Result<(), Failure> {
    match fd::read(listening, &mut [0]) {
        Ok(1..) => Ok(()),
        Ok(0) => Err(Failure::new(111, "the checking process could not start")),
        Err(errno) => Err(Error::system("wait for the checking process", errno).into()),
    }
}

/// When to check, and how often.
#[derive(Clone, Copy)]
struct Plan {
    first: Duration,
    between: Duration,
    limit: Option<Duration>,
    tries: Option<u32>,
    deadline: Option<Monotonic>,
}

/// What ends a wait.
enum News {
    ServiceDied,
    Checked(WaitStatus),
    TimeIsUp,
}

/// The checking process.
struct Checker<'a> {
    call: &'a Invocation,
    program: String,
    paths: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
    events: Subscription,
    signals: SignalFd,
}

impl Checker<'_> {
    fn new<'a>(call: &'a Invocation, check: &[OsString]) -> Result<Checker<'a>, Failure> {
        let argv: Result<_, _> = check.iter().map(|word| CString::new(word.as_bytes())).collect();
        let program = check.first().map(OsString::as_os_str).unwrap_or_default();
        Ok(Checker {
            call,
            program: shown(Path::new(program)),
            paths: call.environment.candidates(program),
            argv: argv.map_err(|_| Failure::usage("option -c: a NUL inside"))?,
            env: call.environment.to_c(),
            events: Subscription::to("event")?,
            signals: SignalFd::new(&[Signal::SIGCHLD])
                .map_err(|errno| Error::system("listen to signals", errno))?,
        })
    }

    /// Checks until there is nothing more to find out.
    fn work(&self, plan: Plan, readiness: &OwnedFd) -> Result<u8, Failure> {
        let mut pause = plan.first;
        let mut tries = 0;
        while plan.tries.is_none_or(|most| tries < most) {
            tries = tries.saturating_add(1);
            let news = self.wait(Some(clock::monotonic() + pause), plan.deadline, None)?;
            if let Some(code) = over(&news, plan.deadline) {
                return Ok(code);
            }
            pause = plan.between;
            let news = self.check(plan)?;
            if let News::Checked(status) = news
                && status == WaitStatus::exited(0)
            {
                return report(readiness);
            }
            if let Some(code) = over(&news, plan.deadline) {
                return Ok(code);
            }
        }
        Ok(TRIED_ENOUGH)
    }

    /// Checks once. A check that cannot be started has failed, one that takes too long too.
    fn check(&self, plan: Plan) -> Result<News, Failure> {
        let check = match Launch::plain(&self.paths, &self.argv, &self.env).spawn() {
            Ok(check) => check,
            Err(errno) => {
                self.call.warning(format!("unable to spawn {}: {errno}", self.program));
                return Ok(News::TimeIsUp);
            }
        };
        let due = plan.limit.map(|limit| clock::monotonic() + limit);
        let news = self.wait(due, plan.deadline, Some(check))?;
        match news {
            News::Checked(_) => {}
            News::ServiceDied | News::TimeIsUp => {
                let _ = check.kill(Signal::SIGTERM); // it may have ended just now
            }
        }
        Ok(news)
    }

    /// Waits for the earlier of two times, for the service's death, or for the end of a check.
    fn wait(
        &self,
        due: Option<Monotonic>,
        deadline: Option<Monotonic>,
        check: Option<Pid>,
    ) -> Result<News, Failure> {
        let earliest = [due, deadline].into_iter().flatten().min();
        loop {
            let fds = [self.events.as_fd(), self.signals.as_fd()];
            let ready = poll::readable(&fds, earliest)
                .map_err(|errno| Error::system("wait for events", errno))?;
            if self.events.take().contains(&Notice::Down.letter()) {
                return Ok(News::ServiceDied);
            }
            while self.signals.take().is_some() {}
            while let Some((pid, status)) = wait::next_dead() {
                if Some(pid) == check {
                    return Ok(News::Checked(status));
                }
            }
            if !ready.contains(&true) {
                return Ok(News::TimeIsUp);
            }
        }
    }
}

/// The code to end with, if this news is the last.
fn over(news: &News, deadline: Option<Monotonic>) -> Option<u8> {
    match news {
        News::ServiceDied => Some(SERVICE_DIED),
        News::TimeIsUp => {
            let late = deadline.is_some_and(|deadline| deadline <= clock::monotonic());
            late.then_some(TIMED_OUT)
        }
        News::Checked(_) => None,
    }
}
