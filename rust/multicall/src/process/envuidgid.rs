//! s6-envuidgid: an account's ids as variables, for programs that give up their rights by themselves.

use super::ids::{GID, GIDLIST, UID, id, joined, list};
use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::sys::user::Accounts;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-envuidgid.
pub static APPLET: Applet = Applet {
    name: "s6-envuidgid",
    section: Section::Process,
    about: "Run a program with an account's ids in the variables UID, GID and GIDLIST",
    options: &[
        flag('u', "the account is a user's name: UID alone"),
        flag('g', "the account is a group's name: GID alone"),
        flag('B', "the account is user:group, for UID and GID"),
        flag('n', "as -B, unless -u or -g; what is no name may be a number"),
        flag('i', "fail if the account is unknown (default)"),
        value('D', "uid:gid:gidlist", "what an unknown account has"),
    ],
    arguments: "account prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the account is unknown"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

/// What an account has when nobody says otherwise.
#[derive(Debug, Default)]
struct Ids {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

/// How to look up a name.
struct Lookup<'a> {
    accounts: &'a Accounts,
    numbers: bool,
    unknown_is_fine: bool,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let defaults = call.value('D').map(ids).transpose()?;
    let word = call.argument(0, "account")?;
    call.argument(1, "program")?;
    let accounts = Accounts::of_root_exactly(Path::new("/"))?;
    let lookup = Lookup {
        accounts: &accounts,
        numbers: call.has('n'),
        unknown_is_fine: call.last_of("iD") == Some('D'),
    };
    let defaults = defaults.unwrap_or_default();
    let mut environment = call.environment.clone();
    let mut put = |name: &str, value: String| environment.set(name, value);
    match call.last_of("ugB").or(call.has('n').then_some('B')) {
        Some('u') => put(UID, lookup.user(word)?.unwrap_or(defaults.uid).to_string()),
        Some('g') => put(GID, lookup.group(word)?.unwrap_or(defaults.gid).to_string()),
        Some(_) => {
            let (user, group) = halves(word);
            let gid = group.map(|group| lookup.group(group)).transpose()?.flatten();
            let uid = user.map(|user| lookup.user(user)).transpose()?.flatten();
            put(UID, uid.unwrap_or(defaults.uid).to_string());
            put(GID, gid.unwrap_or(defaults.gid).to_string());
        }
        None => {
            let found = match account(&accounts, word) {
                Ok(found) => found,
                Err(_) if lookup.unknown_is_fine => defaults,
                Err(failure) => return Err(failure),
            };
            put(UID, found.uid.to_string());
            put(GID, found.gid.to_string());
            put(GIDLIST, joined(&found.groups));
        }
    }
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

impl Lookup<'_> {
    /// A user's id. `None`: unknown, which is fine.
    fn user(&self, name: &OsStr) -> Result<Option<u32>, Failure> {
        let known = name.to_str().and_then(|name| self.accounts.user(name)).map(|user| user.uid);
        self.known(known, name).map_or_else(|| self.missing("user", name), |id| Ok(Some(id)))
    }

    /// A group's id. `None`: unknown, which is fine.
    fn group(&self, name: &OsStr) -> Result<Option<u32>, Failure> {
        let known = name.to_str().and_then(|name| self.accounts.group(name));
        self.known(known, name).map_or_else(|| self.missing("group", name), |id| Ok(Some(id)))
    }

    fn known(&self, known: Option<u32>, name: &OsStr) -> Option<u32> {
        known.or_else(|| number(name).filter(|_| self.numbers))
    }

    fn missing(&self, kind: &str, name: &OsStr) -> Result<Option<u32>, Failure> {
        if self.unknown_is_fine { Ok(None) } else { Err(unknown(kind, name)) }
    }
}

/// Everything about an account.
fn account(accounts: &Accounts, name: &OsStr) -> Result<Ids, Failure> {
    let known = name.to_str().and_then(|name| Some((name, accounts.user(name)?)));
    let (name, user) = known.ok_or_else(|| unknown("user", name))?;
    Ok(Ids { uid: user.uid, gid: user.gid, groups: accounts.groups_of(name) })
}

/// What to say of a name that is in no file.
pub(super) fn unknown(kind: &str, name: &OsStr) -> Failure {
    let file = if kind == "user" { "/etc/passwd" } else { "/etc/group" };
    let message = format!("unknown {kind}: {} has no line in {file}", quoted(name));
    Failure::new(1, message)
}

/// `user:group`, of which each may be missing.
fn halves(word: &OsStr) -> (Option<&OsStr>, Option<&OsStr>) {
    let mut parts = word.as_bytes().splitn(2, |&byte| byte == b':');
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(OsStr::from_bytes);
    (part(), part())
}

/// `uid:gid:gidlist`, of which each may be missing, but not everything: an empty word comes of a
/// variable that was.
fn ids(word: &OsStr) -> Result<Ids, Failure> {
    if word.is_empty() {
        return Err(Failure::usage("option -D: no ids given"));
    }
    let mut parts = word.as_bytes().splitn(3, |&byte| byte == b':').map(OsStr::from_bytes);
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let number = |word: Option<&OsStr>| word.map_or(Ok(0), |word| id("option -D", word));
    let (uid, gid) = (number(part())?, number(part())?);
    Ok(Ids { uid, gid, groups: list("option -D", part().unwrap_or_default())? })
}
