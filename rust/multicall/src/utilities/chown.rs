//! s6-chown: gives a file to others, by numbers.

use crate::process::ids::{self, GID, UID};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use std::os::unix::fs::chown;

/// s6-chown.
pub static APPLET: Applet = Applet {
    name: "s6-chown",
    section: Section::Utilities,
    about: "Change owner and group of a file, or of what a link leads to",
    options: &[
        flag('U', "the ids are those of the variables UID and GID"),
        value('u', "uid", "the user"),
        value('g', "gid", "the group"),
    ],
    arguments: "file",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (mut uid, mut gid) = (None, None);
    for (letter, word) in &call.options {
        let word = word.as_deref().unwrap_or_default();
        match letter {
            'u' => uid = Some(ids::id("option -u", word)?),
            'g' => gid = Some(ids::id("option -g", word)?),
            _ => (uid, gid) = (Some(from_variable(call, UID)?), Some(from_variable(call, GID)?)),
        }
    }
    let file = call.only_argument("file")?;
    chown(file, uid, gid).map_err(|error| Error::on("chown", file, Errno::of(&error)))?;
    Ok(Exit::SUCCESS)
}

fn from_variable(call: &Invocation, name: &str) -> Result<u32, Failure> {
    let unset = || Failure::new(100, format!("${name} is not set; s6-envuidgid sets it"));
    let value = call.environment.lookup(name).ok_or_else(unset)?;
    ids::id(&format!("${name}"), value).map_err(|failure| Failure { usage: false, ..failure })
}
