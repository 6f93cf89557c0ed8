//! s6-notify-fd-from-socket: for services that report readiness to a NOTIFY_SOCKET.

use super::notification::{aside, readiness, report};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::notify_socket::{News, Offer, VARIABLE};

/// s6-notify-fd-from-socket.
pub static APPLET: Applet = Applet {
    name: "s6-notify-fd-from-socket",
    section: Section::Notification,
    about: "Become a service that reports readiness to a NOTIFY_SOCKET, and pass its report on",
    options: &[
        value('3', "fd", "report to this descriptor (that of ./notification-fd)")
            .long("notification-fd"),
        value('t', "ms", "stop listening after that many milliseconds (0: never)").long("timeout"),
        flag('f', "listen in a child of the service rather than an orphan").long("no-doublefork"),
    ],
    arguments: "prog...",
    syntax: Syntax::Long,
    exit_codes: &[("126", "prog cannot be executed"), ("127", "prog is not there")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let deadline = call.deadline('t')?;
    let readiness = readiness(call, '3')?;
    let offer = Offer::new()?;
    let mut environment = call.environment.clone();
    environment.set(VARIABLE, &offer.address);
    aside(call, !call.has('f'), (offer, readiness), |(offer, readiness)| {
        match offer.wait(&readiness, deadline)? {
            News::Ready => report(&readiness),
            News::NobodyAsks => Ok(0),
            News::TimedOut => Err(Failure::new(99, "timed out waiting for a notification")),
        }
    })?;
    Ok(call.chain(&call.rest, environment))
}
