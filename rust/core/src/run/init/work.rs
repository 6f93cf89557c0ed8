//! What the children of PID 1 do that are no programs: everything that could make it wait.
//!
//! A worker is forked and runs one of these functions to its end. What it has to say goes to stderr, and
//! its exit code is the step's.

use super::facts::{Affairs, hold, path_of};
use crate::error::{Errno, Error, Result};
use crate::machine::wait::{Enough, Goal};
use crate::model::envdir;
use crate::run::fix_attrs::{self, Told};
use crate::run::observe::{self, Watch};
use crate::run::tree;
use crate::sys::dir::{Dir, Stat};
use crate::sys::inode::Inode;
use crate::sys::user::Accounts;
use crate::sys::{clock, fd, poll};
use crate::wire::plan::Op;
use crate::wire::plan::text::{Facts, Text};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The code of a file operation that failed.
const FAILED: u8 = 111;
/// A file of rules is read up to here.
const RULES_MOST: usize = 16 * 1024 * 1024;
/// How often to look for a supervisor that has just been asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Says something on stderr.
fn warn(what: &str) {
    fd::complain(&format!("init: warning: {what}\n"));
}

/// File operations, in order; the first that fails ends them.
pub(super) fn files(ops: &[Op], facts: &Facts, affairs: Affairs, fatal: bool) -> u8 {
    for op in ops {
        if let Err(error) = file(op, facts, affairs) {
            let level = if fatal { "fatal" } else { "warning" };
            fd::complain(&format!("init: {level}: {error}\n"));
            return FAILED;
        }
    }
    0
}

fn file(op: &Op, facts: &Facts, affairs: Affairs) -> Result<()> {
    let path = |text: &Text| path_of(text, facts);
    match op {
        Op::Mkdir(at, mode) => tree::make_directories(&path(at), *mode),
        Op::Remove(at) => tree::remove(&path(at)),
        Op::Copy(from, to) => {
            tree::copy(&path(from), &path(to), &mut |error| warn(&error.to_string()))
        }
        Op::Link(target, at) => link(&path(target), &path(at)),
        Op::Fifo(at, mode) => fifo(&path(at), *mode),
        Op::Write(at, content, mode) => write(&path(at), &content.plain(facts), *mode),
        Op::DumpEnvironment(at) => {
            let directory = path(at);
            tree::make_directories(&directory, 0o755)?;
            envdir::dump(&facts.env, &directory, &mut |error| warn(&error.to_string()))
        }
        Op::Try(op) => {
            let _ = file(op, facts, affairs); // that is what the plan says
            Ok(())
        }
        Op::When(conditions, op) if hold(conditions, facts, affairs) => file(op, facts, affairs),
        Op::When(..) => Ok(()),
    }
}

/// Makes a link unless the path already leads to the same file; replaces only links.
fn link(target: &Path, at: &Path) -> Result<()> {
    let failed = |errno| Error::on("create the link", at, errno);
    let (dir, name) = place(at)?;
    let identity = |found: std::result::Result<Stat, Errno>| found.ok().map(|stat| stat.identity);
    let there = identity(dir.stat(&name));
    if there.is_some() && there == identity(dir.stat(target)) {
        return Ok(());
    }
    if dir.lstat(&name).is_ok_and(|found| found.is_link()) {
        dir.unlink(&name).map_err(failed)?;
    }
    dir.symlink(target, &name).map_err(failed)
}

fn fifo(at: &Path, mode: u32) -> Result<()> {
    let failed = |errno| Error::on("create the fifo", at, errno);
    let (dir, name) = place(at)?;
    match dir.mkfifo(&name, 0o600) {
        Ok(()) => {}
        Err(Errno::EXISTS) if dir.lstat(&name).is_ok_and(|found| found.is_fifo()) => {}
        Err(errno) => return Err(failed(errno)),
    }
    Inode::of(&dir, &name).and_then(|made| made.chmod(mode)).map_err(failed)
}

fn write(at: &Path, content: &[u8], mode: u32) -> Result<()> {
    let (dir, name) = place(at)?;
    envdir::write(&dir, &name, content, mode).map_err(|errno| Error::on("write", at, errno))
}

/// The directory of a path, and its last name.
fn place(path: &Path) -> Result<(Dir, OsString)> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().ok_or_else(|| Error::on("create", path, Errno::EXISTS))?;
    let dir = Dir::open(parent).map_err(|errno| Error::on("open", parent, errno))?;
    Ok((dir, name.to_owned()))
}

/// Rules about owners and modes, a text or a file. What cannot be done is told, and counts as done, as in
/// the originals; only a file that cannot be read does not.
pub(super) fn rules(text: std::result::Result<&[u8], &Path>, hidden: bool) -> u8 {
    let accounts = Accounts::of_root(Path::new("/"));
    let helpers = fix_attrs::spare_processors();
    let say = |level: &str, what: &str| fd::complain(&format!("fix-attrs: {level}: {what}\n"));
    let mut tell = |told: Told<'_>| match told {
        Told::Problem(problem) => say("warning", problem),
        Told::Progress(line) => say("info", line),
    };
    match text {
        Ok(text) => {
            fix_attrs::apply(text, "rules", &accounts, hidden, helpers, &mut tell);
        }
        Err(path) => {
            let root = Dir::open("/");
            match root.and_then(|root| root.read(path, RULES_MOST)) {
                Ok(text) => {
                    let source = crate::error::shown(path);
                    fix_attrs::apply(&text, &source, &accounts, hidden, helpers, &mut tell);
                }
                Err(errno) => {
                    tell(Told::Problem(&Error::on("read", path, errno).to_string()));
                    return FAILED;
                }
            }
        }
    }
    0
}

/// Copies every subdirectory of `from` into the scan directory.
pub(super) fn services(from: &Path, scandir: &Path) -> u8 {
    let mut code = 0;
    let names = match subdirectories(from) {
        Ok(names) => names,
        Err(error) => {
            warn(&error.to_string());
            return FAILED;
        }
    };
    for name in names {
        let (source, target) = (from.join(&name), scandir.join(&name));
        // A link to a service directory stands for the directory.
        let source = std::fs::canonicalize(&source).unwrap_or(source);
        if let Err(error) = tree::copy(&source, &target, &mut |error| warn(&error.to_string())) {
            warn(&error.to_string());
            code = FAILED;
        }
    }
    code
}

/// Waits until each service of `from` without a `down` file is ready, or up where it does not tell.
pub(super) fn await_services(from: &Path, scandir: &Path) -> u8 {
    let mut code = 0;
    for name in awaited(from).unwrap_or_default() {
        let tells = from.join(&name).join("notification-fd").exists();
        let goal = if tells { Goal::UpReady } else { Goal::Up };
        match await_service(&scandir.join(&name), goal) {
            Ok(0) => {}
            Ok(_) => code = 1,
            Err(error) => {
                warn(&error.to_string());
                code = FAILED;
            }
        }
    }
    code
}

/// The services of a directory that are to be up.
pub(super) fn awaited(from: &Path) -> Result<Vec<OsString>> {
    let mut names = subdirectories(from)?;
    names.retain(|name| !from.join(name).join("down").exists());
    Ok(names)
}

fn await_service(service: &Path, goal: Goal) -> Result<usize> {
    loop {
        // Its supervisor may not have come that far; the limit of the step is ours too.
        let supervised = observe::is_supervised(service)? && observe::status(service).is_ok();
        if supervised {
            let mut watch = Watch::on(&[service], goal, Enough::All)?;
            if let Some(lost) = watch.until(None)? {
                return Ok(lost);
            }
        }
        let _ = poll::readable(&[], Some(clock::monotonic() + LOOK_AGAIN));
    }
}

/// Directories below a directory, links to directories included, sorted, no dot names.
pub(super) fn subdirectories(path: &Path) -> Result<Vec<OsString>> {
    let failed = |errno| Error::on("read", path, errno);
    let dir = Dir::open(path).map_err(failed)?;
    let mut names = dir.sorted_names().map_err(failed)?;
    names.retain(|name| {
        !name.as_bytes().starts_with(b".") && dir.stat(name).is_ok_and(|found| found.is_dir())
    });
    Ok(names)
}

/// The entries of a directory that a step takes one after the other: bytewise order, no dot names.
pub(super) fn entries(path: &Path) -> Result<Vec<Vec<u8>>> {
    let failed = |errno| Error::on("read", path, errno);
    let names = Dir::open(path).and_then(|dir| dir.sorted_names()).map_err(failed)?;
    let names = names.into_iter().map(OsStringExt::into_vec);
    Ok(names.filter(|name| !name.starts_with(b".")).collect())
}

/// A path below a directory, by a name from [`entries`].
pub(super) fn below(directory: &Path, name: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(name))
}

/// Writes a small file of the container's state at once.
pub(super) fn note(at: &Path, content: &[u8]) -> Result<()> {
    write(at, content, 0o644)
}

/// Reads a small file of the container's state.
pub(super) fn read_note(at: &Path) -> Option<Vec<u8>> {
    let (dir, name) = place(at).ok()?;
    dir.read(&name, 64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::fs;

    #[test]
    fn links_are_made_once_and_replace_only_links() {
        let top = std::env::temp_dir().join(format!("s6x-work-{}", process::own_pid()));
        fs::create_dir_all(top.join("real")).expect("the temporary directory is writable");
        fs::write(top.join("file"), "").expect("writable");
        link(&top.join("real"), &top.join("name")).expect("made");
        link(&top.join("real"), &top.join("name")).expect("there already");
        link(&top.join("real"), &top.join("real")).expect("the same file: left alone");
        assert!(fs::symlink_metadata(top.join("real")).expect("there").is_dir());
        link(&top.join("file"), &top.join("name")).expect("a link is replaced");
        assert_eq!(fs::read_link(top.join("name")).expect("a link"), top.join("file"));
        let error = link(&top.join("real"), &top.join("file")).expect_err("a file is not");
        assert!(error.to_string().contains("File exists"), "{error}");
        fs::remove_dir_all(top).expect("ours");
    }
}
