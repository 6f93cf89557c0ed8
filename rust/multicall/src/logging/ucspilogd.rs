//! ucspilogd: syslog lines of one connection, made readable.

use crate::filter;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::wire::syslog;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// ucspilogd.
pub static APPLET: Applet = Applet {
    name: "ucspilogd",
    section: Section::Logging,
    about: "Decode the syslog lines of one connection, from stdin to stdout",
    options: &[value('D', "default", "what is printed for variables that are not set")],
    arguments: "[ var... ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

/// The length of a TAI64N label, which a logger before us may have put there.
const LABEL: usize = 25;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let default = call.value('D').unwrap_or(OsStr::new("<undefined>"));
    let mut prefix = Vec::new();
    for name in &call.rest {
        let value = call.environment.lookup(name).unwrap_or(default);
        prefix.extend_from_slice(value.as_bytes());
        prefix.extend_from_slice(b": ");
    }
    filter::lines(
        |byte| byte == b'\n' || byte == 0,
        |line, output| {
            let mut text = line.text;
            if text.first() == Some(&b'@') && text.get(LABEL) == Some(&b' ') {
                let (label, rest) = text.split_at(LABEL + 1);
                output.extend_from_slice(label);
                text = rest;
            }
            output.extend_from_slice(&prefix);
            if let Some((facility, priority, rest)) = syslog::split(text) {
                let _ = write!(output, "{facility}.{priority}: "); // into memory: cannot fail
                text = rest;
            }
            output.extend_from_slice(text);
            output.push(b'\n');
        },
    )?;
    Ok(Exit::SUCCESS)
}
