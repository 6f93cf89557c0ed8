//! s6-tai64nlocal: makes labels readable.

use crate::filter;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::sys::clock;
use s6x_core::wire::tai64::Tai;
use s6x_core::wire::zone::Zone;
use std::io::Write;

/// s6-tai64nlocal.
pub static APPLET: Applet = Applet {
    name: "s6-tai64nlocal",
    section: Section::Logging,
    about: "Turn the TAI64N label that a line begins with into date and time, from stdin to stdout",
    options: &[flag('g', "the time of Greenwich, instead of local time")],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let zone = if call.has('g') { Zone::default() } else { clock::zone(&call.environment) };
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            let label = Tai::split_label(line.text)
                .filter(|(tai, rest)| tai.is_in_calendar() && (line.ended || !rest.is_empty()));
            let readable = label.and_then(|(tai, rest)| {
                let (seconds, nanoseconds) = tai.to_unix();
                Some((zone.civil(seconds)?, nanoseconds, rest))
            });
            let text = readable.map_or(line.text, |(date, nanoseconds, rest)| {
                let _ = write!(output, "{date}.{nanoseconds:09}"); // into memory: cannot fail
                rest
            });
            output.extend_from_slice(text);
            if line.ended {
                output.push(b'\n');
            }
        },
    )?;
    Ok(Exit::SUCCESS)
}
