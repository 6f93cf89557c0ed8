//! fix-attrs: rules about owners and modes, from stdin (contract s6-overlay §3.2).

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::Syntax;
use s6x_core::Error;
use s6x_core::run::fix_attrs::{self, Told};
use s6x_core::sys::fd;
use s6x_core::sys::user::Accounts;
use s6x_core::wire::plan::decimal;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Rules are read up to here.
const MOST: usize = 16 * 1024 * 1024;

/// fix-attrs.
pub static APPLET: Applet = Applet {
    name: "fix-attrs",
    section: Section::Overlay,
    about: "Apply rules about owners and modes of files, read from stdin",
    options: &[],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "done; what could not be done was told on stderr")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let text = fd::read_up_to(fd::standard(0), MOST);
    let text = text.map_err(|errno| Error::system("read the rules from stdin", errno))?;
    let hidden = call.environment.filled("S6_FIX_ATTRS_HIDDEN");
    let hidden = hidden.is_some_and(|value| decimal(value.as_bytes()) != Some(0));
    let accounts = Accounts::of_root(Path::new("/"));
    // One node that cannot be changed does not make the whole a failure, as in the originals.
    let helpers = fix_attrs::spare_processors();
    fix_attrs::apply(&text, "stdin", &accounts, hidden, helpers, &mut |told| match told {
        Told::Problem(problem) => call.warning(problem),
        Told::Progress(line) => call.info(line),
    });
    Ok(Exit::SUCCESS)
}
