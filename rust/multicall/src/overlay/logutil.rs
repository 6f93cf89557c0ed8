//! logutil-service: s6-log as images use it (contract s6-overlay §6).

use super::contenv;
use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::{Syntax, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::credentials::Credentials;
use s6x_core::sys::dir::{self, Open};
use s6x_core::sys::user::Accounts;
use s6x_core::sys::{fd, process};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// logutil-service.
pub static SERVICE: Applet = Applet {
    name: "logutil-service",
    section: Section::Overlay,
    about: "Log standard input into a directory, as nobody, with the directives of S6_LOGGING_SCRIPT",
    options: &[
        value('d', "notif", "s6-log writes a newline to this descriptor when it is ready"),
        value('f', "fifo", "read this FIFO instead, which may have no writer yet"),
    ],
    arguments: "logdir",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "s6-log cannot be executed"), ("127", "there is no s6-log on PATH")],
    run,
};

/// logutil-service-main, which some images call instead.
pub static SERVICE_MAIN: Applet = Applet { name: "logutil-service-main", ..SERVICE };

/// The variable that holds s6-log's directives.
const SCRIPT: &str = "S6_LOGGING_SCRIPT";
/// Without it.
const USUAL: &str = "n20 s1000000 T";
/// Whose the logs are.
const USER: &str = "nobody";
/// The user and group where nobody is unknown.
const WITHOUT_ACCOUNT: u32 = 32768;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let directory = call.only_argument("log directory")?.to_owned();
    // Before rights are given up: the environment's files may be root's.
    let script = contenv::lookup(call, SCRIPT).unwrap_or_else(|| USUAL.into());
    if let Some(fifo) = call.value('f') {
        read_from(Path::new(fifo)).map_err(|errno| Error::on("open", fifo, errno))?;
    }
    if process::effective_ids().0 == 0 {
        nobody().apply()?;
    }
    let words = script.as_bytes().split(|byte| b" \t\n\r".contains(byte));
    let words =
        words.filter(|word| !word.is_empty()).map(|word| OsStr::from_bytes(word).to_owned());
    let mut argv: Vec<OsString> = ["s6-log", "-bp"].map(OsString::from).into();
    if let Some(notification) = call.value('d') {
        argv.extend(["-d".into(), notification.to_owned()]);
    }
    argv.push("--".into());
    argv.extend(words);
    argv.push(directory);
    Ok(call.chain(&argv, Environment::default()))
}

/// Makes the FIFO standard input, without waiting for a writer.
fn read_from(fifo: &Path) -> Result<(), Errno> {
    let reader = dir::open(fifo, Open::ReadNow)?;
    fd::set_nonblocking(&reader, false)?;
    fd::place(&reader, 0)
}

/// The ids of nobody, with its groups.
fn nobody() -> Credentials {
    let accounts = Accounts::of_root(Path::new("/"));
    match accounts.user(USER) {
        Some(user) => Credentials::whole(user.uid, user.gid, accounts.groups_of(USER)),
        None => Credentials::whole(WITHOUT_ACCOUNT, WITHOUT_ACCOUNT, Vec::new()),
    }
}
