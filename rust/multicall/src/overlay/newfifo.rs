//! logutil-newfifo: a FIFO between a program that logs to a file and its logger (contract s6-overlay §6).

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::{Invocation, octal, quoted};
use crate::options::{Syntax, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::model::runtime;
use s6x_core::run::fdholder::client::Holder;
use s6x_core::sys::dir::{self, Open};
use s6x_core::sys::user::Accounts;
use s6x_core::sys::{clock, path, process};
use s6x_core::wire::fdholder::{Entry, Id};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// logutil-newfifo.
pub static APPLET: Applet = Applet {
    name: "logutil-newfifo",
    section: Section::Overlay,
    about: "Make a FIFO for a logger, anew, and have the fd-holder keep it open if it runs",
    options: &[
        value('m', "mode", "its mode, octal (0600)"),
        value('o', "account", "whose it is, if we are root (root)"),
    ],
    arguments: "fifo",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "the account is unknown, or the fd-holder refuses")],
    run,
};

/// The fd-holder's socket in the runtime directory, as generations v1 and v2 have it.
const SOCKET: &str = "fdholderd-socket";
/// How long the fd-holder may take.
const LIMIT: Duration = Duration::from_secs(5);

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let fifo = call.only_argument("fifo")?;
    let mode = match call.value('m') {
        None => 0o600,
        Some(word) => octal(word).filter(|mode| *mode <= 0o7777).ok_or_else(|| {
            Failure::usage(format!("option -m: {} is not an octal mode", quoted(word)))
        })?,
    };
    let owner = owner(call.value('o').unwrap_or(OsStr::new("root")))?;
    make(Path::new(fifo), mode, owner)?;
    match holder(call) {
        Some(socket) => keep(fifo, &socket)?,
        None => call.warning(format!(
            "no fd-holder runs: what is written to {} while nobody reads it is lost",
            shown(Path::new(fifo))
        )),
    }
    Ok(Exit::SUCCESS)
}

/// User and group of an account; `None` if we could not give anything to others.
fn owner(name: &OsStr) -> Result<Option<(u32, u32)>, Failure> {
    if process::effective_ids().0 != 0 {
        return Ok(None);
    }
    if name == "root" {
        return Ok(Some((0, 0))); // in images without accounts, too
    }
    let accounts = Accounts::of_root(Path::new("/"));
    let user = name.to_str().and_then(|name| accounts.user(name));
    let unknown = || Failure::new(1, format!("option -o: there is no user {}", quoted(name)));
    user.map(|user| Some((user.uid, user.gid))).ok_or_else(unknown)
}

fn make(fifo: &Path, mode: u32, owner: Option<(u32, u32)>) -> Result<(), Failure> {
    match dir::unlink(fifo) {
        Ok(()) | Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(Error::on("remove", fifo, errno).into()),
    }
    process::umask(0);
    let made = path::mkfifo(fifo.as_os_str(), mode);
    made.map_err(|errno| Error::on("create", fifo, errno))?;
    if let Some((uid, gid)) = owner {
        // Opened, so that it is what we made; a change of owner may take bits of the mode away.
        let own = dir::open(fifo, Open::ReadNow).and_then(|own| {
            dir::chown(&own, uid, gid)?;
            dir::chmod(&own, mode)
        });
        own.map_err(|errno| Error::on("give away", fifo, errno))?;
    }
    Ok(())
}

/// Where the container's fd-holder listens.
fn holder(call: &Invocation) -> Option<PathBuf> {
    let mut sockets = runtime::places(&call.environment).map(|run| run.join(SOCKET));
    sockets.find(|socket| dir::stat_path(socket).is_ok_and(|stat| stat.is_socket()))
}

/// Has the fd-holder keep the FIFO open for reading, in place of an earlier one at this path.
fn keep(fifo: &OsStr, socket: &Path) -> Result<(), Failure> {
    let name = [b"logutil-newfifo:", fifo.as_bytes()].concat();
    let stored = Id::new(&name).and_then(|id| {
        let deadline = Some(clock::monotonic() + LIMIT);
        let reader = dir::open(fifo, Open::ReadNow)?;
        match Holder::connect(socket, deadline)?.delete(id.clone()) {
            Ok(()) | Err(Errno::NOT_FOUND) => {}
            Err(errno) => return Err(errno),
        }
        let entry = Entry { id, limit: clock::wall().never() };
        Holder::connect(socket, deadline)?.store(entry, reader.as_fd())
    });
    let what = format!("have the fd-holder at {} keep it", shown(socket));
    stored.map_err(|errno| Failure::new(1, Error::system(what, errno).to_string()))
}
