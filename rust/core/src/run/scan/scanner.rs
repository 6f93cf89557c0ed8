//! What a scan directory's scanner has and does; its host decides when.

use super::errand::{self, Errand};
use crate::error::{Errno, Error, Result, Why, shown};
use crate::machine::scan::{
    Action, CATCH_ALL, Event, Found, Limits, Role, Scanner as Machine, SeatId,
};
use crate::run::Inheritance;
use crate::run::listening::ControlFifo;
use crate::run::supervise::Mission;
use crate::sys::dir::{Dir, Open};
use crate::sys::spawn::Launch;
use crate::sys::wait::Pid;
use crate::sys::{clock, fd, lock, offspring, poll, process};
use crate::wire::clock::Monotonic;
use crate::wire::control::ScanControl;
use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How to scan; the options of `s6-svscan`.
#[derive(Debug)]
pub struct Options {
    /// Scan again after that long (`-t`).
    pub rescan: Option<Duration>,
    /// How many supervisors may run, loggers counted (`-C`).
    pub supervisors: usize,
    /// The longest name of a service (`-L`).
    pub name_max: usize,
    /// Where to write a newline once ready to take commands (`-d`).
    pub readiness: Option<OwnedFd>,
    /// The standard error of the catch-all logger (`-X`).
    pub console: Option<OwnedFd>,
    /// Whether the host's stdout and stderr stay as they are when the scanner ends: it lets go of the
    /// catch-all logger's FIFO itself.
    pub keeps_output: bool,
}

impl Default for Options {
    /// The defaults of s6-svscan 2.15.
    fn default() -> Options {
        Options {
            rescan: None,
            supervisors: 1000,
            name_max: 251,
            readiness: None,
            console: None,
            keeps_output: false,
        }
    }
}

/// A scan directory being scanned.
#[derive(Debug)]
pub struct Scanner {
    machine: Machine,
    directory: Dir,
    control: ControlFifo,
    _lock: OwnedFd,
    options: Options,
    inheritance: Inheritance,
    /// The pipe between a service and its logger: read end, write end. Held here, so that nothing
    /// written is lost when either side dies.
    pipes: BTreeMap<SeatId, (OwnedFd, OwnedFd)>,
    supervisors: BTreeMap<Pid, SeatId>,
    /// Scripts that took over a signal; counted only so that their deaths surprise nobody.
    scripts: BTreeSet<Pid>,
    over: bool,
}

impl Scanner {
    /// Takes a scan directory, which becomes the working directory; locks it (contract s6 §2.1).
    pub fn open(path: &Path, options: Options, inheritance: Inheritance) -> Result<Self> {
        fd::sanitize_standard().map_err(|errno| Error::on("open", "/dev/null", errno))?;
        offspring::prepare().map_err(|errno| Error::system("map memory", errno))?;
        let directory = Dir::open(path).map_err(|errno| Error::on("chdir to", path, errno))?;
        process::change_directory(&directory)
            .map_err(|errno| Error::on("chdir to", path, errno))?;
        let old = process::umask(0);
        let files = take_files(&directory, path);
        process::umask(old);
        let (lock, control) = files?;
        let limits = Limits { rescan: options.rescan, supervisors: options.supervisors };
        Ok(Scanner {
            machine: Machine::new(clock::monotonic(), limits),
            directory,
            control,
            _lock: lock,
            options,
            inheritance,
            pipes: BTreeMap::new(),
            supervisors: BTreeMap::new(),
            scripts: BTreeSet::new(),
            over: false,
        })
    }

    /// Tells whoever asked by `-d` that commands are taken from now on.
    pub fn tell_ready(&mut self) {
        if let Some(fd) = self.options.readiness.take() {
            let _ = fd::write(fd, b"\n"); // if nobody listens, nobody wanted to know
        }
    }

    /// The descriptor that is readable when there are control bytes, unless none are taken for a moment.
    pub fn control(&self) -> Option<BorrowedFd<'_>> {
        self.control.awaited()
    }

    /// The control bytes that have arrived. The host passes them to [`Scanner::ask`], or acts on them itself.
    pub fn controls(&mut self) -> Vec<ScanControl> {
        let mut controls = Vec::new();
        let mut unknown = Vec::new();
        for byte in self.control.take() {
            match ScanControl::from_letter(byte) {
                Some(control) => controls.push(control),
                None => unknown.push(byte),
            }
        }
        if let Some(first) = unknown.first() {
            let count = unknown.len();
            warn(&format!("ignoring {count} unknown control bytes, the first is 0x{first:02x}"));
        }
        controls.dedup(); // twice in a row is no more than once
        controls
    }

    /// When [`Scanner::timeout`] is to be called, and [`Scanner::controls`].
    pub fn deadline(&self) -> Option<Monotonic> {
        [self.machine.deadline(), self.control.deadline()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn timeout(&mut self) {
        self.feed(Event::Timeout);
    }

    /// Does what a control byte asks for.
    pub fn ask(&mut self, control: ScanControl) {
        self.feed(Event::Asked(control));
    }

    /// Takes note of a child's death; `false` if it was none of ours.
    pub fn child_died(&mut self, pid: Pid, how: WaitStatus) -> bool {
        if let Some(seat) = self.supervisors.remove(&pid) {
            self.feed(Event::Died(seat, how));
            return true;
        }
        self.scripts.remove(&pid)
    }

    /// Runs the script `.s6-svscan/SIGNAME` in place of the signal's own effect; `false` if there
    /// is none that can be run, or the signal is not one that can be taken over.
    pub fn divert(&mut self, signal: Signal) -> bool {
        if matches!(signal, Signal::SIGCHLD | Signal::SIGALRM | Signal::SIGABRT) {
            return false;
        }
        let Ok(script) = CString::new(format!(".s6-svscan/{signal}")) else { return false };
        let argv = [script];
        let plain = Launch::plain(&argv, &argv, self.inheritance.env);
        match (Launch { apart: true, ..plain }).spawn() {
            Ok(pid) => self.scripts.insert(pid),
            Err(_) => false,
        }
    }

    /// Whether the scanner has nothing left to do.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// How many supervisors run or are about to, besides that of the catch-all logger.
    pub fn supervisors_left_to_log(&self) -> usize {
        self.machine.supervisors_left_to_log()
    }

    /// The scan directory.
    pub fn directory(&self) -> &Dir {
        &self.directory
    }

    /// Lets go of the catch-all logger's FIFO, which ends only when nobody can write to it any more,
    /// and which `finish` would otherwise write to without a reader (contract s6 §2.6).
    fn release_output(&self) {
        if self.options.keeps_output {
            return;
        }
        if let Some(console) = &self.options.console {
            let _ = fd::place(console, 2).and_then(|()| fd::place(console, 1));
        } else if self.directory.exists(OsStr::from_bytes(CATCH_ALL)) {
            fd::leave_standard(1);
        }
    }

    fn feed(&mut self, event: Event) {
        let mut starts = Vec::new();
        for action in self.machine.step(clock::monotonic(), event) {
            match action {
                Action::Scan => match self.read_directory() {
                    Ok((found, complete)) => {
                        self.feed(Event::Scanned(found));
                        if !complete {
                            self.feed(Event::ScanFailed); // there is more: look again
                        }
                    }
                    Err(error) => {
                        warn(&format!("{error}; trying again in 5 seconds"));
                        self.feed(Event::ScanFailed);
                    }
                },
                Action::Start { seat, last } => starts.push((seat, last)),
                Action::Signal(seat, signal) => {
                    for (pid, _) in self.supervisors.iter().filter(|(_, at)| **at == seat) {
                        let _ = pid.kill(signal); // our own child, not yet reaped
                    }
                }
                Action::Dismiss(seat) => self.dismiss(seat),
                Action::Forget(seat) | Action::ClosePipe(seat) => {
                    drop(self.pipes.remove(&seat));
                }
                Action::ClosePipes => {
                    self.pipes.clear();
                    self.release_output();
                }
                Action::TooMany(count) => warn(&format!(
                    "too many services: {count} not started; raise the limit with -C"
                )),
                Action::Leave => self.over = true,
            }
        }
        for batch in starts.chunks(errand::BATCH) {
            self.start(batch);
        }
    }

    /// The services, and whether that is all of them.
    fn read_directory(&self) -> Result<(Vec<Found>, bool)> {
        let names = self.directory.sorted_names();
        let names = names.map_err(|e| Error::system("read the scan directory", e))?;
        let (mut found, mut complete) = (Vec::new(), true);
        for name in names.iter().filter(|name| !name.as_bytes().starts_with(b".")) {
            match self.look_at(name) {
                Ok(service) => found.extend(service),
                Err(errno) => {
                    warn(&Error::on("stat", name, errno).to_string());
                    if !is_lasting(errno) {
                        complete = false;
                        found.extend(self.machine.known(name.as_bytes()));
                    }
                }
            }
        }
        Ok((found, complete))
    }

    /// The service of this name, if it is one.
    fn look_at(&self, name: &OsStr) -> std::result::Result<Option<Found>, Errno> {
        let stat = self.directory.stat(name)?;
        if !stat.is_dir() {
            return Ok(None);
        }
        if name.len() > self.options.name_max {
            let shown = shown(Path::new(name));
            warn(&format!("ignoring {shown}: its name is too long; raise the limit with -L"));
            return Ok(None);
        }
        let has_log = match self.directory.stat(Path::new(name).join("log")) {
            Ok(log) => log.is_dir(),
            Err(errno) if is_lasting(errno) => false,
            Err(errno) => return Err(errno),
        };
        Ok(Some(Found { name: name.as_bytes().to_vec(), identity: stat.identity, has_log }))
    }

    /// Forks supervisors.
    fn start(&mut self, batch: &[(SeatId, bool)]) {
        let errands: Vec<_> = batch.iter().map(|&(seat, last)| self.errand(seat, last)).collect();
        let stack_end = self.inheritance.title.map(|title| title.address());
        let forked = errand::fork_all(&errands, stack_end);
        for ((seat, _), result) in batch.iter().zip(forked) {
            match result {
                Ok(pid) => {
                    self.supervisors.insert(pid, *seat);
                    self.feed(Event::Started(*seat));
                }
                Err(errno) => {
                    let error = Error::system("start a supervisor", errno);
                    warn(&format!("{error}; trying again in 4 seconds"));
                    self.feed(Event::StartFailed(*seat));
                }
            }
        }
    }

    fn errand(&mut self, id: SeatId, last: bool) -> std::result::Result<Errand, Errno> {
        let seat = self.machine.seat(id).ok_or(Errno::NOT_FOUND)?;
        let (role, argument) = (seat.role(), seat.argument());
        let pair = match role {
            Role::LoggerOf(service) => service,
            Role::Service => id,
        };
        let logged = !last && self.machine.has_logger(pair);
        if logged && !self.pipes.contains_key(&pair) {
            self.pipes.insert(pair, fd::pipe()?);
        }
        let pipe = self.pipes.get(&pair).map(|(reader, writer)| match role {
            Role::Service => (writer.as_raw_fd(), 1),
            Role::LoggerOf(_) => (reader.as_raw_fd(), 0),
        });
        let console = self.options.console.as_ref().filter(|_| argument == CATCH_ALL);
        let console = console.map(|console| (console.as_raw_fd(), 2));
        let mission = if last { Mission::CleanUp } else { Mission::Supervise };
        Ok(Errand { argument, mission, places: [pipe, console], inheritance: self.inheritance })
    }

    /// Asks a supervisor that another scanner left behind to end its service and go.
    fn dismiss(&self, seat: SeatId) {
        let Some(seat) = self.machine.seat(seat) else { return };
        let argument = seat.argument();
        let control = Path::new(OsStr::from_bytes(&argument)).join("supervise/control");
        let told =
            self.directory.file(&control, Open::WriteNow).and_then(|fifo| fd::write(fifo, b"dx"));
        if let Err(errno) = told {
            warn(&Error::on("write to", &control, errno).to_string());
        }
    }
}

/// Lock and control FIFO.
fn take_files(directory: &Dir, path: &Path) -> Result<(OwnedFd, ControlFifo)> {
    let own_path = path.join(".s6-svscan");
    match directory.mkdir(".s6-svscan", 0o700) {
        Ok(()) | Err(Errno::EXISTS) => {}
        Err(errno) => return Err(Error::on("create", own_path, errno)),
    }
    let own = directory.sub(".s6-svscan").map_err(|errno| Error::on("open", &own_path, errno))?;
    let lock_path = own_path.join("lock");
    let lock = own
        .file("lock", Open::UpdateNow(0o600))
        .map_err(|errno| Error::on("open", &lock_path, errno))?;
    match lock_patiently(&lock) {
        Ok(true) => {}
        Ok(false) => {
            return Err(Error { what: format!("scan {}", shown(path)), why: Why::Busy });
        }
        Err(errno) => return Err(Error::on("lock", &lock_path, errno)),
    }
    Ok((lock, ControlFifo::open(&own, &own_path.join("control"))?))
}

/// How long a lock may be in the hands of a process that is on its way out.
const FOR_LAST_FORK: Duration = Duration::from_millis(200);

/// Takes the scanner's lock. A supervisor that was being forked when its scanner was killed still
/// holds the scanner's descriptors for a moment; that is no other scanner.
fn lock_patiently(lock: &OwnedFd) -> std::result::Result<bool, Errno> {
    let last = clock::monotonic() + FOR_LAST_FORK;
    loop {
        let now = clock::monotonic();
        if lock::try_exclusive(lock)? {
            return Ok(true);
        } else if now >= last {
            return Ok(false);
        }
        poll::readable(&[], Some(now + Duration::from_millis(5)))?;
    }
}

/// Whether a name fails to lead anywhere until somebody mends it, and then asks for a scan.
fn is_lasting(errno: Errno) -> bool {
    matches!(errno, Errno(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EACCES))
}

fn warn(what: &str) {
    fd::complain(&format!("s6-svscan: warning: {what}\n"));
}
