//! s6-ln: makes links.

use super::names;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::{path, random};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// s6-ln.
pub static APPLET: Applet = Applet {
    name: "s6-ln",
    section: Section::Utilities,
    about: "Make links: dest to src, or in the directory dest to each src",
    options: &[
        flag('n', "a link to a directory is no directory: if dest is one, it is in the way"),
        flag('s', "symbolic links"),
        flag('f', "replace what is there, at once"),
        flag('L', "if src is a symbolic link, make a hard link to what it leads to"),
        flag('P', "make a hard link to the symbolic link itself"),
    ],
    arguments: "src... dest",
    syntax: Syntax::Posix,
    exit_codes: &[("n", "so many links could not be made, 255 at most")],
    run,
};

/// How often a name for a new link may be taken already.
const ATTEMPTS: u32 = 100;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (Some((dest, sources)), true) = (call.rest.split_last(), call.rest.len() >= 2) else {
        return Err(Failure::usage("source and destination needed"));
    };
    let dest = Path::new(dest);
    let inside = sources.len() > 1 || is_directory(dest, !call.has('n'))?;
    let mut failures: u8 = 0;
    for source in sources {
        let source = Path::new(source);
        let new = if inside { within(dest, source) } else { dest.to_owned() };
        if let Err((what, errno)) = make(call, source, &new) {
            call.warning(Error::system(what, errno).to_string());
            failures = failures.saturating_add(1);
        }
    }
    Ok(Exit::Code(failures))
}

/// Whether there is a directory of this name.
fn is_directory(path: &Path, follow: bool) -> Result<bool, Failure> {
    let about = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    match about {
        Ok(about) => Ok(about.is_dir()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::on("stat", path, Errno::of(&error)).into()),
    }
}

/// The name in a directory for a link to this source.
fn within(dir: &Path, source: &Path) -> PathBuf {
    let mut path = dir.as_os_str().to_owned();
    path.push("/");
    path.push(OsStr::from_bytes(names::last(source.as_os_str().as_bytes())));
    path.into()
}

/// Makes one link; the error says what was tried.
fn make(call: &Invocation, source: &Path, new: &Path) -> Result<(), (String, Errno)> {
    let (old_name, new_name) = (shown(source), shown(new));
    let failed = |errno| (format!("make a link from {new_name} to {old_name}"), errno);
    match link(call, source, new) {
        Err(Errno::EXISTS) if call.has('f') => {}
        made => return made.map_err(failed),
    }
    let mut attempts = 1..ATTEMPTS;
    let temporary = loop {
        let mut name = new.as_os_str().to_owned();
        name.push(":s6-ln:");
        name.push(random::name(6).map_err(failed)?);
        match link(call, source, Path::new(&name)) {
            Ok(()) => break name,
            Err(Errno::EXISTS) if attempts.next().is_some() => {}
            Err(errno) => return Err((format!("make a link to {old_name}"), errno)),
        }
    };
    let replaced = fs::rename(&temporary, new).map_err(|error| Errno::of(&error));
    let _ = fs::remove_file(&temporary); // still there if both were the same file already
    replaced.map_err(|errno| (format!("atomically replace {new_name}"), errno))
}

fn link(call: &Invocation, source: &Path, new: &Path) -> Result<(), Errno> {
    if call.has('s') {
        std::os::unix::fs::symlink(source, new).map_err(|error| Errno::of(&error))
    } else {
        path::link(source, new, call.last_of("LP") == Some('L'))
    }
}
