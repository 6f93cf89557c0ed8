//! s6-svscanctl: tells a scanner what to do.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::model::scan_dir;
use s6x_core::run::control;
use s6x_core::sys::signals;
use s6x_core::wire::control::ScanControl;
use std::path::PathBuf;

/// s6-svscanctl.
pub static APPLET: Applet = Applet {
    name: "s6-svscanctl",
    section: Section::Supervision,
    about: "Control the scanner of a scan directory: scan again, stop",
    options: &[
        flag('z', "reap every dead child"),
        flag('a', "scan again"),
        flag('b', "leave at once, supervisors untouched"),
        flag('h', "scan again, and end what has gone from the scan directory"),
        flag('i', "stop, as -t"),
        flag('t', "stop: end services, let loggers finish"),
        flag('q', "stop: end services and loggers"),
        flag('n', "end what has gone from the scan directory, let loggers finish"),
        flag('N', "end what has gone from the scan directory, loggers too"),
    ],
    arguments: "scandir",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or no scanner listens")],
    run,
};

/// No more letters than this: the originals' limit.
const MOST: usize = 64;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let scan_dir = match call.rest.first() {
        None if call.as_word => scan_dir::running(&call.environment)?,
        Some(_) | None => PathBuf::from(call.only_argument("scandir")?),
    };
    let letters = call.options.iter().map(|(letter, _)| *letter as u8);
    let controls: Vec<ScanControl> = letters.filter_map(ScanControl::from_letter).collect();
    if controls.len() > MOST {
        return Err(Failure::new(100, format!("too many commands: at most {MOST}")));
    }
    signals::survive_broken_pipes();
    control::scanner(&scan_dir, &controls)
        .map_err(|error| Failure::new(error.exit_code(), error.to_string()))?;
    Ok(Exit::SUCCESS)
}
