//! Services under a running scanner: linking a service directory into its scan directory, and the
//! way back (contract s6 §1.2, s6-svlink and s6-svunlink).
//!
//! Both wait for what they asked for. The subscriptions come first, so that the news cannot be
//! missed, and what a failure leaves half done is undone.

use super::fifodir::{self, Subscription};
use super::{control, observe};
use crate::error::{Errno, Error, Result, shown};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::{clock, poll, process};
use crate::wire::clock::Monotonic;
use crate::wire::control::{Control, ScanControl};
use crate::wire::notice::Notice;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a supervisor that said that it exits may take to do so.
const MOMENT: Duration = Duration::from_secs(1);
/// How often to look whether it has.
const PACE: Duration = Duration::from_millis(1);

/// How a service is to begin under its supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// As its `down` file says.
    AsUsual,
    /// Down this time; no `down` file is left.
    Down,
    /// Down, now and later: with a `down` file.
    DownForGood,
}

/// How to link.
#[derive(Clone, Copy, Debug)]
pub struct Linking {
    /// How the service and its logger begin.
    pub begin: Begin,
    /// Everybody may subscribe to their events, not just our group.
    pub public_events: bool,
    /// Also if they have event directories already.
    pub force_events: bool,
}

/// How a wait for supervisors ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// All of them did it.
    Done,
    /// The deadline came first.
    TimedOut,
    /// There is no scanner to tell them.
    NoScanner,
}

/// Links a service directory into a scan directory under a name, has it scanned, and waits until
/// the service and its logger have supervisors. When they have them already, the link may exist
/// too, if it is the right one, and nothing is waited for.
///
/// After a failure and after the deadline the link is gone again, and so are supervisors and
/// `down` files that came with it.
pub fn link(
    scan_dir: &Path,
    service: &Path,
    name: &OsStr,
    linking: Linking,
    deadline: Option<Monotonic>,
) -> Result<Waited> {
    let target = if service.is_absolute() {
        service.to_owned() // as given: links on the way may be meant
    } else {
        service.canonicalize().map_err(|error| failed("resolve", service, &error))?
    };
    link_as(scan_dir, service, &target, name, linking, deadline)
}

/// The same with a link that says `target`, which leads from the scan directory to the service.
pub fn link_as(
    scan_dir: &Path,
    service: &Path,
    target: &Path,
    name: &OsStr,
    linking: Linking,
    deadline: Option<Monotonic>,
) -> Result<Waited> {
    let places = with_logger(service)?;
    let supervised = are_supervised(&places)?;
    let mut undo = Undo { link: None, down_files: Vec::new(), places: Vec::new() };
    let mut waiting = Vec::new();
    if !supervised {
        for place in &places {
            waiting.push(prepare(place, linking, &mut undo)?);
        }
    }
    let link = scan_dir.join(name);
    if make_link(service, target, &link, supervised)? {
        undo.link = Some(link);
    }
    control::scanner(scan_dir, &[ScanControl::Rescan]).map_err(
        |undelivered| match undelivered {
            control::Undelivered::NotListening(_) => {
                Error::on("control the scanner of", scan_dir, Errno::NO_READER)
            }
            control::Undelivered::Failed(error) => error,
        },
    )?;
    if !supervised {
        undo.places.clone_from(&places);
    }
    if !all_say(Notice::Start, waiting, deadline)? {
        return Ok(Waited::TimedOut);
    }
    undo.disarm();
    if linking.begin == Begin::Down && !supervised {
        for place in &places {
            remove(&place.join("down"))?;
        }
    }
    Ok(Waited::Done)
}

/// Removes a service's link from a scan directory, has that scanned and what is gone stopped, and,
/// if `wait`, waits until the supervisors of the service and of its logger have left. A link that
/// is not there is no error.
pub fn unlink(
    scan_dir: &Path,
    name: &OsStr,
    wait: bool,
    deadline: Option<Monotonic>,
) -> Result<Waited> {
    let link = scan_dir.join(name);
    let top = Dir::open(scan_dir).map_err(|errno| Error::on("open", scan_dir, errno))?;
    if top.lstat(name).is_ok_and(|stat| stat.is_dir()) {
        let how = "this is the service directory itself and no link to it; move it elsewhere to \
                   have it stopped";
        return Err(Error::malformed(format!("unlink {}", shown(&link)), how));
    }
    let mut waiting = Vec::new();
    let mut places = Vec::new();
    if let (true, Ok(service)) = (wait, link.canonicalize()) {
        for place in [service.clone(), service.join("log")] {
            // Subscribed first: a supervisor that leaves in between is seen to have left.
            match Subscription::to(place.join("event")) {
                Ok(subscription) if observe::is_supervised(&place)? => {
                    waiting.push(subscription);
                    places.push(place);
                }
                Ok(_) => {}
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    remove(&link)?;
    if control::scanner(scan_dir, &[ScanControl::Rescan, ScanControl::Nuke]).is_err() {
        return Ok(Waited::NoScanner);
    }
    let done = all_say(Notice::Exit, waiting, deadline)? && all_gone(&places)?;
    Ok(if done { Waited::Done } else { Waited::TimedOut })
}

/// A supervisor says that it exits, then it does: its lock is free a moment later. Who reads our
/// success as "unsupervised" must not find it held.
fn all_gone(places: &[PathBuf]) -> Result<bool> {
    let patience = clock::monotonic() + MOMENT;
    for place in places {
        while observe::is_supervised(place)? {
            let now = clock::monotonic();
            if now > patience {
                return Ok(false);
            }
            let _ = poll::readable(&[], Some(now + PACE)); // nothing to read: this only waits
        }
    }
    Ok(true)
}

/// The service directory, and that of its logger if it has one.
fn with_logger(service: &Path) -> Result<Vec<PathBuf>> {
    let log = service.join("log");
    match Dir::open(&log) {
        Ok(_) => Ok(vec![service.to_owned(), log]),
        Err(Errno::NOT_FOUND) => Ok(vec![service.to_owned()]),
        Err(errno) => Err(Error::on("open", log, errno)),
    }
}

/// Whether all of them have supervisors, or none.
fn are_supervised(places: &[PathBuf]) -> Result<bool> {
    let states: Result<Vec<bool>> =
        places.iter().map(|place| observe::is_supervised(place)).collect();
    match states?.as_slice() {
        [service] => Ok(*service),
        [service, log] if service == log => Ok(*service),
        [service, ..] => {
            let (with, without) =
                if *service { ("service", "logger") } else { ("logger", "service") };
            let how = format!("its {with} is supervised, its {without} is not; stop that first");
            let place = places.first().map_or(Path::new(""), PathBuf::as_path);
            Err(Error::malformed(format!("link {}", shown(place)), how))
        }
        [] => Ok(false),
    }
}

/// What has to be there before the supervisor: the `down` file, and our subscription.
fn prepare(place: &Path, linking: Linking, undo: &mut Undo) -> Result<Subscription> {
    let down = place.join("down");
    let exists = || Dir::open(place).is_ok_and(|dir| dir.lstat("down").is_ok());
    if linking.begin != Begin::AsUsual && !exists() {
        dir::open(&down, Open::Update(0o666)).map_err(|errno| Error::on("create", &down, errno))?;
        undo.down_files.push(down);
    }
    let (_, own_group) = process::effective_ids();
    let group = (!linking.public_events).then_some(own_group);
    let events = place.join("event");
    fifodir::ensure(&events, group, linking.force_events)?;
    Subscription::to(events)
}

/// Makes the link; `false` if it may be there and is.
fn make_link(service: &Path, target: &Path, link: &Path, may_exist: bool) -> Result<bool> {
    let Err(error) = std::os::unix::fs::symlink(target, link) else { return Ok(true) };
    let identity = |path: &Path| Dir::open(path)?.stat(".").map(|stat| stat.identity);
    let same = || identity(link).is_ok_and(|there| identity(service) == Ok(there));
    match Errno::of(&error) {
        Errno::EXISTS if may_exist && same() => Ok(false),
        errno => Err(Error::on("create", link, errno)),
    }
}

/// Waits until each of them has got this notice; `false` when the deadline came first.
fn all_say(
    notice: Notice,
    mut waiting: Vec<Subscription>,
    deadline: Option<Monotonic>,
) -> Result<bool> {
    while !waiting.is_empty() {
        let fds: Vec<BorrowedFd<'_>> = waiting.iter().map(AsFd::as_fd).collect();
        let ready = poll::readable(&fds, deadline)
            .map_err(|errno| Error::system("wait for events", errno))?;
        if !ready.contains(&true) {
            return Ok(false);
        }
        waiting.retain(|subscription| !subscription.take().contains(&notice.letter()));
    }
    Ok(true)
}

/// What there is to undo as long as the link is not wanted for sure.
struct Undo {
    link: Option<PathBuf>,
    down_files: Vec<PathBuf>,
    /// Whose supervisors may have been started: the service, then its logger.
    places: Vec<PathBuf>,
}

impl Undo {
    fn disarm(&mut self) {
        self.link = None;
        self.down_files.clear();
        self.places.clear();
    }
}

impl Drop for Undo {
    /// What goes wrong here is not told: the failure that brought us here is.
    fn drop(&mut self) {
        for file in self.link.iter().chain(&self.down_files) {
            let _ = remove(file);
        }
        // The logger ends by itself, once it has read everything.
        let ends = [[Control::Exit, Control::Down], [Control::Exit, Control::Once]];
        for (place, controls) in self.places.iter().zip(&ends) {
            let _ = control::service(place, controls);
        }
    }
}

/// Removes a file or link, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("remove", path, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::on(verb, path, Errno::of(error))
}

/// Whether something is not there, rather than out of reach.
fn is_absence(error: &Error) -> bool {
    matches!(error.errno(), Some(Errno::NOT_FOUND | Errno(libc::ENOTDIR | libc::ELOOP)))
}
