//! s6-mkfifodir: makes an event directory.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::run::fifodir;
use s6x_core::sys::{dir, process};
use std::path::Path;

/// s6-mkfifodir.
pub static APPLET: Applet = Applet {
    name: "s6-mkfifodir",
    section: Section::Notification,
    about: "Make an event directory, to which all users may subscribe",
    options: &[
        flag('f', "give an existing directory the right mode and group"),
        value('g', "gid", "only members of this group may subscribe"),
    ],
    arguments: "fifodir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let group = call.number('g')?;
    let path = Path::new(call.only_argument("fifodir")?);
    match fifodir::make(path, group) {
        Err(error) if error.errno() == Some(Errno::EXISTS) => existing(call, path, group)?,
        result => result?,
    }
    Ok(Exit::SUCCESS)
}

/// One that is there must be ours, and is left alone unless `-f` says otherwise.
fn existing(call: &Invocation, path: &Path, group: Option<u32>) -> Result<(), Failure> {
    let failed = |errno| Error::on("create fifodir at", path, errno);
    let found = dir::stat_path(path).map_err(failed)?;
    let (own_user, _) = process::real_ids();
    if found.uid != own_user {
        let message = format!("unable to create fifodir at {}: it is another user's", shown(path));
        return Err(Failure::new(111, message));
    }
    if !found.is_dir() {
        return Err(failed(Errno::NOT_A_DIRECTORY).into());
    }
    if call.has('f') {
        fifodir::restrict(path, group)?;
    }
    Ok(())
}
