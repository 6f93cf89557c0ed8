//! s6-sync: what was written goes to disk.

use crate::{Applet, Exit, Section, Syntax};
use s6x_core::sys::process;

/// s6-sync.
pub static APPLET: Applet = Applet {
    name: "s6-sync",
    section: Section::Utilities,
    about: "Wait until everything written is on disk",
    options: &[],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: |call| {
        call.warn_of_more_than(0);
        process::sync();
        Ok(Exit::SUCCESS)
    },
};
