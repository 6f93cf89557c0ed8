//! s6-tai64n: puts the time in front of lines.

use crate::filter;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::sys::clock;

/// s6-tai64n.
pub static APPLET: Applet = Applet {
    name: "s6-tai64n",
    section: Section::Logging,
    about: "Put a TAI64N label in front of each line from stdin to stdout",
    options: &[],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            output.extend_from_slice(&clock::wall().label());
            output.push(b' ');
            output.extend_from_slice(line.text);
            output.push(b'\n');
        },
    )?;
    Ok(Exit::SUCCESS)
}
