//! s6-applyuidgid: become another user by numbers.

use super::ids::{GID, GIDLIST, UID, id, list, unset};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::sys::credentials::Credentials;
use std::ffi::OsStr;

/// s6-applyuidgid.
pub static APPLET: Applet = Applet {
    name: "s6-applyuidgid",
    section: Section::Process,
    about: "Become another user, by numerical ids, and run a program",
    options: &[
        flag('U', "ids and groups are those of the variables UID, GID and GIDLIST"),
        flag('z', "remove these three variables"),
        value('u', "uid", "the user (0: leave it)"),
        value('g', "gid", "the group (0: leave it)"),
        value('G', "gidlist", "all the supplementary groups, with commas between (empty: none)"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "the kernel refuses; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let wanted = wanted(call)?;
    call.argument(0, "program")?;
    wanted.apply()?;
    let mut environment = call.environment.clone();
    if call.has('z') {
        unset(&mut environment);
    }
    Ok(call.chain(&call.rest, environment))
}

/// Who to become, by the options `-u`, `-g`, `-G` and `-U`: the last one counts.
pub(crate) fn wanted(call: &Invocation) -> Result<Credentials, Failure> {
    let mut wanted = Credentials::default();
    for (letter, word) in &call.options {
        let word = word.as_deref().unwrap_or_default();
        match letter {
            'u' => wanted.uid = changed(id("option -u", word)?),
            'g' => wanted.gid = changed(id("option -g", word)?),
            'G' => wanted.groups = Some(list("option -G", word)?),
            'U' => wanted = from_variables(call)?,
            _ => {} // about something else
        }
    }
    Ok(wanted)
}

/// 0 means: leave it.
fn changed(id: u32) -> Option<u32> {
    (id != 0).then_some(id)
}

fn from_variables(call: &Invocation) -> Result<Credentials, Failure> {
    let value = |name: &str| -> Result<&OsStr, Failure> {
        let message = || format!("${name} is not set; s6-envuidgid sets it");
        call.environment.lookup(name).ok_or_else(|| Failure::new(100, message()))
    };
    let plainly = |failure: Failure| Failure { usage: false, ..failure };
    Ok(Credentials {
        uid: changed(id("$UID", value(UID)?).map_err(plainly)?),
        gid: changed(id("$GID", value(GID)?).map_err(plainly)?),
        groups: Some(list("$GIDLIST", value(GIDLIST)?).map_err(plainly)?),
    })
}
