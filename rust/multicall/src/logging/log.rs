//! s6-log: the logger.

use super::readiness;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::log::{self, Settings};
use s6x_core::wire::log_script;
use std::time::Duration;

/// s6-log.
pub static APPLET: Applet = Applet {
    name: "s6-log",
    section: Section::Logging,
    about: "Log the lines of stdin as a script says: select, stamp, rotate, process",
    options: &[
        flag('q', "say only what is fatal"),
        flag('v', "say more"),
        flag('b', "read nothing as long as anything waits to be written"),
        flag('p', "ignore SIGTERM"),
        value('d', "fd", "write a newline there when everything is prepared"),
        value('l', "bytes", "cut longer lines (8192; 0: never)"),
        value(
            't',
            "ms",
            "after a signal to stop, wait so long for the end of a line (2000; 0: ever)",
        ),
    ],
    arguments: "directive...",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or a mistake in the script")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "directive")?;
    let count = |letter| call.options.iter().filter(|(given, _)| *given == letter).count() as u32;
    let settings = Settings {
        verbosity: (1 + count('v')).saturating_sub(count('q')),
        block: call.has('b'),
        protected: call.has('p'),
        line_limit: call.number('l')?.unwrap_or(8192) as usize,
        last_line: match call.number('t')?.unwrap_or(2000) {
            0 => None,
            limit => Some(Duration::from_millis(limit.into())),
        },
    };
    let ready = readiness(call)?;
    let script = log_script::parse(&call.rest).map_err(|mistake| Failure::new(100, mistake))?;
    let clean = log::log(script, settings, &call.environment, ready)?;
    Ok(Exit::Code(if clean { 0 } else { 111 }))
}
