//! s6-fdholderd: the server.

use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error};
use s6x_core::machine::fdholder::Settings;
use s6x_core::run::fdholder::server::{RulesAt, serve};
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::limits::Resource;
use s6x_core::sys::{dir, fd, signals};
use std::path::Path;
use std::time::Duration;

/// Options of the server, which s6-fdholder-daemon hands on.
pub(super) const VERBOSITY: Opt = value('v', "N", "0: say only what is fatal (1)");
pub(super) const READINESS: Opt = flag('1', "write a newline to stdout when clients can connect");
pub(super) const CLIENTS: Opt = value('c', "N", "at most N clients at a time (16, at most 256)");
pub(super) const DESCRIPTORS: Opt = value('n', "N", "hold at most N descriptors (1000)");
pub(super) const PATIENCE: Opt =
    value('t', "ms", "how long a client may have the server wait (0: for ever)");
pub(super) const LAME_DUCK: Opt =
    value('T', "ms", "how long the end may take after SIGTERM (0: as long as it takes)");
pub(super) const DIRECTORY: Opt = value('i', "dir", "a directory with the access rules");
pub(super) const DATABASE: Opt =
    value('x', "file", "a cdb with the access rules; read again at SIGHUP");

/// s6-fdholderd.
pub static APPLET: Applet = Applet {
    name: "s6-fdholderd",
    section: Section::FdHolding,
    about: "Hold descriptors for clients that connect to the socket on stdin",
    options: &[
        VERBOSITY,
        READINESS,
        CLIENTS,
        DESCRIPTORS,
        PATIENCE,
        LAME_DUCK,
        DIRECTORY,
        DATABASE,
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "told to end, holding nothing, without clients"),
        ("1", "it held something still"),
        ("2", "there were clients still"),
        ("3", "both"),
        ("100", "wrong usage: as without rules, or when stdin is no socket"),
    ],
    run,
};

/// Descriptors that we need for ourselves: standard ones, signals, rules, a client to turn away.
const OWN: u64 = 6;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let verbosity = call.number('v')?.unwrap_or(1);
    let clients = call.number('c')?.unwrap_or(16).clamp(1, 256);
    let wanted = call.number('n')?.unwrap_or(1000).max(1);
    let limit = |letter| -> Result<Option<Duration>, Failure> {
        let limit = call.number(letter)?.filter(|&limit| limit != 0);
        Ok(limit.map(|limit| Duration::from_millis(limit.into())))
    };
    let (patience, lame_duck) = (limit('t')?, limit('T')?);
    let rules = rules(call)?;
    call.warn_of_more_than(0);
    let settings = Settings {
        clients: clients as usize,
        descriptors: room(wanted, clients)?,
        patience,
        lame_duck,
    };
    let unusable = |errno| Error::system("look at stdin", errno);
    let listener = fd::used_standard(0).map_err(unusable)?;
    let status = dir::stat(listener).map_err(unusable)?;
    if !status.is_socket() {
        return Err(Failure::new(100, "stdin is not a socket"));
    }
    if call.has('1') && !fd::was_inherited(1) {
        return Err(Failure::new(100, "option -1: stdout is closed"));
    }
    signals::survive_broken_pipes();
    let warn = |message: &str| {
        if verbosity != 0 {
            call.warning(message);
        }
    };
    let ready = || {
        if call.has('1') {
            let _ = fd::write_all(fd::standard(1), b"\n"); // whoever waited may be gone
        }
        let null = Path::new("/dev/null");
        let null = open(null, Open::ReadWrite).map_err(|errno| Error::on("open", null, errno))?;
        fd::place(null, 1).map_err(|errno| Error::system("replace stdout", errno))
    };
    Ok(Exit::Code(serve(listener, &rules, settings, &warn, ready)?))
}

/// `-i` or `-x`; the last one counts.
pub(super) fn rules(call: &Invocation) -> Result<RulesAt, Failure> {
    match call.last_of("ix") {
        Some(letter) => {
            let path = call.value(letter).unwrap_or_default().into();
            Ok(if letter == 'i' { RulesAt::Directory(path) } else { RulesAt::Database(path) })
        }
        None => Err(Failure::new(100, "no access rules: give -i or -x")),
    }
}

/// How many descriptors can be held, so that every client can connect still: who holds something has
/// to be reachable.
fn room(wanted: u32, clients: u32) -> Result<usize, Failure> {
    let limit = Resource::OpenFiles.limit();
    let limit = limit.map_err(|errno| Error::system("read the limit of open files", errno))?.soft;
    let room = limit.saturating_sub(OWN + u64::from(clients));
    if room == 0 {
        let what = format!("hold descriptors for {clients} clients");
        let limited = Error::system(what, Errno::TOO_MANY_DESCRIPTORS);
        return Err(Failure::new(
            111,
            format!("{limited}; the limit is {limit}, see s6-softlimit -o"),
        ));
    }
    Ok(room.min(wanted.into()) as usize)
}
