//! s6-ipcserver: one word for a socket, rights to give up, and a super-server.

use super::socketbinder::mode;
use crate::process::ids;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use std::ffi::OsString;

/// s6-ipcserver.
pub static APPLET: Applet = Applet {
    name: "s6-ipcserver",
    section: Section::Sockets,
    about: "Bind a Unix socket, accept clients, and run a program for each",
    options: &[
        flag('q', "say nothing but who is turned away"),
        flag('Q', "say what goes wrong (default)"),
        flag('v', "say who comes and goes"),
        flag('d', "remove what has the name already (default)"),
        flag('D', "do not"),
        flag('P', "do not ask for the ids of clients"),
        flag('p', "ask for them (default)"),
        flag('1', "write a newline to standard output when clients are served"),
        flag('U', "become the user of the variables UID, GID and GIDLIST"),
        value('c', "maxconn", "at most so many clients (40)"),
        value('C', "localmaxconn", "at most so many of one user (40)"),
        value('b', "backlog", "how many clients may wait"),
        value('a', "perms", "the mode of the socket, octal (0777)"),
        value('G', "gidlist", "become a member of these groups, and no others"),
        value('g', "gid", "become this group"),
        value('u', "uid", "become this user"),
    ],
    arguments: "path prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "the socket cannot be bound, or rights not be given up"),
        ("126", "one of the programs that this is made of cannot be executed"),
        ("127", "one of them is not there"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut chain = Chain::default();
    chain.program("s6-ipcserver-socketbinder");
    chain.flag(call.last_of("dD") == Some('D'), "-D");
    chain.value("-b", call.number('b')?.map(|backlog| backlog.max(1)));
    let mode = mode(call)?;
    chain.text("-a", (mode != 0o777).then(|| format!("0{mode:o}")));
    chain.end_of_options();
    let path = call.argument(0, "path")?;
    call.argument(1, "program")?;
    chain.words(&[path.to_owned()]);

    let becomes = Becomes::of(call)?;
    if becomes != Becomes::default() {
        chain.program("s6-applyuidgid");
        chain.flag(becomes.by_variables, "-Uz");
        chain.value("-u", becomes.uid);
        chain.value("-g", becomes.gid);
        chain.text("-G", becomes.groups);
        chain.end_of_options();
    }

    chain.program("s6-ipcserverd");
    match call.last_of("qQv") {
        Some('q') => chain.flag(true, "-v0"),
        Some('v') => chain.flag(true, "-v2"),
        Some(_) | None => {}
    }
    chain.flag(call.has('1'), "-1");
    chain.flag(call.last_of("Pp") == Some('P'), "-P");
    chain.value("-c", call.number('c')?.map(|total| total.max(1)));
    chain.value("-C", call.number('C')?.map(|per_user| per_user.max(1)));
    chain.end_of_options();
    chain.words(call.rest.get(1..).unwrap_or(&[]));
    Ok(call.chain(&chain.0, call.environment.clone()))
}

/// What s6-applyuidgid is to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Becomes {
    by_variables: bool,
    uid: Option<u32>,
    gid: Option<u32>,
    groups: Option<String>,
}

impl Becomes {
    fn of(call: &Invocation) -> Result<Becomes, Failure> {
        let mut becomes = Becomes::default();
        for (letter, word) in &call.options {
            let word = word.as_deref().unwrap_or_default();
            // 0 means: leave it.
            let changed = |id: u32| (id != 0).then_some(id);
            match letter {
                'U' => becomes = Becomes { by_variables: true, ..Becomes::default() },
                'u' => becomes.uid = changed(ids::id("option -u", word)?),
                'g' => becomes.gid = changed(ids::id("option -g", word)?),
                'G' => becomes.groups = Some(ids::joined(&ids::list("option -G", word)?)),
                _ => {}
            }
        }
        Ok(becomes)
    }
}

/// Command lines behind each other, each of which becomes the next.
#[derive(Debug, Default)]
pub(super) struct Chain(pub(super) Vec<OsString>);

impl Chain {
    /// Begins the next one.
    pub(super) fn program(&mut self, name: &str) {
        self.0.push(name.into());
    }

    /// An option without value.
    pub(super) fn flag(&mut self, given: bool, option: &str) {
        if given {
            self.0.push(option.into());
        }
    }

    /// An option with a number.
    pub(super) fn value(&mut self, option: &str, number: Option<u32>) {
        self.text(option, number.map(|number| number.to_string()));
    }

    /// An option with a value.
    pub(super) fn text(&mut self, option: &str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.0.extend([option.into(), value.into()]);
        }
    }

    /// What follows are words.
    pub(super) fn end_of_options(&mut self) {
        self.0.push("--".into());
    }

    /// Words as they are.
    pub(super) fn words(&mut self, words: &[OsString]) {
        self.0.extend_from_slice(words);
    }
}
