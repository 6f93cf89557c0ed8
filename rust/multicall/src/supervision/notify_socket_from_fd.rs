//! s6-notify-socket-from-fd: for services that report readiness on a descriptor, under a service
//! manager that listens on a NOTIFY_SOCKET.

use super::notification::aside;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::run::notify_socket::{VARIABLE, report};
use s6x_core::sys::{fd, poll, process};
use s6x_core::wire::clock::Monotonic;
use std::os::fd::{AsFd, OwnedFd};

/// s6-notify-socket-from-fd.
pub static APPLET: Applet = Applet {
    name: "s6-notify-socket-from-fd",
    section: Section::Notification,
    about: "Become a service that reports readiness on a descriptor, and tell a NOTIFY_SOCKET",
    options: &[
        value('d', "fd", "the descriptor that the service reports on (1)").long("notification-fd"),
        value('t', "ms", "stop listening after that many milliseconds (0: never)").long("timeout"),
        flag('f', "listen in a child of the service rather than an orphan").long("no-doublefork"),
        flag('k', "keep NOTIFY_SOCKET in the service's environment").long("keep-environment"),
    ],
    arguments: "prog...",
    syntax: Syntax::Long,
    exit_codes: &[("126", "prog cannot be executed"), ("127", "prog is not there")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let number = call.number('d')?.unwrap_or(1);
    let deadline = call.deadline('t')?;
    let Some(address) = call.environment.filled(VARIABLE) else {
        return Ok(call.chain(&call.rest, call.environment.clone())); // nobody wants to know
    };
    let service = process::own_pid();
    let cannot_give = |errno| Error::system(format!("give the service descriptor {number}"), errno);
    let number = i32::try_from(number).unwrap_or(i32::MAX).min(i32::MAX - 1);
    let (reader, writer) = fd::pipe().map_err(cannot_give)?;
    // Above the number that it is to have, so that it is not in its own way.
    let writer = fd::duplicate(writer, number + 1).map_err(cannot_give)?;

    let (reader, writer) = aside(call, !call.has('f'), (reader, writer), |(reader, writer)| {
        drop(writer);
        let ready = says_ready(&reader, deadline)?;
        drop(reader); // whatever comes after the line, nobody reads it
        if !ready {
            return Ok(1);
        }
        if report(address, service, deadline)? { Ok(0) } else { Err(timed_out()) }
    })?;
    drop(reader);
    fd::place(&writer, number).map_err(cannot_give)?;
    let mut environment = call.environment.clone();
    if !call.has('k') {
        environment.unset(VARIABLE);
    }
    Ok(call.chain(&call.rest, environment))
}

/// Waits for a newline; `false`: the service has closed the descriptor without one.
fn says_ready(reader: &OwnedFd, deadline: Option<Monotonic>) -> Result<bool, Failure> {
    let failed = |errno| Error::system("wait for the service's report", errno);
    let mut buffer = [0; 4096];
    loop {
        if poll::readable(&[reader.as_fd()], deadline).map_err(failed)? != [true] {
            return Err(timed_out());
        }
        match fd::read(reader, &mut buffer).map_err(failed)? {
            0 => return Ok(false),
            got if buffer[..got].contains(&b'\n') => return Ok(true),
            _ => {}
        }
    }
}

fn timed_out() -> Failure {
    Failure::new(99, "timed out waiting for readiness, or for the service manager to take note")
}
