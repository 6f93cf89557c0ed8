//! The driver of the supervise machine.
//!
//! A [`Seat`] is one supervised service: its machine, its files, its child. [`supervise`] is the
//! loop of a process that hosts one seat, as `s6-supervise` does. Everything that can block is
//! non-blocking; a file that cannot be written is a warning, never an end.

mod child;
mod files;
mod programs;
mod survivor;

use crate::error::{Errno, Error, Result, shown};
use crate::machine::supervise::{Action, Event, Now, Program, Supervisor};
use crate::model::service_dir::{self, Settings};
use crate::run::fifodir;
use crate::sys::dir::{Dir, Open};
use crate::sys::poll::Wish;
use crate::sys::signals::SignalFd;
use crate::sys::{clock, fd, offspring, process, wait};
use crate::wire::clock::Monotonic;
use crate::wire::control::Control;
use crate::wire::notice::Notice;
use crate::wire::signal::Signal;
use crate::wire::status::Status;
use crate::wire::tally;
use crate::wire::wait_status::WaitStatus;

use child::Child;
use files::Files;
use programs::NotStarted;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// What a supervisor starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mission {
    /// Keep the service as its `down` file says.
    Supervise,
    /// Never start it: only end what an earlier supervisor left running.
    CleanUp,
}

/// One supervised service.
#[derive(Debug)]
struct Seat<'a> {
    /// The name for messages, and the service's second argument.
    name: CString,
    env: &'a [CString],
    machine: Supervisor,
    service: Dir,
    files: Files,
    /// Where children write down who they are.
    record: Option<OwnedFd>,
    /// And in which boot of the kernel.
    boot: Vec<u8>,
    child: Option<Child>,
    /// The pid of the last `run`, which `finish` is told.
    last_run: u64,
    /// The read end of the service's notification pipe, until it is ready.
    readiness: Option<OwnedFd>,
    settings: Settings,
    /// When to write the status again that could not be written.
    unpublished: Option<Monotonic>,
    gone: bool,
}

/// How soon to write again what could not be written.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// Supervises the service directory `path` until told to exit. The process becomes the service's
/// supervisor: working directory, signal mask and standard streams are its own business from here.
///
/// Errors: [`Why::Busy`] when another supervisor holds the service; [`Why::Malformed`] when
/// `supervise`, `event` or `control` is not what it should be.
pub fn supervise(path: &Path, name: CString, env: &[CString], mission: Mission) -> Result<()> {
    let mut seat = Seat::open(path, name, env, mission)?;
    let signals =
        [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGINT];
    let signals = SignalFd::new(&signals).map_err(|errno| Error::system("watch signals", errno))?;
    crate::sys::signals::survive_broken_pipes();
    fd::drop_unread_complaints();
    // Whoever starts can also write, notify, and listen for readiness.
    drop(fd::pipe().map_err(|errno| Error::system("open two descriptors more", errno))?);
    seat.begin();
    if mission == Mission::CleanUp && seat.child.is_none() {
        seat.feed(Event::Term); // nothing was left behind
    }
    while !seat.gone {
        if !seat.is_due() {
            let mut wishes = vec![(signals.as_fd(), Wish::Read)];
            wishes.extend(seat.fds().map(|fd| (fd, Wish::Read)));
            offspring::wait(&wishes, seat.deadline());
        }
        seat.take_readiness();
        let mut signalled = false;
        while let Some(signal) = signals.take() {
            signalled = true;
            match signal {
                Signal::SIGTERM => seat.feed(Event::Term),
                Signal::SIGHUP => seat.feed(Event::Hup),
                Signal::SIGQUIT => seat.feed(Event::Quit),
                Signal::SIGINT => seat.feed(Event::Int),
                _ => {} // SIGCHLD: below
            }
        }
        seat.reap();
        if !signalled {
            // The order of the originals: a wish that has arrived comes before a start that is due.
            seat.take_control();
            seat.take_timeout();
        }
    }
    Ok(())
}

impl<'a> Seat<'a> {
    /// Takes a service directory: makes what is missing, locks it, and looks for what an earlier
    /// supervisor left running (contract s6 §4.1).
    fn open(path: &Path, name: CString, env: &'a [CString], mission: Mission) -> Result<Seat<'a>> {
        let service = Dir::open(path).map_err(|errno| Error::on("chdir to", path, errno))?;
        process::change_directory(&service).map_err(|errno| Error::on("chdir to", path, errno))?;
        let files = Files::take(&service, path)?;
        let now = Now { monotonic: clock::monotonic(), wall: clock::wall() };
        let settings = Settings::default();
        let wanted = mission == Mission::Supervise && !service.exists("down");
        let boot = clock::boot();
        let (machine, child) = match survivor::find(&files.supervise, &boot, now.wall) {
            Some((program, child, status)) => {
                let wanted = mission == Mission::Supervise && status.wanted_up;
                let machine = Supervisor::adopting(now, program, status, wanted, &settings);
                (machine, Some(child))
            }
            None => (Supervisor::new(now, wanted), None),
        };
        let record = files.supervise.file(survivor::RECORD, Open::UpdateNow(0o600)).ok();
        let last_run = child.as_ref().map_or(0, |child| child.pid().number() as u64);
        let readiness = None;
        let seat = Seat {
            name,
            env,
            machine,
            service,
            files,
            record,
            boot,
            child,
            last_run,
            readiness,
            settings,
            unpublished: None,
            gone: false,
        };
        if let Err(errno) = seat.files.supervise.file("death_tally", Open::Replace(0o666)) {
            seat.warn(&Error::on("write", "supervise/death_tally", errno).to_string());
        }
        Ok(seat)
    }

    fn begin(&mut self) {
        let first = self.machine.begin();
        self.perform(first);
    }

    /// What to wait for.
    fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let readiness = self.readiness.as_ref().map(AsFd::as_fd);
        let adopted = self.child.as_ref().and_then(Child::descriptor);
        [self.files.control.awaited(), readiness, adopted].into_iter().flatten()
    }

    fn feed(&mut self, event: Event) {
        if self.gone {
            return;
        }
        if self.machine.consults_settings(event) {
            let mut problems = Vec::new();
            self.settings = Settings::read(&self.service, &mut |error| problems.push(error));
            self.warn_of(&problems);
        }
        let now = Now { monotonic: clock::monotonic(), wall: clock::wall() };
        let actions = self.machine.step(now, event, &self.settings);
        self.perform(actions);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Start(program) => self.start(program),
                Action::Kill(target, signal) => {
                    if let Some(child) = &self.child {
                        child.kill(target, signal);
                    }
                }
                Action::Publish => self.publish(),
                Action::Notify(notices) => {
                    let bytes: Vec<u8> = notices.iter().copied().map(Notice::letter).collect();
                    self.notify(&bytes);
                }
                Action::RecordDeath => self.record_death(),
                Action::SetDownFile(down) => self.set_down_file(down),
                Action::CloseReadiness => self.readiness = None,
                Action::ReleaseStandardStreams => [0, 1].into_iter().for_each(fd::leave_standard),
                Action::Exit => self.gone = true,
            }
        }
    }

    fn start(&mut self, program: Program) {
        let started = match program {
            Program::Run => self.start_run(),
            Program::Finish => self.start_finish(),
        };
        match started {
            Ok(child) => {
                self.child = Some(child);
                self.feed(Event::Started(program));
            }
            Err(why) => {
                if let NotStarted::Because(why) = why {
                    self.warn(&why);
                }
                self.feed(Event::StartFailed(program));
            }
        }
    }

    fn status(&self) -> Status {
        self.machine.status(self.child.as_ref().map_or(0, |child| child.pid().number() as u64))
    }

    /// Writes the status. Where that fails (a full disk), it is told once, and done as soon as possible:
    /// else what is on disk would be wrong until the next change.
    fn publish(&mut self) {
        let late = self.unpublished.take().is_some();
        if let Err(errno) = self.files.supervise.replace("status", &self.status().pack(), 0o666) {
            self.unpublished = Some(clock::monotonic() + WRITE_AGAIN);
            if !late {
                self.warn(&Error::on("write", "supervise/status", errno).to_string());
            }
        }
    }

    fn deadline(&self) -> Option<Monotonic> {
        let control = self.files.control.deadline();
        [self.machine.deadline(), self.unpublished, control].into_iter().flatten().min()
    }

    /// Tells the subscribers. The directory is opened each time: it may have been removed, and made anew
    /// by somebody who waits (contract s6 §5.6.2).
    fn notify(&self, bytes: &[u8]) {
        let events = self.service.sub("event");
        match events.and_then(|events| fifodir::notify(&events, bytes)) {
            Ok(()) | Err(Errno::NOT_FOUND) => {}
            Err(e) => self.warn(&Error::on("notify subscribers in", "event", e).to_string()),
        }
    }

    fn record_death(&mut self) {
        let mut problems = Vec::new();
        let most = service_dir::number(&self.service, "max-death-tally", &mut |e| problems.push(e));
        self.warn_of(&problems);
        let most = most.map_or(100, |most| most as usize);
        if most == 0 {
            return;
        }
        let old = self.files.supervise.read("death_tally", tally::MOST * tally::RECORD);
        let status = self.machine.status(0);
        let death = tally::Death::new(status.stamp, status.wait_status);
        let new = tally::appended(&old.unwrap_or_default(), death, most);
        if let Err(errno) = self.files.supervise.replace("death_tally", &new, 0o666) {
            self.warn(&Error::on("write", "supervise/death_tally", errno).to_string());
        }
    }

    fn set_down_file(&self, down: bool) {
        let done = if down {
            self.service.file("down", Open::Replace(0o666)).map(drop)
        } else {
            match self.service.unlink("down") {
                Err(Errno::NOT_FOUND) => Ok(()),
                result => result,
            }
        };
        if let Err(errno) = done {
            let verb = if down { "create" } else { "remove" };
            self.warn(&Error::on(verb, "down", errno).to_string());
        }
    }

    fn take_readiness(&mut self) {
        let Some(pipe) = &self.readiness else { return };
        let mut buffer = [0; 512];
        loop {
            match fd::read(pipe, &mut buffer) {
                Ok(0) => {
                    self.readiness = None;
                    return;
                }
                Ok(got) if buffer.iter().take(got).any(|&byte| byte == b'\n') => {
                    return self.feed(Event::Ready);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn take_control(&mut self) {
        for byte in self.files.control.take() {
            if let Some(control) = Control::from_letter(byte) {
                self.feed(Event::Asked(control));
            }
        }
    }

    /// Whether something is to be done already: then nothing is waited for.
    fn is_due(&self) -> bool {
        self.deadline().is_some_and(|due| due <= clock::monotonic())
    }

    fn take_timeout(&mut self) {
        if self.machine.deadline().is_some_and(|due| due <= clock::monotonic()) {
            self.feed(Event::Timeout);
        }
        if self.unpublished.is_some_and(|due| due <= clock::monotonic()) {
            self.publish();
        }
    }

    fn reap(&mut self) {
        if let Some(how) = self.child.as_ref().and_then(Child::ending_if_adopted) {
            self.take_readiness();
            self.child_died(how);
        }
        while let Some((pid, how)) = wait::next_dead() {
            if self.child.as_ref().is_some_and(|child| child.pid() == pid) {
                self.take_readiness(); // a service may say that it is ready and die at once
                self.child_died(how);
            }
        }
    }

    fn child_died(&mut self, how: WaitStatus) {
        self.child = None;
        self.feed(Event::Died(how));
    }

    fn warn_of(&self, problems: &[Error]) {
        for problem in problems {
            self.warn(&problem.to_string());
        }
    }

    fn warn(&self, what: &str) {
        let name = shown(Path::new(&*self.name.to_string_lossy()));
        fd::complain(&format!("s6-supervise {name}: warning: {what}\n"));
    }
}
