//! cd, posix-cd: another working directory for a program; getcwd.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::shown;
use s6x_core::execline::path;
use s6x_core::sys::{dir, process};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// execline-cd, also called `cd`.
pub static CD: Applet = Applet {
    name: "execline-cd",
    section: Section::Execline,
    about: "Run a program in another working directory",
    options: &[],
    arguments: "path prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: cd,
};

/// posix-cd.
pub static POSIX_CD: Applet = Applet {
    name: "posix-cd",
    section: Section::Execline,
    about: "Run a program in another working directory, as POSIX says of cd",
    options: &[
        flag('L', "take .. for the way back along the path's words (default)"),
        flag('P', "take .. for the directory's own parent"),
    ],
    arguments: "[ path | - ] [ prog... ]",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run: posix_cd,
};

fn cd(call: &Invocation) -> Result<Exit, Failure> {
    let path = call.argument(0, "path")?;
    call.argument(1, "program")?;
    enter(path, path)?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

/// Makes `path` the working directory; messages name what the caller said.
fn enter(path: &OsStr, said: &OsStr) -> Result<(), Failure> {
    Ok(process::enter(path).map_err(|errno| Error::on("chdir to", Path::new(said), errno))?)
}

fn posix_cd(call: &Invocation) -> Result<Exit, Failure> {
    let (said, prog) = match call.rest.split_first() {
        Some((word, prog)) => (word.as_os_str(), prog),
        None => (OsStr::new("~"), call.rest.as_slice()),
    };
    let (wanted, is_back) = match said.as_bytes() {
        b"-" => (call.environment.filled("OLDPWD"), true),
        b"~" if call.rest.is_empty() => (call.environment.filled("HOME"), false),
        _ => (Some(said).filter(|said| !said.is_empty()), false),
    };
    let wanted = wanted.ok_or_else(|| Failure::usage("no directory to go to"))?;
    let found = along_cdpath(wanted, &call.environment);
    let is_told = is_back || found.is_some();
    let old = current_directory()?;
    let target = found.unwrap_or_else(|| wanted.to_owned());
    let target = match call.last_of("LP") {
        Some('P') => target,
        Some(_) | None => logical(&target, call.environment.lookup("PWD"), &old)?,
    };
    enter(&target, wanted)?;
    let new = match call.last_of("LP") {
        Some('P') => current_directory()?,
        Some(_) | None => target,
    };
    if is_told {
        call.print([new.as_bytes(), b"\n"].concat())?;
    }
    let mut environment = call.environment.clone();
    environment.put("OLDPWD", &old);
    environment.put("PWD", &new);
    if prog.is_empty() { Ok(Exit::SUCCESS) } else { Ok(call.chain(prog, environment)) }
}

/// Where `CDPATH` leads to the directory, if it has a say and leads to one.
fn along_cdpath(wanted: &OsStr, environment: &Environment) -> Option<OsString> {
    let parts = environment.lookup("CDPATH").filter(|_| path::is_searched(wanted.as_bytes()))?;
    let parts = parts.as_bytes().strip_suffix(b":").unwrap_or(parts.as_bytes());
    if parts.is_empty() {
        return None;
    }
    let below = |part: &[u8]| match part {
        b"" => [b"./", wanted.as_bytes()].concat(),
        part if part.ends_with(b"/") => [part, wanted.as_bytes()].concat(),
        part => [part, b"/", wanted.as_bytes()].concat(),
    };
    let mut candidates = parts.split(|&byte| byte == b':').map(below).map(OsString::from_vec);
    candidates.find(|path| dir::stat_path(path).is_ok_and(|stat| stat.is_dir()))
}

/// The path with every `..` taken for the way back, below `PWD` if it is not absolute.
fn logical(path: &OsStr, pwd: Option<&OsStr>, cwd: &OsStr) -> Result<OsString, Failure> {
    let pwd = pwd.filter(|pwd| pwd.as_bytes().starts_with(b"/")).unwrap_or(cwd);
    let whole = match path.as_bytes() {
        absolute @ [b'/', ..] => absolute.to_vec(),
        relative => [pwd.as_bytes(), b"/", relative].concat(),
    };
    let is_directory = |path: &[u8]| dir::stat_path(OsStr::from_bytes(path)).map(drop);
    let failed = |(part, errno): (Vec<u8>, _)| {
        let (whole, part) = (OsStr::from_bytes(&whole), OsStr::from_bytes(&part));
        let (whole, part) = (shown(Path::new(whole)), shown(Path::new(part)));
        Error::system(format!("canonicalize {whole}: problem with {part}"), errno)
    };
    Ok(path::canonical(&whole, is_directory).map(OsString::from_vec).map_err(failed)?)
}

/// The working directory's path.
pub(super) fn current_directory() -> Result<OsString, Failure> {
    Ok(process::current_directory().map_err(|errno| Error::system("getcwd", errno))?)
}
