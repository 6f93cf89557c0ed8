//! s6-chroot and s6-pivotchroot: another root for a program.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::{mount, process};
use std::ffi::OsStr;
use std::path::Path;

/// s6-chroot.
pub static CHROOT: Applet = Applet {
    name: "s6-chroot",
    section: Section::Utilities,
    about: "Run a program with a directory as its root",
    options: &[],
    arguments: "dir prog...",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run: chroot,
};

/// s6-pivotchroot.
pub static PIVOTCHROOT: Applet = Applet {
    name: "s6-pivotchroot",
    section: Section::Utilities,
    about: "Make a mounted file system the root of everything here, and run a program in it",
    options: &[],
    arguments: "newroot putold prog...",
    syntax: Syntax::Posix,
    exit_codes: &[("126", "the program cannot be executed"), ("127", "there is no such program")],
    run: pivotchroot,
};

/// Where we are.
const HERE: &str = ".";

fn chroot(call: &Invocation) -> Result<Exit, Failure> {
    let dir = call.argument(0, "directory")?;
    call.argument(1, "program")?;
    enter(dir)?;
    mount::change_root(OsStr::new(HERE))
        .map_err(|errno| Error::on("change root to", Path::new(dir), errno))?;
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

fn pivotchroot(call: &Invocation) -> Result<Exit, Failure> {
    let new = call.argument(0, "new root")?;
    let old = call.argument(1, "place for the old root")?;
    call.argument(2, "program")?;
    enter(new)?;
    let pivot = mount::pivot_root(OsStr::new(HERE), old);
    pivot.map_err(|errno| Error::on("pivot_root to", Path::new(new), errno))?;
    mount::change_root(OsStr::new(HERE))
        .map_err(|errno| Error::on("change root to", Path::new(new), errno))?;
    Ok(call.chain(call.rest.get(2..).unwrap_or(&[]), call.environment.clone()))
}

fn enter(dir: &OsStr) -> Result<(), Failure> {
    process::enter(dir).map_err(|errno| Error::on("chdir to", Path::new(dir), errno).into())
}
