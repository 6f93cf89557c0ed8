//! s6-svunlink: have a service no longer supervised by a running scanner.

use super::svlink::check_name;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::shown;
use s6x_core::run::linking::{Waited, unlink};
use std::path::Path;

/// s6-svunlink.
pub static APPLET: Applet = Applet {
    name: "s6-svunlink",
    section: Section::Supervision,
    about: "Remove a service's link from a scan directory, and wait until its supervisor has left",
    options: &[
        flag('X', "do not wait"),
        value('t', "ms", "wait at most that many milliseconds (0: as long as it takes)"),
    ],
    arguments: "scandir name",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "success, also when the time was up or there was no such link"),
        ("100", "wrong usage, or the name is that of a directory rather than a link"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let scan_dir = Path::new(call.argument(0, "scandir")?);
    let name = call.argument(1, "name")?;
    call.warn_of_more_than(2);
    let deadline = call.deadline('t')?;
    check_name(name)?;
    match unlink(scan_dir, name, !call.has('X'), deadline)? {
        Waited::Done => {}
        Waited::TimedOut => call.warning(format!(
            "timed out waiting for the supervisors of {} to leave",
            shown(&scan_dir.join(name))
        )),
        Waited::NoScanner => call.warning(format!(
            "s6-svscan is not running on {}: nobody stops the supervisors of {}",
            shown(scan_dir),
            shown(Path::new(name))
        )),
    }
    Ok(Exit::SUCCESS)
}
