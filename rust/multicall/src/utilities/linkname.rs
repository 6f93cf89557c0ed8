//! s6-linkname: where a link leads.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::Errno;
use std::os::unix::ffi::OsStringExt;

/// s6-linkname.
pub static APPLET: Applet = Applet {
    name: "s6-linkname",
    section: Section::Utilities,
    about: "Print where a symbolic link leads",
    options: &[
        flag('n', "no newline at the end"),
        flag('f', "resolve all links on the way: any path that leads to something"),
    ],
    arguments: "link",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let link = call.only_argument("link")?;
    let resolve = if call.has('f') { std::fs::canonicalize } else { std::fs::read_link };
    let target = resolve(link).map_err(|error| Error::on("resolve", link, Errno::of(&error)))?;
    let mut line = target.into_os_string().into_vec();
    if !call.has('n') {
        line.push(b'\n');
    }
    call.print(line)?;
    Ok(Exit::SUCCESS)
}
