//! Looking at supervised services from outside: is there a supervisor, what does it say, and
//! waiting until it says something else.

use crate::error::{Errno, Error, Result, shown};
use crate::machine::wait::{Enough, Goal, Wait};
use crate::run::fifodir::{self, Subscription};
use crate::sys::dir::{self, Open};
use crate::sys::{fd, lock, poll, process};
use crate::wire::clock::Monotonic;
use crate::wire::notice::Notice;
use crate::wire::status::Status;
use crate::wire::tally::{self, Death};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

/// The last deaths of the service, oldest first; none when it is supervised and there is no tally
/// (contract s6 §5.2).
pub fn deaths(service: &Path) -> Result<Vec<Death>> {
    let path = service.join("supervise/death_tally");
    match read(&path, tally::RECORD * (tally::MOST + 1)) {
        Ok(bytes) => Ok(tally::unpack(&bytes)),
        Err(error) if error.errno() == Some(Errno::NOT_FOUND) => {
            dir::Dir::open(service.join("supervise")).map(|_| Vec::new()).map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

/// Services being waited for. Dropping it ends the subscriptions.
#[derive(Debug)]
pub struct Watch {
    wait: Wait,
    subscriptions: Vec<Subscription>,
}

impl Watch {
    /// Subscribes to the events of these service directories and reads where they stand. What
    /// happens from here on is not missed, whatever is done before [`Watch::until`].
    ///
    /// A service without supervisor is no error: its last status counts. One that never had any is.
    pub fn on<P: AsRef<Path>>(services: &[P], goal: Goal, enough: Enough) -> Result<Watch> {
        let mut watch = Watch { wait: Wait::new(goal, enough), subscriptions: Vec::new() };
        for service in services {
            let events = service.as_ref().join("event");
            // As the originals' waiting programs: one may come before the first supervisor.
            let (_, own_group) = process::effective_ids();
            let _ = fifodir::make(&events, Some(own_group));
            watch.subscriptions.push(Subscription::to(events)?);
            watch.wait.add(&status(service.as_ref())?);
        }
        Ok(watch)
    }

    /// Waits until enough services have got there, and returns how many never will: 0 is success.
    /// `None`: the deadline came first; the wait may be gone on with.
    pub fn until(&mut self, deadline: Option<Monotonic>) -> Result<Option<usize>> {
        loop {
            if let Some(lost) = self.wait.outcome() {
                return Ok(Some(lost));
            }
            let ready = poll::readable(&self.descriptors(), deadline)
                .map_err(|errno| Error::system("wait for events", errno))?;
            if !ready.contains(&true) {
                return Ok(None);
            }
            self.take();
        }
    }

    /// What becomes readable with the events, for a host with an event loop of its own; then
    /// [`Watch::until`] the present moment tells what they mean.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.subscriptions.iter().map(AsFd::as_fd).collect()
    }

    /// Byte by byte, because enough may be reached in the middle of what has arrived.
    fn take(&mut self) {
        for (service, subscription) in self.subscriptions.iter().enumerate() {
            for notice in subscription.take().into_iter().filter_map(Notice::from_letter) {
                self.wait.event(service, notice);
                if self.wait.outcome().is_some() {
                    return;
                }
            }
        }
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
