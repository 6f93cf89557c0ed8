//! s6-ftrigrd: the helper of programs that use the originals' library to listen to events.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::run::ftrigrd::serve;
use s6x_core::sys::fd;
use std::os::fd::AsFd;

/// s6-ftrigrd.
pub static APPLET: Applet = Applet {
    name: "s6-ftrigrd",
    section: Section::Notification,
    about: "Listen to events for a program that uses the library of s6 2.11 to 2.14",
    options: &[],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "the program has gone"), ("100", "it says what cannot be understood")],
    run,
};

/// Where the originals' library says which descriptor is for news.
const VARIABLE: &str = "SKALIBS_CHILD_SPAWN_FDS";

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let given = call.environment.filled(VARIABLE).and_then(number);
    let news = given.and_then(|number| i32::try_from(number).ok()).filter(|&number| number > 2);
    let news = news.and_then(|number| fd::take_inherited(number).ok()).ok_or_else(|| {
        let how = "this is not for people: s6's own programs start it";
        Failure::new(100, format!("no open descriptor from 3 up in ${VARIABLE}; {how}"))
    })?;
    serve(fd::standard(0), fd::standard(1), news.as_fd())?;
    Ok(Exit::SUCCESS)
}
