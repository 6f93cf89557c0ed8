//! s6-svscan and s6-supervise: the daemons themselves are in the core, `run::scan` and
//! `run::supervise`.

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::{Invocation, number};
use crate::options::{Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Why;
use s6x_core::run::Inheritance;
use s6x_core::run::scan::{Options, scan};
use s6x_core::run::supervise::{Mission, supervise};
use s6x_core::sys::fd;
use std::ffi::{CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// s6-svscan.
pub static SVSCAN: Applet = Applet {
    name: "s6-svscan",
    section: Section::Supervision,
    about: "Supervise every service of a scan directory",
    options: &[
        value('c', "N", "at most N services, each with a logger (500)").long("services-max"),
        value('C', "N", "at most N supervisors, loggers counted (1000)").long("supervisors-max"),
        value('L', "N", "longest name of a service, in bytes (251)").long("name-max"),
        value('t', "MS", "scan again every MS milliseconds (0: when asked)").long("timeout"),
        value('d', "FD", "write a newline to FD when ready").long("notification-fd"),
        value('X', "FD", "standard error of the catch-all logger").long("console-holder"),
        flag('S', "accepted, as signals are always diverted (s6 before 2.10)"),
        flag('s', "accepted, as signals are always diverted (s6 before 2.10)"),
    ],
    arguments: "[ scandir ]",
    syntax: Syntax::Long,
    exit_codes: &[("100", "wrong usage, or the directory is being scanned already")],
    run: run_scan,
};

/// s6-supervise.
pub static SUPERVISE: Applet = Applet {
    name: "s6-supervise",
    section: Section::Supervision,
    about: "Keep one service running",
    options: &[],
    arguments: "servicedir",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "told to exit"),
        ("100", "wrong usage, supervised already, or supervise or event is no directory"),
    ],
    run: run_supervise,
};

fn run_scan(call: &Invocation) -> Result<Exit, Failure> {
    let directory = call.rest.first().map_or(OsStr::new("."), |word| word);
    call.warn_of_more_than(1);
    let services = call.number('c')?.map(|n| n.clamp(2, 90_000) * 2);
    let supervisors = call.number('C')?.map(|n| n.clamp(4, 160_000));
    let options = Options {
        rescan: call.number('t')?.filter(|&ms| ms != 0).map(|ms| Duration::from_millis(ms.into())),
        supervisors: supervisors.or(services).unwrap_or(1000) as usize,
        name_max: call.number('L')?.unwrap_or(251).clamp(11, 1019) as usize,
        readiness: descriptor(call, 'd')?,
        console: descriptor(call, 'X')?,
        keeps_output: false,
    };
    let inheritance = Inheritance::new(call.environment.to_c(), call.title);
    let code = scan(Path::new(directory), options, &inheritance)?;
    Ok(Exit::Code(code))
}

fn run_supervise(call: &Invocation) -> Result<Exit, Failure> {
    let directory = call.only_argument("servicedir")?;
    let invalid = |_| Failure::usage("servicedir: holds a NUL byte");
    let name = CString::new(directory.as_bytes()).map_err(invalid)?;
    fd::sanitize_standard().map_err(|errno| Error::on("open", "/dev/null", errno))?;
    supervise(Path::new(directory), name, &call.environment.to_c(), Mission::Supervise).map_err(
        |error| match error.why {
            Why::Busy => {
                Failure::new(100, format!("{error}; is another s6-supervise running on it?"))
            }
            Why::System(_) | Why::Malformed(_) => error.into(),
        },
    )?;
    Ok(Exit::SUCCESS)
}

/// A descriptor that our starter left open for us under a number from 3 up.
fn descriptor(call: &Invocation, letter: char) -> Result<Option<OwnedFd>, Failure> {
    let Some(text) = call.value(letter) else { return Ok(None) };
    let wrong = |why: &str| Failure::new(100, format!("option -{letter}: descriptor {why}"));
    let shown = text.to_string_lossy();
    let number = number(text).and_then(|n| i32::try_from(n).ok()).filter(|&n| n >= 3);
    let number = number.ok_or_else(|| wrong(&format!("{shown} must be a number from 3 up")))?;
    fd::take_inherited(number)
        .map(Some)
        .map_err(|errno| wrong(&format!("{shown} cannot be used: {errno}")))
}
