//! What the programs beside a service's start have in common: the readiness descriptor, and a
//! process of their own that watches while the service takes their place.

use crate::invocation::{number, quoted};
use crate::{Failure, Invocation};
use s6x_core::Error;
use s6x_core::sys::dir::Dir;
use s6x_core::sys::process::{self, Side};
use s6x_core::sys::{fd, signals};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// The descriptor on which readiness is reported: that of the option, or that of the file
/// `notification-fd` in the working directory. It is not passed on to other programs.
pub(super) fn readiness(call: &Invocation, letter: char) -> Result<OwnedFd, Failure> {
    let (source, number) = match call.number(letter)? {
        Some(number) => (format!("option -{letter}"), number),
        None => ("./notification-fd".to_owned(), configured(letter)?),
    };
    // A number that large is not open either.
    fd::take_inherited(i32::try_from(number).unwrap_or(i32::MAX)).map_err(|errno| {
        let how = "start this where the supervisor's descriptor is open, as in a run script";
        Failure::new(111, format!("{source}: unable to use descriptor {number}: {errno}; {how}"))
    })
}

/// The number on the first line of `./notification-fd`.
fn configured(letter: char) -> Result<u32, Failure> {
    let failed =
        |why: String| Failure::new(100, format!("unable to read ./notification-fd: {why}"));
    let content = Dir::open(".").and_then(|dir| dir.read("notification-fd", 4096));
    let content = content.map_err(|errno| {
        failed(format!("{errno}; start this in a service directory that has one, or use -{letter}"))
    })?;
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let text = OsStr::from_bytes(line.trim_ascii());
    number(text).ok_or_else(|| failed(format!("{} is not a number", quoted(text))))
}

/// Lets `watch` run in a process of its own, which ends with the code it gives: a child of the
/// program that we become, or, if `orphan`, of nobody there. Both have `shared`; it is returned in
/// the process that goes on.
pub(super) fn aside<T>(
    call: &Invocation,
    orphan: bool,
    shared: T,
    watch: impl FnOnce(T) -> Result<u8, Failure>,
) -> Result<T, Failure> {
    let forked = if orphan { process::fork_orphan() } else { process::fork() };
    match forked.map_err(|errno| Error::system("fork", errno))? {
        Side::Parent(_) => Ok(shared),
        Side::Child => {
            let code = watch(shared).unwrap_or_else(|failure| call.failed(&failure));
            process::exit_now(code)
        }
    }
}

/// Writes the line that a supervisor waits for.
pub(super) fn report(readiness: &OwnedFd) -> Result<u8, Failure> {
    signals::survive_broken_pipes();
    fd::write_all(readiness, b"\n")
        .map_err(|errno| Error::system("report readiness to the supervisor", errno))?;
    Ok(0)
}
