//! s6-nuke: signals for everything.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::{process, signals};
use s6x_core::wire::signal::Signal;

/// s6-nuke.
pub static APPLET: Applet = Applet {
    name: "s6-nuke",
    section: Section::Utilities,
    about: "Signal every process that we may signal, except PID 1",
    options: &[
        flag('h', "send SIGHUP"),
        flag('t', "send SIGTERM, then SIGCONT"),
        flag('k', "send SIGKILL, after the others"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    if call.has('h') {
        let _ = signals::ignore(Signal::SIGHUP); // can be ignored
        everything(Signal::SIGHUP)?;
    }
    if call.has('t') {
        let _ = signals::ignore(Signal::SIGTERM);
        everything(Signal::SIGTERM)?;
        everything(Signal::SIGCONT)?;
    }
    if call.has('k') {
        everything(Signal::SIGKILL)?;
    }
    Ok(Exit::SUCCESS)
}

/// Nobody there is as good as everybody signalled.
fn everything(signal: Signal) -> Result<(), Failure> {
    match process::kill_everything(signal) {
        Ok(()) | Err(Errno::NO_PROCESS) => Ok(()),
        Err(errno) => Err(Error::system(format!("send {signal} to everything"), errno).into()),
    }
}
