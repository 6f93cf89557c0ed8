//! s6-ftrig-notify: tells subscribers something.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::run::fifodir;
use s6x_core::sys::dir::Dir;
use s6x_core::sys::signals;
use std::os::unix::ffi::OsStrExt;

/// s6-ftrig-notify.
pub static APPLET: Applet = Applet {
    name: "s6-ftrig-notify",
    section: Section::Notification,
    about: "Write a message to all subscribers of an event directory",
    options: &[],
    arguments: "fifodir message",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let path = call.argument(0, "fifodir")?;
    let message = call.argument(1, "message")?;
    call.warn_of_more_than(2);
    signals::survive_broken_pipes();
    Dir::open(path)
        .and_then(|events| fifodir::notify(&events, message.as_bytes()))
        .map_err(|errno| Error::on("notify", path, errno))?;
    Ok(Exit::SUCCESS)
}
