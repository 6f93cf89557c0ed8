//! s6-mkdir: makes directories.

use super::modes;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{self, Dir};
use s6x_core::sys::{fd, process};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What mkdir(2) leaves out of a mode, and only chmod(2) sets.
const SET_IDS: u32 = 0o6000;

/// s6-mkdir.
pub static APPLET: Applet = Applet {
    name: "s6-mkdir",
    section: Section::Utilities,
    about: "Make directories",
    options: &[
        flag('p', "their parents too; those that are there already are fine"),
        flag('v', "say on stderr what was made"),
        value('m', "mode", "the mode of all that are made, octal, whatever the umask is"),
    ],
    arguments: "dir...",
    syntax: Syntax::Posix,
    exit_codes: &[("111", "some of them could not be made; all others were")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mode = modes::option(call)?;
    if mode.is_some() {
        process::umask(0);
    }
    let mode = mode.unwrap_or(0o777);
    let mut code = 0;
    for path in &call.rest {
        let path = Path::new(path);
        let made =
            if call.has('p') { with_parents(call, path, mode) } else { make(call, path, mode) };
        if let Err((path, errno)) = made {
            call.warning(Error::on("mkdir", path, errno).to_string());
            code = 111;
        }
    }
    Ok(Exit::Code(code))
}

/// Makes a directory and all above it that are not there; the error names the one that failed.
fn with_parents<'a>(call: &Invocation, path: &'a Path, mode: u32) -> Result<(), (&'a Path, Errno)> {
    let bytes = path.as_os_str().as_bytes();
    let slashes = (1..bytes.len()).filter(|&at| bytes.get(at) == Some(&b'/'));
    for end in slashes.chain([bytes.len()]) {
        let path = Path::new(OsStr::from_bytes(bytes.get(..end).unwrap_or(bytes)));
        match make(call, path, mode) {
            Err((_, Errno::EXISTS)) if path.is_dir() => {}
            made => made?,
        }
    }
    Ok(())
}

fn make<'a>(call: &Invocation, path: &'a Path, mode: u32) -> Result<(), (&'a Path, Errno)> {
    dir::mkdir(path, mode).map_err(|errno| (path, errno))?;
    if mode & SET_IDS != 0 {
        Dir::open(path).and_then(|made| dir::chmod(made, mode)).map_err(|errno| (path, errno))?;
    }
    if call.has('v') {
        fd::complain(&format!("{}: created directory {}\n", call.applet.name, shown(path)));
    }
    Ok(())
}
