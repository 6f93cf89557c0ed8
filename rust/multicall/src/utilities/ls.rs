//! s6-ls: lists a directory.

use super::output::Output;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::sys::dir::Dir;
use s6x_core::sys::listing::Listing;
use std::os::unix::ffi::OsStrExt;

/// s6-ls.
pub static APPLET: Applet = Applet {
    name: "s6-ls",
    section: Section::Utilities,
    about: "List the names in a directory, in its own order",
    options: &[
        flag('0', "end each name with a NUL, not a newline"),
        flag('a', "names that begin with a dot too, except . and .."),
        flag('A', "all names"),
        value('x', "name", "leave this one out"),
    ],
    arguments: "dir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let path = call.only_argument("directory")?;
    let (all, left_out) = (call.last_of("aA"), call.value('x'));
    let end = if call.has('0') { [0] } else { [b'\n'] };
    let failed = |verb| move |errno| Error::on(verb, path, errno);
    let dir = Dir::open(path).map_err(failed("open directory"))?;
    let mut listing = Listing::of(dir);
    let mut output = Output::default();
    while let Some((_, batch)) = listing.batch().map_err(failed("read directory"))? {
        for entry in batch {
            let hidden = match all {
                Some('A') => false,
                Some(_) => entry.is_dots(),
                None => entry.name.as_bytes().starts_with(b"."),
            };
            if !hidden && left_out != Some(entry.name) {
                output.put(entry.name.as_bytes())?;
                output.put(&end)?;
            }
        }
    }
    output.finish()?;
    Ok(Exit::SUCCESS)
}
