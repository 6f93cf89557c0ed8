//! s6-tai64ndiff: how much time lies between the lines of a log.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, filter};
use s6x_core::wire::tai64::Tai;
use std::io::Write;

/// s6-tai64ndiff.
pub static APPLET: Applet = Applet {
    name: "s6-tai64ndiff",
    section: Section::Utilities,
    about: "Turn the TAI64N label that a line begins with into the time since the line before",
    options: &[],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let mut before: Option<Tai> = None;
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            let label =
                Tai::split_label(line.text).filter(|(_, rest)| line.ended || !rest.is_empty());
            if let Some((time, rest)) = label {
                let _ = match before {
                    // Into memory: cannot fail.
                    Some(before) => {
                        let (seconds, nanoseconds) = time.difference(before);
                        write!(output, "[{seconds:10}.{nanoseconds:09} ]")
                    }
                    None => write!(output, "[{:10}.{:10}]", "", ""),
                };
                output.extend_from_slice(rest);
            } else {
                output.extend_from_slice(line.text);
            }
            before = label.map(|(time, _)| time);
            if line.ended {
                output.push(b'\n');
            }
        },
    )?;
    Ok(Exit::SUCCESS)
}
