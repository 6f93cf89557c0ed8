//! s6-setlock: a program that runs only while it holds a lock.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::fd;
use s6x_core::sys::lock::{Kind, Patience, lock};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::path::Path;

/// s6-setlock.
pub static APPLET: Applet = Applet {
    name: "s6-setlock",
    section: Section::Process,
    about: "Run a program while holding a lock on a file",
    options: &[
        flag('w', "an exclusive lock (default)"),
        flag('r', "a shared lock"),
        flag('N', "wait for whoever holds it (default)"),
        flag('n', "do not wait"),
        value('t', "ms", "wait at most that many milliseconds (0: as long as it takes)"),
        value('d', "fd", "the descriptor that holds the lock (the lowest that is free)"),
    ],
    arguments: "lockfile prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "somebody else holds the lock"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let kind = if call.last_of("rw") == Some('r') { Kind::Shared } else { Kind::Exclusive };
    let deadline = call.deadline('t')?;
    let patience = match (call.last_of("nN"), deadline) {
        (Some('n'), _) => Patience::None,
        (Some(_) | None, Some(deadline)) => Patience::Until(deadline),
        (Some(_) | None, None) => Patience::Endless,
    };
    let number = call.number('d')?;
    let path = Path::new(call.argument(0, "lockfile")?);
    call.argument(1, "program")?;
    let file = open_lock(path, kind)?;
    match lock(&file, kind, patience) {
        Ok(true) => {}
        Ok(false) => return Err(busy(path, patience)),
        Err(errno) => return Err(Error::on("lock", path, errno).into()),
    }
    // The lock is the open file's, not this process's: another number keeps it.
    let at = number.map_or(Ok(file.as_raw_fd()), i32::try_from).unwrap_or(-1);
    let placed = if at == file.as_raw_fd() {
        fd::keep_across_exec(&file).map(|()| _ = file.into_raw_fd())
    } else {
        fd::place(&file, at)
    };
    let what = || format!("put the lock of {} on descriptor {}", shown(path), number.unwrap_or(0));
    placed.map_err(|errno| Error::system(what(), errno))?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

/// Opens the file, and makes it if it is not there. A shared lock asks for no right to write.
fn open_lock(path: &Path, kind: Kind) -> Result<OwnedFd, Failure> {
    let make = || open(path, Open::UpdateNow(0o666));
    let opened = match kind {
        Kind::Exclusive => make(),
        Kind::Shared => match open(path, Open::ReadNow) {
            Err(Errno::NOT_FOUND) => make().and_then(|_| open(path, Open::ReadNow)),
            opened => opened,
        },
    };
    opened.map_err(|errno| Error::on("open", path, errno).into())
}

fn busy(path: &Path, patience: Patience) -> Failure {
    let more = match patience {
        Patience::None => "",
        Patience::Until(_) | Patience::Endless => " (timed out)",
    };
    Failure::new(1, format!("unable to lock {}: somebody else holds it{more}", shown(path)))
}
