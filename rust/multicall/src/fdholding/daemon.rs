//! s6-fdholder-daemon: the server on a socket of its own, with rights of its own.

use super::fdholderd::{
    CLIENTS, DATABASE, DESCRIPTORS, DIRECTORY, LAME_DUCK, PATIENCE, READINESS, VERBOSITY, rules,
};
use crate::process::ids;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::fdholder::server::RulesAt;
use std::ffi::OsString;

/// s6-fdholder-daemon.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-daemon",
    section: Section::FdHolding,
    about: "Bind a Unix socket, give up rights, and become an s6-fdholderd",
    options: &[
        VERBOSITY,
        flag('d', "remove what has the socket's name already (default)"),
        flag('D', "do not"),
        READINESS,
        CLIENTS,
        DESCRIPTORS,
        value('b', "backlog", "how many clients may wait (as many as can be)"),
        value('G', "gidlist", "all the supplementary groups, with commas between (empty: none)"),
        value('g', "gid", "the group (0: leave it)"),
        value('u', "uid", "the user (0: leave it)"),
        flag('U', "ids and groups are those of the variables UID, GID and GIDLIST"),
        PATIENCE,
        LAME_DUCK,
        DIRECTORY,
        DATABASE,
    ],
    arguments: "path",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("100", "wrong usage"),
        ("111", "the socket cannot be bound, or a right given up"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut argv: Vec<OsString> = vec!["s6-ipcserver-socketbinder".into()];
    if call.last_of("dD") == Some('D') {
        argv.push("-D".into());
    }
    if let Some(backlog) = call.number('b')? {
        argv.extend(["-b".into(), backlog.to_string().into()]);
    }
    let credentials = credentials(call)?;
    let server = server(call)?;
    let path = call.only_argument("path")?;
    argv.extend(["--".into(), path.to_owned()]);
    argv.extend(credentials);
    argv.extend(server);
    Ok(call.chain(&argv, call.environment.clone()))
}

/// The words that give up rights; none if that is not asked for. What stands behind `-U` changes what
/// that says.
fn credentials(call: &Invocation) -> Result<Vec<OsString>, Failure> {
    let (mut variables, mut uid, mut gid, mut groups) = (false, 0, 0, None);
    for (letter, word) in &call.options {
        let word = word.as_deref().unwrap_or_default();
        match letter {
            'U' => (variables, uid, gid, groups) = (true, 0, 0, None),
            'u' => uid = ids::id("option -u", word)?,
            'g' => gid = ids::id("option -g", word)?,
            'G' => groups = Some(ids::list("option -G", word)?),
            _ => {} // about the socket or the server
        }
    }
    let mut words: Vec<OsString> = Vec::new();
    if variables {
        words.push("-Uz".into());
    }
    for (letter, id) in [("-u", uid), ("-g", gid)] {
        if id != 0 {
            words.extend([letter.into(), id.to_string().into()]);
        }
    }
    if let Some(groups) = groups {
        words.extend(["-G".into(), ids::joined(&groups).into()]);
    }
    if !words.is_empty() {
        words.insert(0, "s6-applyuidgid".into());
        words.push("--".into());
    }
    Ok(words)
}

/// The words of the server.
fn server(call: &Invocation) -> Result<Vec<OsString>, Failure> {
    let mut words: Vec<OsString> = vec!["s6-fdholderd".into()];
    if call.has('1') {
        words.push("-1".into());
    }
    for letter in ['v', 'c', 'n', 't', 'T'] {
        if let Some(number) = call.number(letter)? {
            words.extend([format!("-{letter}").into(), number.to_string().into()]);
        }
    }
    let (letter, path) = match rules(call)? {
        RulesAt::Directory(path) => ("-i", path),
        RulesAt::Database(path) => ("-x", path),
    };
    words.extend([letter.into(), path.into()]);
    Ok(words)
}
