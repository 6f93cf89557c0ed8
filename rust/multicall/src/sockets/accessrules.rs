//! s6-accessrules-cdb-from-fs and s6-accessrules-fs-from-cdb: access rules as a directory and as a
//! database, each made from the other.

use crate::invocation::{octal, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::model::access_rules::{Database, in_directory};
use s6x_core::sys::dir::Dir;
use s6x_core::sys::{dir, fd, process};
use s6x_core::wire::access_rules::{MOST, Rule, Terms};
use s6x_core::wire::cdb;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// s6-accessrules-cdb-from-fs.
pub static CDB_FROM_FS: Applet = Applet {
    name: "s6-accessrules-cdb-from-fs",
    section: Section::Sockets,
    about: "Make a database from a directory of access rules",
    options: &[value('m', "mode", "the mode of the database, octal (0600)").long("mode")],
    arguments: "cdbfile dir",
    syntax: Syntax::Long,
    exit_codes: &[
        ("100", "wrong usage, or a rule is too long"),
        ("111", "the rules cannot be read, or the database not be written; an old one stays"),
    ],
    run: cdb_from_fs,
};

/// s6-accessrules-fs-from-cdb.
pub static FS_FROM_CDB: Applet = Applet {
    name: "s6-accessrules-fs-from-cdb",
    section: Section::Sockets,
    about: "Make a directory of access rules from a database",
    options: &[],
    arguments: "dir cdbfile",
    syntax: Syntax::Posix,
    exit_codes: &[("111", "there is something of that name, or the database is none of rules")],
    run: fs_from_cdb,
};

fn cdb_from_fs(call: &Invocation) -> Result<Exit, Failure> {
    let wrong = |text| Failure::usage(format!("option -m: {} is no mode like 640", quoted(text)));
    let mode = call.value('m').map(|text| octal(text).ok_or_else(|| wrong(text))).transpose()?;
    let file = Path::new(call.argument(0, "cdbfile")?);
    let directory = Path::new(call.argument(1, "directory")?);
    call.warn_of_more_than(2);
    let mut records = Vec::new();
    for key in keys(directory)? {
        if let Some(rule) = in_directory(directory, &key)? {
            let place = directory.join(&key);
            if let Rule::Allow(Terms { exec: Some(line), .. }) = &rule
                && line.len() == MOST
            {
                let file = shown(&place.join("exec"));
                call.warning(format!("{file} may be cut: at most {MOST} bytes are taken"));
            }
            let too_long = |how| Failure::new(100, format!("{}: {how}", shown(&place)));
            records.push((key.into_os_string().into_vec(), rule.pack().map_err(too_long)?));
        }
    }
    let records = records.iter().map(|(key, data)| (key.as_slice(), data.as_slice()));
    let content = cdb::write(records).ok_or_else(|| Failure::new(100, "too many rules"))?;
    write(file, &content, mode)?;
    Ok(Exit::SUCCESS)
}

/// The keys below a directory of rules, in the order of names, so that equal rules are equal bytes.
fn keys(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let names = |path: &Path| -> Result<Vec<OsString>, Failure> {
        let names = Dir::open(path).and_then(|dir| dir.sorted_names());
        let mut names = names.map_err(|errno| Error::on("read", path, errno))?;
        names.retain(|name| !name.as_bytes().starts_with(b"."));
        Ok(names)
    };
    let mut keys = Vec::new();
    for kind in names(directory)? {
        let below = names(&directory.join(&kind))?;
        keys.extend(below.into_iter().map(|name| Path::new(&kind).join(name)));
    }
    Ok(keys)
}

/// Replaces a file whole, on disk before it has its name.
fn write(file: &Path, content: &[u8], mode: Option<u32>) -> Result<(), Failure> {
    let (new, made) = make_beside(file)?;
    let written = fd::write_all(&made, content)
        .and_then(|()| fd::sync(&made))
        .and_then(|()| mode.map_or(Ok(()), |mode| dir::chmod(&made, mode)))
        .and_then(|()| fs::rename(&new, file).map_err(|error| Errno::of(&error)));
    written.map_err(|errno| {
        let _ = dir::unlink(&new); // the first failure is the one to tell
        Error::on("write", file, errno).into()
    })
}

/// A new file beside this one, which nobody else can read; what others may have left there stays.
fn make_beside(file: &Path) -> Result<(PathBuf, OwnedFd), Failure> {
    let mut attempts = (0..100).map(|attempt| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(":s6-accessrules-cdb-from-fs:{}-{attempt}", process::own_pid()));
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name);
        (PathBuf::from(name), made.map_err(|error| Errno::of(&error)))
    });
    let free = attempts.find(|(_, made)| made.as_ref().err() != Some(&Errno::EXISTS));
    let (path, made) = free.unwrap_or_else(|| (file.to_owned(), Err(Errno::EXISTS)));
    let made = made.map_err(|errno| Error::on("make", &path, errno))?;
    Ok((path, OwnedFd::from(made)))
}

fn fs_from_cdb(call: &Invocation) -> Result<Exit, Failure> {
    let directory = Path::new(call.argument(0, "directory")?);
    let file = Path::new(call.argument(1, "cdbfile")?);
    call.warn_of_more_than(2);
    // Everything is known to be right before anything is made.
    let unusable = |error: Error| Failure::new(111, error.to_string());
    let rules = Database::open(file).and_then(|database| database.rules()).map_err(unusable)?;
    for (key, rule) in &rules {
        check(file, key, rule)?;
    }
    let umask = process::umask(0);
    let made = fs::DirBuilder::new().mode(0o755).create(directory);
    process::umask(umask);
    made.map_err(|error| Error::on("make", directory, Errno::of(&error)))?;
    for (key, rule) in &rules {
        let place = directory.join(key);
        if let Err(error) = write_rule(&place, rule) {
            let _ = fs::remove_dir_all(directory); // the first failure is the one to tell
            return Err(Error::on("write", place, Errno::of(&error)).into());
        }
    }
    Ok(Exit::SUCCESS)
}

/// That a rule can be written below a directory, and nowhere else.
fn check(file: &Path, key: &OsStr, rule: &Rule) -> Result<(), Failure> {
    let wrong = |what: &str, name: &OsStr| {
        let file = shown(file);
        Failure::new(111, format!("{file} has {what} {}, which is no name of a file", quoted(name)))
    };
    if !key.as_bytes().split(|&byte| byte == b'/').all(is_name) {
        return Err(wrong("a rule for", key));
    }
    let Rule::Allow(terms) = rule else { return Ok(()) };
    match terms.env.iter().find(|(name, _)| !is_name(name.as_bytes())) {
        Some((name, _)) => Err(wrong("a variable", name)),
        None => Ok(()),
    }
}

/// Whether a file can have this name, and is then in the directory where it is made.
fn is_name(name: &[u8]) -> bool {
    let special = matches!(name, b"" | b"." | b"..");
    !special && name.len() < 256 && !name.iter().any(|byte| b"/\0".contains(byte))
}

fn write_rule(place: &Path, rule: &Rule) -> io::Result<()> {
    let make = |path: &Path| {
        let umask = process::umask(0);
        let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
        process::umask(umask);
        made
    };
    make(place)?;
    let Rule::Allow(terms) = rule else { return fs::write(place.join("deny"), "") };
    fs::write(place.join("allow"), "")?;
    if !terms.env.is_empty() {
        make(&place.join("env"))?;
    }
    for (name, value) in &terms.env {
        let content = match value {
            // A newline within a value is a NUL in its file.
            Some(value) => {
                let line =
                    value.as_bytes().iter().map(|&byte| if byte == b'\n' { 0 } else { byte });
                line.chain([b'\n']).collect()
            }
            None => Vec::new(),
        };
        fs::write(place.join("env").join(name), content)?;
    }
    match &terms.exec {
        Some(line) => fs::write(place.join("exec"), line.as_bytes()),
        None => Ok(()),
    }
}
