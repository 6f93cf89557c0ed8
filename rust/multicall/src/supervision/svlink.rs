//! s6-svlink: have a service directory supervised by a running scanner.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::run::linking::{Begin, Linking, Waited, link};
use s6x_core::run::observe;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// s6-svlink.
pub static APPLET: Applet = Applet {
    name: "s6-svlink",
    section: Section::Supervision,
    about: "Link a service directory into a scan directory, and wait until it is supervised",
    options: &[
        flag('d', "start it down, and leave no down file"),
        flag('D', "start it down, with a down file to keep it down"),
        flag('f', "give event/ the wanted mode also if it exists"),
        flag('P', "let everybody subscribe to its events, not just our group"),
        value('t', "ms", "wait at most that many milliseconds (0: as long as it takes)"),
    ],
    arguments: "scandir servicedir [ name ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "nobody scans the scan directory"),
        ("99", "timed out; the link is gone again"),
        ("100", "wrong usage, or run is not executable"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let scan_dir = Path::new(call.argument(0, "scandir")?);
    let service = Path::new(call.argument(1, "servicedir")?);
    call.warn_of_more_than(3);
    let deadline = call.deadline('t')?;
    let begin = match call.last_of("dD") {
        Some('d') => Begin::Down,
        Some(_) => Begin::DownForGood,
        None => Begin::AsUsual,
    };
    for (what, path) in [("scandir", scan_dir), ("servicedir", service)] {
        if path.as_os_str().is_empty() {
            return Err(Failure::new(100, format!("{what}: an empty name")));
        }
    }
    let name = match call.rest.get(2) {
        Some(name) => name,
        None => service.file_name().unwrap_or_default(),
    };
    check_name(name)?;
    if !is_scanned(scan_dir)? {
        let message = format!("s6-svscan is not running on {}; start it first", shown(scan_dir));
        return Err(Failure::new(1, message));
    }
    check_service(call, service)?;

    let linking = Linking { begin, public_events: call.has('P'), force_events: call.has('f') };
    let what = format!("link {} into {} as {}", shown(service), shown(scan_dir), quoted(name));
    match link(scan_dir, service, name, linking, deadline) {
        Ok(Waited::Done) => Ok(Exit::SUCCESS),
        Ok(Waited::TimedOut | Waited::NoScanner) => {
            Err(Failure::new(99, format!("unable to {what}: timed out waiting for s6-supervise")))
        }
        Err(error) => Err(Failure::new(111, format!("unable to {what}: {error}"))),
    }
}

/// A name that a scanner looks at, in the scan directory itself.
pub(crate) fn check_name(name: &OsStr) -> Result<(), Failure> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.starts_with(b".") || bytes.contains(&b'/') {
        let how = "a service's name is not empty, does not begin with a dot and has no slash";
        return Err(Failure::new(100, format!("invalid name {}: {how}", quoted(name))));
    }
    Ok(())
}

/// An absent lock is a failure here: no scanner has ever been there.
pub(crate) fn is_scanned(scan_dir: &Path) -> Result<bool, Failure> {
    look(&scan_dir.join(".s6-svscan/lock"))?;
    Ok(observe::is_scanned(scan_dir)?)
}

/// Both the service and its logger have a `run`; that they are supervised already is worth a
/// warning.
fn check_service(call: &Invocation, service: &Path) -> Result<(), Failure> {
    let log = service.join("log");
    let has_log = std::fs::symlink_metadata(&log).is_ok();
    if has_log && !look(&log)?.is_dir() {
        return Err(Failure::new(100, format!("{} is not a directory", shown(&log))));
    }
    for place in [service, &log].into_iter().take(1 + usize::from(has_log)) {
        let run = place.join("run");
        if look(&run)?.permissions().mode() & 0o100 == 0 {
            let message = format!("{} is not executable; chmod +x it", shown(&run));
            return Err(Failure::new(100, message));
        }
        if observe::is_supervised(place)? {
            call.warning(format!("a supervisor is running on {} already", shown(place)));
        }
    }
    Ok(())
}

fn look(path: &Path) -> Result<Metadata, Failure> {
    std::fs::metadata(path).map_err(|error| Error::on("look at", path, Errno::of(&error)).into())
}
