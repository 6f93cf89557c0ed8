//! The files by which a supervisor and the world know each other (contract s6 §4.1, §5.7).

use crate::error::{Errno, Error, Result, Why};
use crate::run::fifodir;
use crate::run::listening::ControlFifo;
use crate::sys::dir::{Dir, Open, chmod, chown};
use crate::sys::{lock, process};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Everything below `supervise` that a supervisor holds for life.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) supervise: Dir,
    /// Where control bytes come from.
    pub(super) control: ControlFifo,
    /// As long as it is held, nobody else supervises this service.
    _lock: OwnedFd,
}

impl Files {
    /// Makes what is missing, and locks. The modes are exact, whatever the umask.
    pub(super) fn take(service: &Dir, path: &Path) -> Result<Files> {
        let old = process::umask(0);
        let files = take(service, path);
        process::umask(old);
        files
    }
}

fn take(service: &Dir, path: &Path) -> Result<Files> {
    let events = directory(service, path, "event", |new| {
        let (_, group) = process::effective_ids();
        chown(new, u32::MAX, group)?;
        chmod(new, 0o3730)
    })?;
    let supervise = directory(service, path, "supervise", |_| Ok(()))?;
    let lock = supervise
        .file("lock", Open::UpdateNow(0o644))
        .map_err(|errno| Error::on("open", path.join("supervise/lock"), errno))?;
    match lock::try_exclusive(&lock) {
        Ok(true) => {}
        Ok(false) => {
            let what = format!("supervise {}", crate::error::shown(path));
            return Err(Error { what, why: Why::Busy });
        }
        Err(errno) => return Err(Error::on("lock", path.join("supervise/lock"), errno)),
    }
    let control = ControlFifo::open(&supervise, &path.join("supervise/control"))?;
    let _ = fifodir::clean(&events);
    Ok(Files { supervise, control, _lock: lock })
}

/// Opens a directory, making it first if need be: also at the far end of a dangling link.
fn directory(
    service: &Dir,
    path: &Path,
    name: &str,
    finish: impl Fn(&Dir) -> std::result::Result<(), Errno>,
) -> Result<Dir> {
    let failed = |errno| match errno {
        Errno(libc::ENOTDIR) => Error::malformed(
            format!("use {}", crate::error::shown(&path.join(name))),
            "it is not a directory; remove it",
        ),
        errno => Error::on("create", path.join(name), errno),
    };
    let made = match service.mkdir(name, 0o700) {
        Err(Errno::EXISTS) if service.stat(name) == Err(Errno::NOT_FOUND) => {
            service.readlink(name).and_then(|target| service.mkdir(target, 0o700)).map(|()| true)
        }
        Err(Errno::EXISTS) => Ok(false),
        result => result.map(|()| true),
    };
    let made = made.map_err(failed)?;
    let dir = service.sub(name).map_err(failed)?;
    if made {
        finish(&dir).map_err(failed)?;
    }
    Ok(dir)
}
