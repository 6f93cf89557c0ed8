//! Running the planner, once, before anything else: a child with a deadline.
//!
//! It writes the plan to a file in memory: there may be no place on disk. Whatever it does instead (it crashes,
//! hangs, finds errors, writes nonsense) is an answer, too: PID 1 reports it and ends, and so does whatever
//! the planner started.

use super::left;
use crate::error::{Errno, Error};
use crate::sys::signals::SignalFd;
use crate::sys::spawn::Launch;
use crate::sys::wait::Pid;
use crate::sys::{clock, fd, poll, wait};
use crate::wire::environment::Environment;
use crate::wire::plan::{self, Plan};
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::time::Duration;

/// A plan is a few kilobytes.
const PLAN_MOST: usize = 16 * 1024 * 1024;
/// Signals that mean: stop. The plan, which could say so, is not there yet.
const ENDING: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP];
/// The descriptor that the planner writes to, as a number and as a word.
const OUTPUT: (RawFd, &CStr) = (3, c"3");

/// How to run the planner.
#[derive(Debug)]
pub struct Planner {
    /// Interpreters by absolute path, tried in turn.
    pub interpreters: Vec<CString>,
    /// The words behind the interpreter; `--output-fd N` is added.
    pub words: Vec<CString>,
    /// Words by which the interpreter succeeds if it has the planner at all.
    pub probe: Vec<CString>,
    /// The container's environment.
    pub environment: Environment,
    /// How long it may take.
    pub limit: Duration,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unplanned {
    /// There is no interpreter.
    NoInterpreter,
    /// The interpreter does not have the planner.
    NoPackage,
    /// It ended with this code, and said why on stderr.
    Failed(u8),
    /// A signal killed it.
    Killed(Signal),
    /// It took too long.
    TimedOut(Duration),
    /// Somebody wanted the container to stop.
    Stopped,
    /// What it wrote cannot be read, or it could not be run at all.
    Broken(Error),
}

impl Unplanned {
    /// The exit code of the container.
    pub fn exit_code(&self) -> u8 {
        match self {
            Unplanned::Stopped => 0,
            Unplanned::Failed(code) => *code,
            Unplanned::NoInterpreter
            | Unplanned::NoPackage
            | Unplanned::Killed(_)
            | Unplanned::TimedOut(_)
            | Unplanned::Broken(_) => 111,
        }
    }
}

impl fmt::Display for Unplanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unplanned::NoInterpreter => {
                f.write_str("there is no python3 (S6X_PYTHON can name one) to run the planner")
            }
            Unplanned::NoPackage => f.write_str("its python3 does not have the package s6x"),
            Unplanned::Failed(code) => write!(f, "the planner found this image wrong ({code})"),
            Unplanned::Killed(signal) => write!(f, "the planner was killed by {signal}"),
            Unplanned::TimedOut(limit) => {
                write!(f, "the planner was killed because it took more than {limit:?}")
            }
            Unplanned::Stopped => f.write_str("stopped before there was a plan"),
            Unplanned::Broken(error) => write!(f, "{error}"),
        }
    }
}

impl Planner {
    /// Runs it and reads what it wrote. `signals`: those of init; one that ends it, ends this. Where that
    /// fails nothing that the planner started is left.
    pub fn plan(&self, signals: &SignalFd) -> Result<Plan, Unplanned> {
        super::adopt_orphans().map_err(Unplanned::Broken)?;
        self.read(signals).inspect_err(|_| left::end_everything())
    }

    fn read(&self, signals: &SignalFd) -> Result<Plan, Unplanned> {
        let broken = |errno| Unplanned::Broken(Error::system("keep a plan in memory", errno));
        let output = fd::memory_file().map_err(broken)?;
        let words = self.words.iter().cloned();
        let words: Vec<CString> =
            words.chain([c"--output-fd".to_owned(), OUTPUT.1.to_owned()]).collect();
        match self.run(&words, &[(output.as_fd(), OUTPUT.0)], signals)?.ending() {
            Ending::Exited(0) => {
                let bytes = fd::rewind(&output).and_then(|()| fd::read_up_to(&output, PLAN_MOST));
                let bytes = bytes.map_err(broken)?;
                if bytes.is_empty() {
                    let why = "the planner succeeded, and wrote none";
                    return Err(Unplanned::Broken(Error::malformed("read the plan", why)));
                }
                plan::decode(&bytes).map_err(Unplanned::Broken)
            }
            Ending::Killed(signal) => Err(Unplanned::Killed(signal)),
            Ending::Exited(code) => match self.run(&self.probe, &[], signals)?.ending() {
                Ending::Exited(0) => Err(Unplanned::Failed(code)),
                Ending::Exited(_) | Ending::Killed(_) => Err(Unplanned::NoPackage),
            },
        }
    }

    fn run(
        &self,
        words: &[CString],
        places: &[(BorrowedFd<'_>, RawFd)],
        signals: &SignalFd,
    ) -> Result<WaitStatus, Unplanned> {
        let pid = self.start(words, places)?;
        self.wait(pid, signals)
    }

    fn start(
        &self,
        words: &[CString],
        places: &[(BorrowedFd<'_>, RawFd)],
    ) -> Result<Pid, Unplanned> {
        let env = self.environment.to_c();
        for interpreter in &self.interpreters {
            let argv: Vec<CString> = [std::slice::from_ref(interpreter), words].concat();
            let path = std::slice::from_ref(interpreter);
            match (Launch { places, apart: true, ..Launch::plain(path, &argv, &env) }).spawn() {
                Ok(pid) => return Ok(pid),
                Err(Errno::NOT_FOUND | Errno(libc::ENOTDIR | libc::EACCES | libc::ENOEXEC)) => {}
                Err(errno) => {
                    let what = format!("run {}", interpreter.to_string_lossy());
                    return Err(Unplanned::Broken(Error::system(what, errno)));
                }
            }
        }
        Err(Unplanned::NoInterpreter)
    }

    /// Waits for its end; reaps whatever else dies meanwhile.
    fn wait(&self, pid: Pid, signals: &SignalFd) -> Result<WaitStatus, Unplanned> {
        let end = clock::monotonic() + self.limit;
        let mut verdict = None;
        loop {
            let due = if verdict.is_none() { Some(end) } else { None };
            let _ = poll::readable(&[signals.as_fd()], due);
            let mut wanted = None;
            while let Some(signal) = signals.take() {
                if ENDING.contains(&signal) {
                    wanted = Some(Unplanned::Stopped);
                }
            }
            while let Some((dead, how)) = wait::next_dead() {
                if dead == pid {
                    return verdict.map_or(Ok(how), Err);
                }
            }
            if clock::monotonic() >= end {
                wanted = wanted.or(Some(Unplanned::TimedOut(self.limit)));
            }
            if verdict.is_none() && wanted.is_some() {
                verdict = wanted;
                let _ = pid.kill(Signal::SIGKILL); // our own child, not yet reaped
            }
        }
    }
}
