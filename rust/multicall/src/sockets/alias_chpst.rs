//! s6-alias-chpst: the options of runit's chpst, as a chain of programs that each do one of them.

use super::ipcserver::Chain;
use crate::invocation::{number, quoted};
use crate::process::ids;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error};
use s6x_core::sys::user::Accounts;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-alias-chpst.
pub static APPLET: Applet = Applet {
    name: "s6-alias-chpst",
    section: Section::Utilities,
    about: "Change the state of this process as runit's chpst does, and run a program",
    options: &[
        flag('v', "show the command line that this becomes"),
        flag('P', "in a new session"),
        flag('0', "without standard input"),
        flag('1', "without standard output"),
        flag('2', "without standard error"),
        value('u', "user", "as this user: name[:group...] or :uid[:gid...]"),
        value('U', "user", "with UID, GID and GIDLIST of this user, and its own rights"),
        value('b', "argv0", "called like this"),
        value('e', "dir", "with the variables in the files of this directory"),
        value('/', "root", "in this root directory"),
        value('n', "inc", "with this added to its nice value"),
        value('l', "lock", "while it holds this lock, waiting for it"),
        value('L', "lock", "while it holds this lock, if nobody else does"),
        value('m', "bytes", "limit its memory"),
        value('d', "bytes", "limit its data segment"),
        value('o', "n", "limit its open descriptors"),
        value('p', "n", "limit the processes of its user"),
        value('f', "bytes", "limit the size of files that it writes"),
        value('c', "bytes", "limit the size of core files"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("100", "wrong usage, or there is no such user or group"),
        ("126", "one of the programs that this is made of cannot be executed"),
        ("127", "one of them is not there"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let mut chain = Chain::default();
    if let Some(text) = call.value('n') {
        let digits = text.as_bytes().strip_prefix(b"-").unwrap_or(text.as_bytes());
        let wrong = || Failure::usage(format!("option -n: {} is not a number", quoted(text)));
        number(OsStr::from_bytes(digits)).ok_or_else(wrong)?;
        chain.program("s6-nice");
        chain.text("-n", Some(text));
        chain.end_of_options();
    }
    if call.has('u') && call.has('/') {
        // Once the rights are given up, nobody can change the root; before, the programs are not there.
        let how =
            "-u goes not with -/; put s6-chroot in front, and what gives up rights in the root";
        return Err(Failure::new(100, how));
    }
    if call.has('P') {
        chain.program("s6-setsid");
        chain.end_of_options();
    }
    if let Some(directory) = call.value('e') {
        chain.program("s6-envdir");
        chain.end_of_options();
        chain.words(&[directory.to_owned()]);
    }
    let lock = call.options.iter().rev().find(|(letter, _)| matches!(letter, 'l' | 'L'));
    if let Some((letter, Some(file))) = lock {
        chain.program("s6-setlock");
        chain.flag(true, if *letter == 'L' { "-n" } else { "-N" });
        chain.end_of_options();
        chain.words(std::slice::from_ref(file));
    }
    if let Some(text) = call.value('u') {
        let becomes = Becomes::parse(text)?;
        chain.program("s6-applyuidgid");
        chain.value("-u", Some(becomes.uid));
        chain.value("-g", Some(becomes.gid));
        chain.text("-G", Some(ids::joined(&becomes.groups)));
        chain.end_of_options();
    }
    if let Some(text) = call.value('U') {
        let (by_number, name) = match text.as_bytes().strip_prefix(b":") {
            Some(name) => (true, OsStr::from_bytes(name)),
            None => (false, text),
        };
        chain.program("s6-envuidgid");
        chain.flag(by_number, "-n");
        chain.flag(name.as_bytes().contains(&b':'), "-B");
        chain.end_of_options();
        chain.words(&[name.to_owned()]);
    }
    limits(call, &mut chain)?;
    for (letter, number) in [('0', "0"), ('1', "1"), ('2', "2")] {
        if call.has(letter) {
            chain.program("fdclose");
            chain.words(&[number.into()]);
        }
    }
    last(call, &mut chain)?;
    chain.words(&call.rest);
    if call.has('v') {
        let shown: Vec<String> = chain.0.iter().map(|word| quoted(word)).collect();
        call.info(format!("this becomes {}", shown.join(" ")));
    }
    Ok(call.chain(&chain.0, call.environment.clone()))
}

fn limits(call: &Invocation, chain: &mut Chain) -> Result<(), Failure> {
    let mut options: Vec<OsString> = Vec::new();
    for letter in ['m', 'd', 'o', 'p', 'f', 'c'] {
        if let Some(limit) = call.large_number(letter)? {
            options.extend([format!("-{letter}").into(), limit.to_string().into()]);
        }
    }
    if !options.is_empty() {
        chain.program("s6-softlimit");
        chain.words(&options);
        chain.end_of_options();
    }
    Ok(())
}

/// Another name or another root, which come right before the program.
fn last(call: &Invocation, chain: &mut Chain) -> Result<(), Failure> {
    if let Some(root) = call.value('/') {
        let path = Path::new(root);
        let found = path.canonicalize();
        let found = found.map_err(|error| Error::on("look at", path, Errno::of(&error)))?;
        if call.has('b') {
            call.warning("ignoring -b, which goes not with -/");
        }
        chain.program("s6-chroot");
        chain.words(&[found.into()]);
    } else if let Some(name) = call.value('b') {
        chain.program("exec");
        chain.text("-a", Some(name));
        chain.end_of_options();
    }
    Ok(())
}

/// Who `-u` says to become.
#[derive(Debug, PartialEq, Eq)]
struct Becomes {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Becomes {
    /// `name[:group...]`, or `:uid[:gid...]`. The first group is the main one.
    fn parse(text: &OsStr) -> Result<Becomes, Failure> {
        match text.as_bytes().strip_prefix(b":") {
            Some(numbers) => Becomes::by_number(numbers, &Accounts::of_root(Path::new("/"))),
            None => Becomes::by_name(text, &Accounts::of_root_exactly(Path::new("/"))?),
        }
    }

    /// Without a group it is that of the account; there is no keeping ours.
    fn by_number(text: &[u8], accounts: &Accounts) -> Result<Becomes, Failure> {
        let parts = text.split(|&byte| byte == b':').map(OsStr::from_bytes);
        let all: Result<Vec<u32>, Failure> = parts.map(|part| ids::id("option -u", part)).collect();
        let all = all?;
        let (&uid, gids) = all.split_first().ok_or_else(|| Failure::usage("option -u: nobody"))?;
        if let Some((&gid, groups)) = gids.split_first() {
            return Ok(Becomes { uid, gid, groups: groups.to_vec() });
        }
        let account = accounts.user_name(uid).and_then(|name| accounts.user(name));
        let unknown =
            || Failure::new(100, format!("option -u: {uid} has no account; say :{uid}:GID"));
        Ok(Becomes { uid, gid: account.ok_or_else(unknown)?.gid, groups: Vec::new() })
    }

    fn by_name(text: &OsStr, accounts: &Accounts) -> Result<Becomes, Failure> {
        let unknown = |kind: &str, name: &OsStr| {
            Failure::new(100, format!("option -u: there is no {kind} {}", quoted(name)))
        };
        let mut parts = text.as_bytes().split(|&byte| byte == b':').map(OsStr::from_bytes);
        let name = parts.next().unwrap_or_default();
        let user = name.to_str().and_then(|name| accounts.user(name));
        let user = user.ok_or_else(|| unknown("user", name))?;
        let group = |name: &OsStr| {
            let known = name.to_str().and_then(|name| accounts.group(name));
            known.ok_or_else(|| unknown("group", name))
        };
        let gids: Vec<u32> = parts.map(group).collect::<Result<_, _>>()?;
        let (gid, groups) =
            gids.split_first().map_or((user.gid, &[][..]), |(gid, rest)| (*gid, rest));
        Ok(Becomes { uid: user.uid, gid, groups: groups.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_to_become() {
        let accounts = Accounts::new("web:x:5:6::/:/bin/sh\n", "one:x:1:\ntwo:x:2:\n");
        let names = |text| Becomes::by_name(OsStr::new(text), &accounts).map_err(|f| f.code);
        let numbers = |text: &str| {
            Becomes::by_number(text.as_bytes(), &accounts).map_err(|failure| failure.code)
        };
        let becomes = |uid, gid, groups: &[u32]| Ok(Becomes { uid, gid, groups: groups.to_vec() });
        assert_eq!(names("web"), becomes(5, 6, &[]));
        assert_eq!(names("web:one"), becomes(5, 1, &[]));
        assert_eq!(names("web:one:two"), becomes(5, 1, &[2]));
        assert_eq!(numbers("7:8:9:10"), becomes(7, 8, &[9, 10]));
        assert_eq!(numbers("5"), becomes(5, 6, &[]));
        for wrong in ["", "nobody", "web:", "web:three", "5"] {
            assert_eq!(names(wrong), Err(100), "{wrong}");
        }
        for wrong in ["", "7", "x", "7:x", "7:"] {
            assert_eq!(numbers(wrong), Err(100), "{wrong}");
        }
    }
}
