//! s6-ipcclient: a program with a connection to a server on descriptors 6 and 7.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::sys::fd;
use s6x_core::sys::local::{self, Kind};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Where the program reads, and where it writes.
const ENDS: [i32; 2] = [6, 7];

/// s6-ipcclient.
pub static APPLET: Applet = Applet {
    name: "s6-ipcclient",
    section: Section::Sockets,
    about: "Connect to a server's Unix socket and run a program that talks to it",
    options: &[
        flag('q', "say less"),
        flag('Q', "say what goes wrong (default)"),
        flag('v', "say more: that we are connected"),
        value('p', "bindpath", "bind our own end to this path"),
        value('l', "localname", "what IPCLOCALPATH is to say"),
    ],
    arguments: "path prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "no server listens there, or it must not be used; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let path = Path::new(call.argument(0, "path")?);
    call.argument(1, "program")?;
    let socket = local::socket(Kind::Stream).map_err(|e| Error::system("make a socket", e))?;
    if let Some(own) = call.value('p').map(Path::new) {
        local::bind(&socket, own).map_err(|errno| Error::on("bind to", own, errno))?;
    }
    local::connect(&socket, path).map_err(|errno| Error::on("connect to", path, errno))?;
    if verbosity(call) >= 2 {
        call.info(format!("connected to {}", quoted(path.as_os_str())));
    }
    let name = match call.value('l') {
        Some(name) => Some(OsString::from(name)),
        None => local::own_path(&socket).ok(),
    };
    let mut environment = call.environment.clone();
    environment.set("PROTO", "IPC");
    match name {
        Some(name) => environment.set("IPCLOCALPATH", name),
        None => environment.unset("IPCLOCALPATH"),
    }
    place(&socket)?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

/// Each letter counts.
pub(super) fn verbosity(call: &Invocation) -> u32 {
    call.options.iter().fold(1, |verbosity: u32, (letter, _)| match letter {
        'q' => verbosity.saturating_sub(1),
        'Q' => 1,
        'v' => verbosity.saturating_add(1),
        _ => verbosity,
    })
}

fn place(socket: &OwnedFd) -> Result<(), Failure> {
    let failed = |errno| Error::system("put the connection on descriptors 6 and 7", errno);
    let [_, last] = ENDS;
    let above = fd::duplicate(socket, last + 1).map_err(failed)?; // it may be one of them already
    ENDS.iter().try_for_each(|&end| fd::place(&above, end)).map_err(|errno| failed(errno).into())
}
