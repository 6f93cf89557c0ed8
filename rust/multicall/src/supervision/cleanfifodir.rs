//! s6-cleanfifodir: removes what subscribers left behind.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::run::fifodir;
use s6x_core::sys::dir::Dir;

/// s6-cleanfifodir.
pub static APPLET: Applet = Applet {
    name: "s6-cleanfifodir",
    section: Section::Notification,
    about: "Remove the FIFOs of subscribers that have gone from an event directory",
    options: &[],
    arguments: "fifodir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let path = call.only_argument("fifodir")?;
    Dir::open(path)
        .and_then(|events| fifodir::clean(&events))
        .map_err(|errno| Error::on("clean up fifodir at", path, errno))?;
    Ok(Exit::SUCCESS)
}
