//! Looking at supervised services from outside: is there a supervisor, what does it say.

use crate::error::{Errno, Error, Result, shown};
use crate::sys::dir::{self, Open};
use crate::sys::{fd, lock};
use crate::wire::status::Status;
use crate::wire::tally::{self, Death};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Whether a supervisor runs on this service directory: whether anybody holds its lock
/// (contract s6 §5.4). A service directory that was never supervised is not.
pub fn is_supervised(service: &Path) -> Result<bool> {
    held(&service.join("supervise/lock"))
}

/// Whether a scanner runs on this scan directory.
pub fn is_scanned(scan_dir: &Path) -> Result<bool> {
    held(&scan_dir.join(".s6-svscan/lock"))
}

/// The status that the supervisor wrote last (contract s6 §5.1). It outlives the supervisor: ask
/// [`is_supervised`] whether it is current.
pub fn status(service: &Path) -> Result<Status> {
    let path = service.join("supervise/status");
    let bytes = read(&path, 4096)?;
    Status::unpack(&bytes).ok_or_else(|| {
        let how = format!("{} bytes are no status of s6", bytes.len());
        Error::malformed(format!("read {}", shown(&path)), how)
    })
}

/// The last deaths of the service, oldest first; none when there is no tally (contract s6 §5.2).
pub fn deaths(service: &Path) -> Result<Vec<Death>> {
    let path = service.join("supervise/death_tally");
    match read(&path, tally::RECORD * (tally::MOST + 1)) {
        Ok(bytes) => Ok(tally::unpack(&bytes)),
        Err(error) if error.errno() == Some(Errno::NOT_FOUND) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn held(path: &Path) -> Result<bool> {
    match open(path) {
        Ok(file) => lock::is_held(file).map_err(|errno| Error::on("look at the lock", path, errno)),
        Err(error) if error.errno() == Some(Errno::NOT_FOUND) => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    fd::read_up_to(open(path)?, limit).map_err(|errno| Error::on("read", path, errno))
}

/// Without waiting, should it be a FIFO.
fn open(path: &Path) -> Result<OwnedFd> {
    dir::open(path, Open::ReadNow).map_err(|errno| Error::on("open", path, errno))
}
