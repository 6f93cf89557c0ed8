//! s6-clock: the time, as a TAI64N label.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::clock;
use s6x_core::wire::tai64::Tai;
use std::os::unix::ffi::OsStrExt;

/// s6-clock.
pub static APPLET: Applet = Applet {
    name: "s6-clock",
    section: Section::Utilities,
    about: "Print the time as a TAI64N label, or set the clock to one",
    options: &[],
    arguments: "[ label ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(1);
    let Some(word) = call.rest.first() else {
        call.print(format!("{}\n", clock::wall()))?;
        return Ok(Exit::SUCCESS);
    };
    let wrong = || Failure::usage(format!("{} does not begin with a TAI64N label", quoted(word)));
    let (time, _) = Tai::split_label(word.as_bytes())
        .filter(|(time, _)| time.is_in_calendar())
        .ok_or_else(wrong)?;
    clock::set_wall(time).map_err(|errno| Error::system("set the clock", errno))?;
    Ok(Exit::SUCCESS)
}
