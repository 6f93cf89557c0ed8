//! with-retries: a program again and again until it succeeds (contract s6-overlay §6).

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::{Syntax, value};
use s6x_core::Error;
use s6x_core::error::shown;
use s6x_core::sys::signals::SignalFd;
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::wait::Pid;
use s6x_core::sys::{clock, poll, wait};
use s6x_core::wire::signal::Signal;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// with-retries.
pub static APPLET: Applet = Applet {
    name: "with-retries",
    section: Section::Overlay,
    about: "Run a program until it succeeds, a limited number of times",
    options: &[
        value('n', "N", "at most N times (3)"),
        value('t', "MS", "each time at most MS milliseconds, then SIGTERM (500; 0: no limit)"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "it never succeeded")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let times = call.number('n')?.unwrap_or(3);
    let limit = Duration::from_millis(call.number('t')?.unwrap_or(500).into());
    let program = call.argument(0, "program")?;
    let argv = call.rest.iter().map(|word| CString::new(word.as_bytes()));
    let argv: Vec<CString> =
        argv.collect::<Result<_, _>>().map_err(|_| Failure::usage("a word holds a NUL"))?;
    let (paths, env) = (call.environment.candidates(program), call.environment.to_c());
    let signals =
        SignalFd::new(&[Signal::SIGCHLD]).map_err(|errno| Error::system("watch signals", errno))?;
    for _ in 0..times {
        match Launch::plain(&paths, &argv, &env).spawn() {
            Ok(pid) => {
                let limit = (!limit.is_zero()).then_some(limit);
                if let Some(Ending::Exited(0)) =
                    wait_for(pid, limit, &signals).map(WaitStatus::ending)
                {
                    return Ok(Exit::SUCCESS);
                }
            }
            Err(errno) => {
                let what = format!("unable to exec {}: {errno}", shown(Path::new(program)));
                call.warning(what);
            }
        }
    }
    Ok(Exit::Code(1))
}

/// Waits for its end; SIGTERM when the limit has passed, SIGKILL when it has passed again.
fn wait_for(pid: Pid, limit: Option<Duration>, signals: &SignalFd) -> Option<WaitStatus> {
    let mut deadline = limit.map(|limit| clock::monotonic() + limit);
    let mut next = Signal::SIGTERM;
    loop {
        if let Some(how) = wait::reap(pid) {
            return Some(how);
        }
        let _ = poll::readable(&[signals.as_fd()], deadline);
        while signals.take().is_some() {}
        if deadline.is_some_and(|deadline| deadline <= clock::monotonic()) {
            let _ = pid.kill(next); // our own child, not yet reaped
            let _ = pid.kill(Signal::SIGCONT);
            next = Signal::SIGKILL;
            deadline = limit.map(|limit| clock::monotonic() + limit);
        }
    }
}
