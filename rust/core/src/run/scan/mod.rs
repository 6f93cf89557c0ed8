//! The driver of the scan machine.
//!
//! [`Scanner`] is the part that a host loop feeds: [`scan`], the loop of `s6-svscan`, is one such host,
//! `/init` is the other.

mod errand;
mod scanner;

pub use scanner::{Options, Scanner};

use crate::error::{Errno, Error, Result, Why};
use crate::run::Inheritance;
use crate::sys::poll::Wish;
use crate::sys::signals::{SignalFd, survive_broken_pipes, unblock_all};
use crate::sys::{clock, fd, offspring, process, wait};
use crate::wire::control::ScanControl;
use crate::wire::signal::Signal;
use std::ffi::{CStr, CString};
use std::os::fd::AsFd;
use std::path::Path;

/// Every signal that a scanner takes (contract s6 §2.5).
pub const SIGNALS: [Signal; 11] = [
    Signal::SIGCHLD,
    Signal::SIGALRM,
    Signal::SIGABRT,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGPWR,
    Signal::SIGWINCH,
];

/// Runs a scan directory until told to stop, then becomes `.s6-svscan/finish`. Returns the exit code
/// when there is no `finish`: 0 (contract s6 §2.6).
///
/// Errors: [`Why::Busy`] when another scanner holds the directory. With `finish` or something else
/// broken it becomes `.s6-svscan/crash`; an error is returned only where that is impossible too.
pub fn scan(path: &Path, options: Options, inheritance: &Inheritance) -> Result<u8> {
    let mut scanner = Scanner::open(path, options, *inheritance)?;
    match serve(&mut scanner) {
        Ok(()) => finish(inheritance),
        Err(error) => Err(crash(error, inheritance)),
    }
}

fn serve(scanner: &mut Scanner) -> Result<()> {
    let signals = SignalFd::new(&SIGNALS).map_err(|e| Error::system("watch signals", e))?;
    survive_broken_pipes();
    fd::drop_unread_complaints();
    scanner.tell_ready();
    while !scanner.is_over() {
        let mut wishes = vec![(signals.as_fd(), Wish::Read)];
        wishes.extend(scanner.control().map(|control| (control, Wish::Read)));
        offspring::wait(&wishes, scanner.deadline());
        while let Some(signal) = signals.take() {
            if let Some(control) = meaning(signal)
                && !scanner.divert(signal)
            {
                scanner.ask(control);
            } else if meaning(signal).is_none() {
                scanner.divert(signal);
            }
        }
        while let Some((pid, how)) = wait::next_dead() {
            scanner.child_died(pid, how);
        }
        for control in scanner.controls() {
            scanner.ask(control);
        }
        if scanner.deadline().is_some_and(|due| due <= clock::monotonic()) {
            scanner.timeout();
        }
    }
    Ok(())
}

/// What a signal does unless a script takes it over.
pub fn meaning(signal: Signal) -> Option<ScanControl> {
    match signal {
        Signal::SIGCHLD => Some(ScanControl::Zap),
        Signal::SIGALRM => Some(ScanControl::Rescan),
        Signal::SIGABRT => Some(ScanControl::Abort),
        Signal::SIGHUP => Some(ScanControl::RescanAndPrune),
        Signal::SIGINT => Some(ScanControl::Interrupt),
        Signal::SIGTERM => Some(ScanControl::Terminate),
        Signal::SIGQUIT => Some(ScanControl::Quit),
        _ => None, // USR1, USR2, PWR, WINCH mean nothing by themselves
    }
}

fn finish(inheritance: &Inheritance) -> Result<u8> {
    let error = become_script(c".s6-svscan/finish", inheritance);
    match error.why {
        Why::System(Errno::NOT_FOUND) => Ok(0),
        Why::System(_) | Why::Busy | Why::Malformed(_) => Err(crash(error, inheritance)),
    }
}

/// Says what happened and becomes `.s6-svscan/crash`; where that fails, what happened is the result.
fn crash(error: Error, inheritance: &Inheritance) -> Error {
    fd::complain(&format!("s6-svscan: fatal: {error}; executing .s6-svscan/crash\n"));
    become_script(c".s6-svscan/crash", inheritance);
    error
}

fn become_script(script: &CStr, inheritance: &Inheritance) -> Error {
    let paths = [CString::from(script)];
    unblock_all();
    let errno = process::exec(&paths, &paths, inheritance.env);
    Error::on("exec", script.to_string_lossy().as_ref(), errno)
}
