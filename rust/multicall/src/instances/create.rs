//! s6-instance-create: one more instance of a service.

use super::place::{COPIES, SCAN_DIR, TEMPLATE, name, running, service};
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::run::linking::{Begin, Linking, Waited, link_as};
use s6x_core::run::{service_maker, tree};
use s6x_core::sys::dir::{self, stat_path};
use std::path::{Path, PathBuf};

/// s6-instance-create.
pub static APPLET: Applet = Applet {
    name: "s6-instance-create",
    section: Section::Instances,
    about: "Create an instance of a service, and wait until it is supervised",
    options: &[
        flag('d', "start it down, and leave no down file"),
        flag('D', "start it down, with a down file to keep it down"),
        flag('f', "give event/ the wanted mode also if it exists"),
        flag('P', "let everybody subscribe to its events, not just our group"),
        value('t', "ms", "wait at most that many milliseconds (0: as long as it takes)"),
    ],
    arguments: "service name",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the service is not running"),
        ("99", "timed out; the instance is gone again"),
        ("100", "wrong usage, or there is such an instance"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = call.deadline('t')?;
    let begin = match call.last_of("dD") {
        Some('d') => Begin::Down,
        Some(_) => Begin::DownForGood,
        None => Begin::AsUsual,
    };
    let (service, name) = (service(call)?, name(call)?);
    for part in [COPIES, SCAN_DIR] {
        ensure(&service.join(part))?;
    }
    let scan_dir = running(&service)?;
    let what = format!("create the instance {} of {}", quoted(name), shown(&service));

    let copy = Copy::make(&service, &service.join(COPIES).join(name))?;
    let linking = Linking { begin, public_events: call.has('P'), force_events: call.has('f') };
    let target = Path::new("..").join(COPIES).join(name);
    match link_as(&scan_dir, &copy.0, &target, name, linking, deadline) {
        Ok(Waited::Done) => {
            copy.keep();
            Ok(Exit::SUCCESS)
        }
        Ok(Waited::TimedOut | Waited::NoScanner) => {
            Err(Failure::new(99, format!("unable to {what}: timed out waiting for s6-supervise")))
        }
        Err(error) => Err(Failure::new(111, format!("unable to {what}: {error}"))),
    }
}

/// Makes a directory if there is none.
fn ensure(path: &Path) -> Result<(), Failure> {
    match service_maker::make_directory(path) {
        Ok(_) => Ok(()),
        Err(error) if error.errno() == Some(Errno::EXISTS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A copy of the template, which goes away again unless it is kept.
struct Copy(PathBuf);

impl Copy {
    /// Makes it, all of it or nothing.
    fn make(service: &Path, path: &Path) -> Result<Copy, Failure> {
        match dir::mkdir(path, 0o700) {
            Ok(()) => {}
            Err(Errno::EXISTS) => {
                let is_copy = stat_path(path).is_ok_and(|stat| stat.is_dir());
                let how = if is_copy { "there is such an instance" } else { "it is in the way" };
                return Err(Failure::new(100, format!("{} exists: {how}", shown(path))));
            }
            Err(errno) => return Err(Error::on("create", path, errno).into()),
        }
        let copy = Copy(path.to_owned());
        let mut failure = None;
        tree::copy(&service.join(TEMPLATE), path, &mut |error| {
            failure.get_or_insert(error);
        })?;
        failure.map_or(Ok(copy), |error| Err(error.into()))
    }

    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Copy {
    /// What goes wrong here is not told: the failure that brought us here is.
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = tree::remove(&self.0);
        }
    }
}
