//! s6-instance-delete: an instance less.

use super::place::{COPIES, name, running, service};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, shown};
use s6x_core::run::linking::{Waited, unlink};
use s6x_core::run::tree;
use std::path::Path;

/// s6-instance-delete.
pub static APPLET: Applet = Applet {
    name: "s6-instance-delete",
    section: Section::Instances,
    about: "Delete an instance of a service, when its supervisor has left",
    options: &[
        flag('X', "do not wait for that"),
        value('t', "ms", "wait at most that many milliseconds (0: as long as it takes)"),
    ],
    arguments: "service name",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "success, also when the time was up or there was no such instance"),
        ("1", "the service is not running"),
    ],
    run,
};

/// Nobody writes so fast that a directory is never empty in so many attempts.
const PASSES: u32 = 1000;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = call.deadline('t')?;
    let (service, name) = (service(call)?, name(call)?);
    let scan_dir = running(&service)?;
    match unlink(&scan_dir, name, !call.has('X'), deadline)? {
        Waited::Done => {}
        Waited::TimedOut => call.warning(format!(
            "timed out waiting for the supervisors of {} to leave; they lose their directory",
            shown(&scan_dir.join(name))
        )),
        Waited::NoScanner => call.warning(format!(
            "s6-svscan is not running on {} any more: nobody stops the supervisors of {}",
            shown(&scan_dir),
            shown(Path::new(name))
        )),
    }
    remove(&service.join(COPIES).join(name))?;
    Ok(Exit::SUCCESS)
}

/// Removes a copy. Who still runs in it, as nobody waited, may put something into a directory that we
/// have just emptied: that is removed as well.
fn remove(copy: &Path) -> Result<(), Failure> {
    let mut left = PASSES;
    loop {
        match tree::remove(copy) {
            Err(error) if error.errno() == Some(Errno::NOT_EMPTY) && left != 0 => left -= 1,
            removed => return Ok(removed?),
        }
    }
}
