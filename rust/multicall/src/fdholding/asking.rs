//! What the clients of s6-fdholderd have in common.

use crate::{Failure, Invocation, Opt, value};
use s6x_core::error::{Errno, Error};
use s6x_core::run::fdholder::client::Holder;
use s6x_core::sys::{clock, fd};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::environment::Environment;
use s6x_core::wire::fdholder::{Entry, Id};
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many descriptors a dump has.
pub(super) const COUNT: &str = "S6_FD#";
/// The variables that describe the descriptor with a number in a dump.
pub(super) const DESCRIPTOR: &str = "S6_FD_";
pub(super) const NAME: &str = "S6_FDID_";
pub(super) const LIMIT: &str = "S6_FDLIMIT_";

/// `-t`.
pub(super) const TIMEOUT: Opt =
    value('t', "ms", "wait at most that many milliseconds for the server (0: as long as it takes)");
/// What all of them end with.
pub(super) const EXIT_CODES: &[(&str, &str)] =
    &[("1", "the server refuses"), ("111", "there is no server, or a system call failed")];
/// What those end with that become another program.
pub(super) const CHAIN_EXIT_CODES: &[(&str, &str)] = &[
    ("1", "the server refuses; the program is not run"),
    ("111", "there is no server, or a system call failed"),
    ("126", "the program cannot be executed"),
    ("127", "there is no such program"),
];

/// Connects to the server whose socket is the first argument.
pub(super) fn connect(call: &Invocation) -> Result<Holder, Failure> {
    connect_to(call.argument(0, "socket")?, call.deadline('t')?)
}

/// Connects to the server at a path.
pub(super) fn connect_to(socket: &OsStr, deadline: Option<Monotonic>) -> Result<Holder, Failure> {
    let path = Path::new(socket);
    Holder::connect(path, deadline)
        .map_err(|errno| Error::on("connect to the fd-holder at", path, errno).into())
}

/// The failure of what was asked for.
pub(super) fn refused(what: impl Into<String>) -> impl FnOnce(Errno) -> Failure {
    let what = what.into();
    move |errno| {
        let mut message = Error::system(what, errno).to_string();
        if errno == Errno::BROKEN_PIPE {
            message.push_str("; its access rules may keep us out");
        }
        Failure::new(1, message)
    }
}

/// A descriptor's name; the original, too, asks the server before it looks at it.
pub(super) fn id(name: &OsStr) -> Result<Id, Errno> {
    Id::new(name.as_bytes())
}

/// Tells the program that we become which descriptors it gets, and sees to it that it does.
pub(super) fn hand_over(
    dump: Vec<(Entry, OwnedFd)>,
    environment: &mut Environment,
) -> Result<(), Errno> {
    let now = clock::wall();
    environment.set(COUNT, dump.len().to_string());
    for (number, (entry, descriptor)) in dump.into_iter().enumerate() {
        fd::keep_across_exec(&descriptor)?;
        environment.set(format!("{DESCRIPTOR}{number}"), descriptor.as_raw_fd().to_string());
        environment.set(format!("{NAME}{number}"), OsStr::from_bytes(entry.id.bytes()));
        let limit = format!("{LIMIT}{number}");
        if entry.limit.is_never(now) {
            environment.unset(limit);
        } else {
            environment.set(limit, entry.limit.to_string());
        }
        fd::leave_open(descriptor);
    }
    Ok(())
}
