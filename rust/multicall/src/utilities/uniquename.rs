//! s6-uniquename: a name that nobody else has.

use super::output::Output;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::Error;
use s6x_core::sys::{clock, host, process, random};
use std::os::unix::ffi::OsStrExt;

/// s6-uniquename.
pub static APPLET: Applet = Applet {
    name: "s6-uniquename",
    section: Section::Utilities,
    about: "Print a name that nobody else has: prefix, time, pid, host, and random characters",
    options: &[value('n', "length", "how many random characters (8); 0: none, and no colon")],
    arguments: "prefix",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

/// How many random characters are made at once.
const PIECE: u32 = 4096;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut left = call.number('n')?.unwrap_or(8);
    let prefix = call.only_argument("prefix")?;
    let host = host::name().map_err(|errno| Error::system("get the host's name", errno))?;
    let mut output = Output::default();
    output.put(prefix.as_bytes())?;
    output.put(b":")?;
    output.put(&clock::wall().label())?;
    output.put(format!(":{}:", process::own_pid()).as_bytes())?;
    output.put(host.as_bytes())?;
    if left > 0 {
        output.put(b":")?;
    }
    while left > 0 {
        let piece = left.min(PIECE);
        let name = random::name(piece as usize);
        let name = name.map_err(|errno| Error::system("make a random name", errno))?;
        output.put(name.as_bytes())?;
        left -= piece;
    }
    output.put(b"\n")?;
    output.finish()?;
    Ok(Exit::SUCCESS)
}
