//! s6-ipcserver-socketbinder: a program with a bound socket as its standard input.

use crate::invocation::{octal, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{Open, open, unlink};
use s6x_core::sys::local::{self, Kind};
use s6x_core::sys::{fd, lock, process};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;

/// s6-ipcserver-socketbinder.
pub static APPLET: Applet = Applet {
    name: "s6-ipcserver-socketbinder",
    section: Section::Sockets,
    about: "Bind a Unix socket and run a program with it as standard input",
    options: &[
        flag('d', "remove what has the name already (default)"),
        flag('D', "do not"),
        value('b', "backlog", "how many clients may wait (as many as can be; 0: do not listen)"),
        flag('M', "a socket for streams (default)"),
        flag('m', "a socket for datagrams"),
        value('a', "perms", "the mode of the socket, octal (0777)"),
        flag('B', "a socket that blocks"),
    ],
    arguments: "path prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "the socket cannot be bound; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let kind = match call.last_of("Mm") {
        Some('m') => Kind::Datagram,
        Some(_) | None => Kind::Stream,
    };
    let backlog = call.number('b')?.unwrap_or(u32::MAX);
    let mode = mode(call)?;
    let path = Path::new(call.argument(0, "path")?);
    call.argument(1, "program")?;

    let failed = |errno| Error::system("make a socket", errno);
    let socket = local::socket(kind).map_err(failed)?;
    if !call.has('B') {
        fd::set_nonblocking(&socket, true).map_err(failed)?;
    }
    let reuse = call.last_of("dD") != Some('D');
    let umask = process::umask(!mode & 0o777);
    let bound = bind(&socket, path, reuse);
    process::umask(umask);
    bound?;
    // Datagrams come without connections: there is nothing to listen for.
    if backlog != 0 && kind == Kind::Stream {
        local::listen(&socket, backlog).map_err(|errno| Error::on("listen to", path, errno))?;
    }
    fd::place(&socket, 0).map_err(failed)?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

/// The value of `-a`; bits that are no permissions are dropped.
pub(super) fn mode(call: &Invocation) -> Result<u32, Failure> {
    let Some(text) = call.value('a') else { return Ok(0o777) };
    let wrong = || Failure::usage(format!("option -a: {} is no octal number", quoted(text)));
    octal(text).map(|mode| mode & 0o777).ok_or_else(wrong)
}

fn bind(socket: &OwnedFd, path: &Path, reuse: bool) -> Result<(), Failure> {
    let failed = |errno| Failure::from(Error::on("bind to", path, errno));
    let _lock = if reuse { Some(take_name(path)?) } else { None };
    local::bind(socket, path).map_err(failed)
}

/// Makes the name free. Whoever else wants it waits for the lock that this returns, between our
/// removing and our binding: the file `PATH.lock`, which the originals leave there as well.
fn take_name(path: &Path) -> Result<OwnedFd, Failure> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let name = Path::new(&name);
    let file =
        open(name, Open::UpdateNow(0o600)).map_err(|errno| Error::on("open", name, errno))?;
    match lock::try_exclusive(&file) {
        Ok(true) => {}
        Ok(false) => {
            let path = shown(path);
            let message = format!("unable to bind to {path}: somebody else is about to");
            return Err(Failure::new(111, message));
        }
        Err(errno) => return Err(Error::on("lock", name, errno).into()),
    }
    match unlink(path) {
        // A directory stays, and is what bind will complain about.
        Ok(()) | Err(Errno::NOT_FOUND | Errno::IS_A_DIRECTORY) => Ok(file),
        Err(errno) => Err(Error::on("remove", path, errno).into()),
    }
}
