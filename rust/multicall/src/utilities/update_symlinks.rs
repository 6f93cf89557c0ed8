//! s6-update-symlinks: several directories as one, by symbolic links.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::run::tree;
use s6x_core::sys::{path, random};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// s6-update-symlinks.
pub static APPLET: Applet = Applet {
    name: "s6-update-symlinks",
    section: Section::Utilities,
    about: "Make a directory of links to what is in others, the last ones first in rank",
    options: &[],
    arguments: "/destdir /srcdir...",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or a directory and a file have the same name")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (target, sources) = match call.rest.split_first() {
        Some((target, sources)) if !sources.is_empty() => (target, sources),
        Some(_) | None => return Err(Failure::usage("destination and sources needed")),
    };
    if let Some(word) = call.rest.iter().find(|word| !word.as_bytes().starts_with(b"/")) {
        return Err(Failure::usage(format!("{} does not begin with /", shown(Path::new(word)))));
    }
    let end = target.as_bytes().iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let target = OsStr::from_bytes(target.as_bytes().get(..end).unwrap_or(&[]));
    if target.is_empty() {
        return Err(Failure::new(111, "unable to replace root directory"));
    }
    let new = temporary(target, ":s6-update-symlinks-new:")?;
    let built = sources.iter().try_for_each(|source| {
        add(Path::new(source), &new)
            .map(drop)
            .map_err(|stop| stop.of(Path::new(source), &new, target))
    });
    if let Err(failure) = built.and_then(|()| put(&new, Path::new(target))) {
        let _ = tree::remove(&new); // the first failure is the one to tell
        return Err(failure);
    }
    if let Err(error) = tree::remove(&new) {
        call.warning(error.to_string());
    }
    Ok(Exit::SUCCESS)
}

/// A name beside the target that nobody has.
fn temporary(target: &OsStr, infix: &str) -> Result<PathBuf, Failure> {
    let mut name = target.to_owned();
    name.push(infix);
    let random = random::name(16);
    name.push(random.map_err(|errno| Error::system("make a random name", errno))?);
    Ok(name.into())
}

/// Puts the new directory in the target's place; what was there may have the new one's name then.
fn put(new: &Path, target: &Path) -> Result<(), Failure> {
    let failed = |error: &io::Error| {
        let what = format!("rename {} to {}", shown(new), shown(target));
        Failure::from(Error::system(what, Errno::of(error)))
    };
    if fs::rename(new, target).is_ok() || path::exchange(new, target).is_ok() {
        return Ok(());
    }
    // For a moment nothing is there: this file system cannot do better.
    let old = temporary(target.as_os_str(), ":s6-update-symlinks-old:")?;
    fs::rename(target, &old).map_err(|error| failed(&error))?;
    if let Err(error) = fs::rename(new, target) {
        let _ = fs::rename(&old, target); // back to where it was
        return Err(failed(&error));
    }
    tree::remove(&old).map_err(Failure::from)
}

/// What became of a name in the destination.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is new, or partly.
    Modified,
    /// All of it was there, and is from the new source now.
    Overridden,
}

/// Why a source cannot be added.
enum Stop {
    /// A directory there, no directory here.
    Conflict(PathBuf, PathBuf),
    System(Errno),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::System(Errno::of(&error))
    }
}

impl Stop {
    /// As a failure to add `source` to `new`, which is to become `target`.
    fn of(self, source: &Path, new: &Path, target: &OsStr) -> Failure {
        match self {
            Stop::Conflict(there, here) => {
                let below = there.strip_prefix(new).unwrap_or(Path::new(""));
                let there = Path::new(target).join(below);
                let message =
                    format!("destination {} conflicts with source {}", shown(&there), shown(&here));
                Failure::new(100, message)
            }
            Stop::System(errno) => Error::on("process", source, errno).into(),
        }
    }
}

/// Adds a source. No deeper than a path can be: the kernel refuses longer ones.
fn add(source: &Path, new: &Path) -> Result<Change, Stop> {
    match symlink(source, new) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            made?;
            return Ok(Change::Modified);
        }
    }
    if !new.is_dir() {
        fs::remove_file(new)?;
        symlink(source, new)?;
        return Ok(Change::Overridden);
    }
    if !fs::metadata(source)?.is_dir() {
        return Err(Stop::Conflict(new.to_owned(), source.to_owned()));
    }
    let there = names(new)?;
    if new.is_symlink() {
        let target = fs::read_link(new)?;
        fs::remove_file(new)?;
        fs::create_dir(new)?;
        for name in &there {
            symlink(target.join(name), new.join(name))?;
        }
    }
    let here = names(source)?;
    let mut overridden = here.len() == there.len();
    for name in &here {
        overridden &= add(&source.join(name), &new.join(name))? == Change::Overridden;
    }
    if !overridden {
        return Ok(Change::Modified);
    }
    tree::remove(new).map_err(|error| Stop::System(error.errno().unwrap_or(Errno(0))))?;
    symlink(source, new)?;
    Ok(Change::Overridden)
}

fn names(dir: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}
