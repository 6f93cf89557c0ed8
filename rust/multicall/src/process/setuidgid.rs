//! s6-setuidgid: become another user by name.

use super::envuidgid::unknown;
use super::ids::{id, unset};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::sys::credentials::Credentials;
use s6x_core::sys::user::Accounts;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-setuidgid.
pub static APPLET: Applet = Applet {
    name: "s6-setuidgid",
    section: Section::Process,
    about: "Become another user, with its groups and no others, and run a program",
    options: &[],
    arguments: "account|uid:gid prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the account is unknown"),
        ("111", "the kernel refuses; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "account")?;
    call.argument(1, "program")?;
    let mut environment = call.environment.clone();
    if name.as_bytes().contains(&b':') {
        by_number(name)?.apply()?;
    } else if !name.is_empty() {
        by_name(name)?.apply()?;
        unset(&mut environment); // as after s6-envuidgid and s6-applyuidgid -Uz
    }
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

/// An account, with the groups that list it. A 0 is an id here, and does not mean "leave it".
fn by_name(name: &OsStr) -> Result<Credentials, Failure> {
    let accounts = Accounts::of_root_exactly(Path::new("/"))?;
    let known = name.to_str().and_then(|name| Some((name, accounts.user(name)?)));
    let (name, user) = known.ok_or_else(|| unknown("user", name))?;
    Ok(Credentials::whole(user.uid, user.gid, accounts.groups_of(name)))
}

/// `uid:gid`, without supplementary groups.
fn by_number(word: &OsStr) -> Result<Credentials, Failure> {
    let mut parts = word.as_bytes().splitn(2, |&byte| byte == b':').map(OsStr::from_bytes);
    let mut part = |of: &str| id(of, parts.next().unwrap_or_default());
    let (uid, gid) = (part("uid:gid")?, part("uid:gid")?);
    Ok(Credentials::whole(uid, gid, Vec::new()))
}
