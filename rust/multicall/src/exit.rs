//! How an applet ends: a code, another program in its place, or a failure to tell.

use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::limits::{Limit, Resource};
use s6x_core::sys::{fd, process};
use s6x_core::wire::environment::Environment;
use s6x_core::wire::signal::Signal;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The end of an applet that did what it was asked.
#[derive(Debug)]
pub enum Exit {
    /// With this code.
    Code(u8),
    /// By becoming another program.
    Exec(Exec),
    /// The same, under these resource limits, which are set as the very last thing: we might not fit
    /// into them ourselves.
    ExecUnder(Exec, Vec<(Resource, Limit)>),
    /// By this signal, which was held back until everything was tidied up.
    Killed(Signal),
}

impl Exit {
    /// Exit code 0.
    pub const SUCCESS: Exit = Exit::Code(0);
}

/// A program to become.
#[derive(Debug)]
pub struct Exec {
    /// Its words; the first is looked for along the `PATH` that *we* were started with.
    pub argv: Vec<OsString>,
    /// The environment it gets.
    pub environment: Environment,
    /// Where to look instead of along `PATH`, if not empty.
    pub candidates: Vec<CString>,
    /// What it is to be called by, if not by the first word.
    pub argv0: Option<OsString>,
}

impl Exec {
    /// A program to be found along `PATH`.
    pub fn new(argv: Vec<OsString>, environment: Environment) -> Exec {
        Exec { argv, environment, candidates: Vec::new(), argv0: None }
    }

    /// The paths where it may be, for somebody who was started with `own`.
    pub(crate) fn places(&self, own: &Environment) -> Vec<CString> {
        match (self.candidates.as_slice(), self.argv.first()) {
            ([], Some(program)) => own.candidates(program),
            (given, _) => given.to_vec(),
        }
    }
}

/// The end of an applet that cannot do what it was asked; reported in one place as
/// `PROG: fatal: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What, where, why.
    pub message: String,
    /// Whether the usage is to be shown too.
    pub usage: bool,
}

impl Failure {
    /// Any failure.
    pub fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), usage: false }
    }

    /// A wrong command line: exit code 100, with the usage.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: 100, message: message.into(), usage: true }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new(error.exit_code(), error.to_string())
    }
}

/// Becomes a program; returns only if that failed: 127 if there is none, else 126 (contract s6 §0).
pub(crate) fn exec(wanted: &Exec, own: &Environment) -> Failure {
    exec_under(wanted, own, &[])
}

/// The same under resource limits.
pub(crate) fn exec_under(
    wanted: &Exec,
    own: &Environment,
    limits: &[(Resource, Limit)],
) -> Failure {
    let Some(program) = wanted.argv.first() else {
        return Failure::new(100, "no program to become");
    };
    let candidates = wanted.places(own);
    let called = wanted.argv0.as_ref().unwrap_or(program);
    let words = [called].into_iter().chain(wanted.argv.iter().skip(1));
    let argv: Result<Vec<CString>, _> = words.map(|word| CString::new(word.as_bytes())).collect();
    let errno = match argv {
        Err(_) => Errno::INVALID,
        Ok(_) if candidates.is_empty() => Errno::INVALID,
        Ok(argv) => {
            let set = |(resource, limit): &(Resource, Limit)| {
                resource.set_limit(*limit).map_err(|errno| (*resource, errno))
            };
            let limit = || limits.iter().try_for_each(set);
            match process::exec_after(&candidates, &argv, &wanted.environment.to_c(), limit) {
                Ok(errno) => errno,
                Err((resource, errno)) => {
                    return Error::system(format!("limit {}", resource.title()), errno).into();
                }
            }
        }
    };
    let code = if errno == Errno::NOT_FOUND { 127 } else { 126 };
    Failure::new(code, format!("unable to exec {}: {errno}", shown(Path::new(program))))
}

/// Ends the process with a report if our own code panics, which is a bug: 101, whatever the build.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        fd::complain(&format!("s6x: fatal: internal error, please report it: {panic}\n"));
        process::exit_now(101);
    }));
}
