//! The files by which a supervisor and the world know each other (contract s6 §4.1, §5.7).

use crate::error::{Errno, Error, Result, Why};
use crate::run::fifodir;
use crate::sys::dir::{Dir, Open, chmod, chown};
use crate::sys::{lock, process};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Everything below `supervise` that a supervisor holds for life.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) supervise: Dir,
    /// Where control bytes come from.
    pub(super) control: OwnedFd,
    /// So that the FIFO never sees its end.
    _control_writer: OwnedFd,
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
    let (control, control_writer) = control_fifo(&supervise, &path.join("supervise/control"))?;
    let _ = fifodir::clean(&events);
    Ok(Files { supervise, control, _control_writer: control_writer, _lock: lock })
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

/// Opens a control FIFO for reading, and for writing so that it never ends; makes it if need be.
pub(crate) fn control_fifo(dir: &Dir, path: &Path) -> Result<(OwnedFd, OwnedFd)> {
    let failed = |errno| Error::on("open", path, errno);
    match dir.mkfifo("control", 0o600) {
        Ok(()) | Err(Errno::EXISTS) => {}
        Err(errno) => return Err(Error::on("create", path, errno)),
    }
    if !dir.stat("control").map_err(failed)?.is_fifo() {
        let what = format!("use {}", crate::error::shown(path));
        return Err(Error::malformed(what, "it is not a FIFO; remove it"));
    }
    let reader = dir.file("control", Open::ReadNow).map_err(failed)?;
    let writer = dir.file("control", Open::WriteNow).map_err(failed)?;
    Ok((reader, writer))
}
