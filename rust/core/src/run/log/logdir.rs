//! A logdir: opened after whatever happened before, written, rotated, closed (contract s6 §1.10).

use super::archives::{Archives, Kind};
use super::journal::Journal;
use super::queue::Queue;
use super::recovery;
use super::voice::Voice;
use crate::error::{Errno, Error, Result};
use crate::machine::log::rotation::{Event, Limits, Rotation, Step};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::spawn::Launch;
use crate::sys::wait::Pid;
use crate::sys::{clock, fd, lock};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::log_journal::{self, Outlet};
use crate::wire::log_script::{self, Processor};
use crate::wire::wait_status::{Ending, WaitStatus};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};

/// What marks a file as complete.
const COMPLETE: u32 = 0o100;

/// A logdir that is ours, and nothing else yet.
pub(super) struct Claim {
    settings: log_script::Logdir,
    dir: Dir,
    lock: OwnedFd,
    /// What names it, for the journal.
    pub(super) name: u64,
}

/// An open logdir.
pub(super) struct Logdir {
    /// Its number in the script and in the journal.
    nth: usize,
    settings: log_script::Logdir,
    dir: Dir,
    _lock: OwnedFd,
    current: OwnedFd,
    /// The file that was `current` until the rotation that goes on.
    previous: Option<OwnedFd>,
    /// The mode of files that are not complete.
    mode: u32,
    /// What is to be written.
    pub(super) queue: Queue,
    /// So many of the next lines it has already.
    pub(super) has: u64,
    /// How many lines were written since the journal was told, as far as more waits.
    lines: u64,
    /// The size of `current`.
    size: u64,
    rotation: Rotation,
    processor: Option<Pid>,
    environment: Environment,
    voice: Voice,
    /// What failed last and has not been done since: once is enough to say so.
    trouble: Option<Error>,
}

impl Claim {
    /// Makes the directory if need be, and locks it.
    pub(super) fn new(settings: log_script::Logdir) -> Result<Claim> {
        let path = &settings.path;
        let on = |verb: &'static str, name| move |errno| Error::on(verb, path.join(name), errno);
        match dir::mkdir(path, 0o700) {
            Ok(()) | Err(Errno::EXISTS) => {}
            Err(errno) => return Err(Error::on("make", path, errno)),
        }
        let dir = Dir::open(path).map_err(|errno| Error::on("open", path, errno))?;
        let lock = dir.file("lock", Open::Update(0o666)).map_err(on("open", "lock"))?;
        if !lock::try_exclusive(&lock).map_err(on("lock", "lock"))? {
            return Err(on("lock", "lock")(Errno::BUSY)); // 111, unlike other locks
        }
        let stat = dir::stat(&dir).map_err(|errno| Error::on("look at", path, errno))?;
        let (device, inode) = stat.identity;
        let name = [device.to_le_bytes(), inode.to_le_bytes()].concat();
        Ok(Claim { name: log_journal::number_of(&name), settings, dir, lock })
    }

    /// The directory, for the journal.
    pub(super) fn home(&self) -> Option<Dir> {
        self.dir.again().ok()
    }

    /// Recovers what a crash has left, and opens `current`. `nth`: its number in the script; `mode`: of
    /// files, the umask taken off; `outlet`: how far it had come.
    pub(super) fn open(
        self,
        nth: usize,
        mode: u32,
        environment: Environment,
        voice: Voice,
        outlet: Outlet,
    ) -> Result<Logdir> {
        let Claim { settings, dir, lock, name: _ } = self;
        let path = &settings.path;
        let on = |verb: &'static str| move |errno| Error::on(verb, path.join("current"), errno);
        recovery::cut(&dir, path, outlet)?;
        recover(&settings, &dir, voice)?;
        let current = dir.file("current", Open::Append(0o666)).map_err(on("open"))?;
        dir::chmod(&current, mode).map_err(on("change the mode of"))?;
        let size = dir::stat(&current).map_err(on("look at"))?.size;
        let limits = Limits {
            size: settings.size.into(),
            tolerance: settings.tolerance.into(),
            retry: settings.retry,
            period: settings.period,
            processor: settings.processor.is_some(),
        };
        let rotation = Rotation::new(clock::monotonic(), limits, size);
        Ok(Logdir {
            nth,
            settings,
            dir,
            _lock: lock,
            current,
            previous: None,
            mode,
            queue: Queue::default(),
            has: 0,
            lines: 0,
            size,
            rotation,
            processor: None,
            environment,
            voice,
            trouble: None,
        })
    }
}

impl Logdir {
    /// What the journal has to know of it.
    pub(super) fn outlet(&self, outlet: Outlet) -> Outlet {
        let (size, (inode, born)) = recovery::identity(&self.current).unwrap_or_default();
        Outlet { inode, born, size, ..outlet }
    }

    /// When to call [`Logdir::timeout`].
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        self.rotation.deadline()
    }

    /// Whether nothing more is to be done, and if so, whether it was left as it should be.
    pub(super) fn closed(&self) -> Option<bool> {
        self.rotation.closed()
    }

    /// Writes what can be written now, each file up to its size.
    pub(super) fn flush(&mut self, journal: &mut Journal) {
        while self.queue.len() > 0 {
            let Some(room) = self.rotation.room() else { return };
            let pending = upto(self.queue.pending(), room);
            match fd::write(&self.current, pending) {
                Ok(count) if count > 0 => {
                    let written = pending.get(..count).unwrap_or(pending);
                    let ends_line = written.ends_with(b"\n");
                    self.trouble = None;
                    self.size += count as u64;
                    if journal.is_kept() && count < self.queue.len() {
                        self.lines += line_ends(written);
                    }
                    self.queue.consume(count);
                    self.feed(Event::Written(count as u64, ends_line), journal);
                }
                result => {
                    let errno = result.err().unwrap_or(Errno::NO_SPACE);
                    self.complain(self.error("write to", "current", errno));
                    self.feed(Event::WriteFailed, journal);
                }
            }
        }
        self.lines = 0;
        journal.all_written(self.nth, self.size);
    }

    /// Rotates now, if there is anything to rotate.
    pub(super) fn rotate(&mut self, journal: &mut Journal) {
        self.feed(Event::Asked, journal);
    }

    /// The deadline has passed.
    pub(super) fn timeout(&mut self, journal: &mut Journal) {
        self.feed(Event::Timeout, journal);
    }

    /// Everything is written; nothing more will come.
    pub(super) fn stop(&mut self, journal: &mut Journal) {
        self.feed(Event::Stop, journal);
    }

    /// A child has died, ours or not.
    pub(super) fn died(&mut self, pid: Pid, status: WaitStatus, journal: &mut Journal) {
        if self.processor != Some(pid) {
            return;
        }
        self.processor = None;
        let path = self.settings.path.display();
        match status.ending() {
            Ending::Exited(0) => {}
            Ending::Exited(code) => {
                self.voice.warn(&format!("processor failed in {path}: exit code {code}"));
            }
            Ending::Killed(signal) => {
                self.voice.warn(&format!("processor crashed in {path}: {signal}"));
            }
        }
        self.feed(Event::Processed(status.ending() == Ending::Exited(0)), journal);
    }

    /// One event, and all steps that follow from it.
    fn feed(&mut self, event: Event, journal: &mut Journal) {
        let mut next = self.rotation.step(clock::monotonic(), event);
        while let Some(step) = next {
            self.flush(journal); // before what may take long
            let event = match self.perform(step, journal) {
                Ok(()) => {
                    self.trouble = None;
                    Event::Done
                }
                Err(error) => {
                    self.complain(error);
                    Event::Failed
                }
            };
            next = self.rotation.step(clock::monotonic(), event);
        }
    }

    /// A warning, unless it is the same as the last one.
    fn complain(&mut self, error: Error) {
        if self.trouble.as_ref() != Some(&error) {
            self.voice.warn_of(&error);
            self.trouble = Some(error);
        }
    }

    fn perform(&mut self, step: Step, journal: &mut Journal) -> Result<()> {
        let complete = self.mode | COMPLETE;
        let (verb, name, result) = match step {
            Step::SyncLast => ("sync", "current", fd::sync(&self.current)),
            Step::RenameCurrent => {
                self.tell_before(journal);
                ("move current to", "previous", self.put_aside())
            }
            Step::OpenCurrent => {
                let new = self.dir.file("current", Open::Append(0o666));
                ("open", "current", new.map(|new| self.go_on_with(new, journal)))
            }
            Step::SyncPrevious => {
                ("sync", "previous", self.previous.as_ref().map_or(Ok(()), fd::sync))
            }
            Step::MarkPrevious => {
                self.previous = None;
                ("change the mode of", "previous", self.dir.chmod("previous", complete))
            }
            Step::MarkCurrent => {
                ("change the mode of", "current", dir::chmod(&self.current, complete))
            }
            Step::ArchivePrevious => return self.archive("previous", Kind::Complete),
            Step::ArchiveProcessed => return self.archive("processed", Kind::Complete),
            Step::SavePrevious => return self.archive("previous", Kind::Unprocessed),
            Step::StartProcessor => return self.start_processor(),
            Step::SyncProcessed => {
                let sync = |file| fd::sync(&file).and_then(|()| dir::chmod(&file, complete));
                (
                    "sync",
                    "processed",
                    self.dir.file("processed", Open::Append(0o666)).and_then(sync),
                )
            }
            Step::SyncState => {
                let sync = |file: OwnedFd| fd::sync(file);
                ("sync", "newstate", self.dir.file("newstate", Open::Append(0o666)).and_then(sync))
            }
            Step::RemovePrevious => {
                let removed = match self.dir.unlink("previous") {
                    Err(Errno::NOT_FOUND) => Ok(()),
                    result => result,
                };
                ("remove", "previous", removed)
            }
            Step::RenameState => {
                ("move newstate to", "state", self.dir.rename("newstate", "state"))
            }
        };
        result.map_err(|errno| self.error(verb, name, errno))
    }

    /// Renames `current`. If somebody else has done so, an empty file takes its place, of which no archive
    /// is made.
    fn put_aside(&mut self) -> std::result::Result<(), Errno> {
        match self.dir.rename("current", "previous") {
            Err(Errno::NOT_FOUND) => {
                let path = self.settings.path.join("current");
                self.voice.warn(&format!("{} was taken away; beginning a new one", path.display()));
                self.dir.file("previous", Open::Replace(0o666)).map(drop)
            }
            result => result,
        }
    }

    /// No rotation lies between two states of the journal.
    fn tell_before(&mut self, journal: &mut Journal) {
        if self.queue.len() == 0 {
            journal.all_written(self.nth, self.size);
        } else {
            journal.partly_written(self.nth, self.size, self.lines);
        }
        self.lines = 0;
        journal.commit();
    }

    fn go_on_with(&mut self, new: OwnedFd, journal: &mut Journal) {
        if let Ok((size, identity)) = recovery::identity(&new) {
            journal.other_file(self.nth, identity, size);
            journal.commit();
        }
        self.size = 0;
        self.previous = Some(std::mem::replace(&mut self.current, new));
    }

    fn archive(&self, name: &str, kind: Kind) -> Result<()> {
        archive(&self.settings, &self.dir, name, kind, self.voice)
    }

    /// Standard input: the full file; output: what becomes the archive; 4 and 5: the old and the
    /// new state.
    fn start_processor(&mut self) -> Result<()> {
        let (paths, argv) = match &self.settings.processor {
            None => return Ok(()), // the machine knows better
            Some(Processor::Shell(command)) => {
                (vec![c"/bin/sh".to_owned()], [OsStr::new("/bin/sh"), OsStr::new("-c"), command])
            }
            Some(Processor::Execline(command)) => {
                let program = OsStr::new("execlineb");
                (self.environment.candidates(program), [program, OsStr::new("-Pc"), command])
            }
        };
        let argv: Vec<CString> =
            argv.iter().filter_map(|word| dir::terminated(word).ok()).collect();
        let env = self.environment.to_c();
        let open = |name: &'static str, how| {
            self.dir.file(name, how).map_err(|errno| self.error("open", name, errno))
        };
        let state = match self.dir.file("state", Open::Read) {
            Err(Errno::NOT_FOUND) => {
                drop(open("state", Open::Replace(0o666))?);
                open("state", Open::Read)?
            }
            state => state.map_err(|errno| self.error("open", "state", errno))?,
        };
        let previous = open("previous", Open::Read)?;
        let processed = open("processed", Open::Replace(0o666))?;
        let newstate = open("newstate", Open::Replace(0o666))?;
        let places = [
            (previous.as_fd(), 0),
            (processed.as_fd(), 1),
            (state.as_fd(), 4),
            (newstate.as_fd(), 5),
        ];
        let mut launch = Launch::plain(&paths, &argv, &env);
        launch.directory = Some(self.dir.as_fd());
        launch.places = &places;
        let started = launch
            .spawn()
            .map_err(|errno| Error::on("start the processor in", &self.settings.path, errno));
        self.processor = Some(started?);
        Ok(())
    }

    fn error(&self, verb: &str, name: &str, errno: Errno) -> Error {
        Error::on(verb, self.settings.path.join(name), errno)
    }
}

/// Before `current` is opened. If it is complete, so is everything else, and the processor's state
/// is kept; else what there is becomes archives, and the state starts anew.
fn recover(settings: &log_script::Logdir, dir: &Dir, voice: Voice) -> Result<()> {
    let on = |verb: &'static str, name: &'static str| {
        move |errno| Error::on(verb, settings.path.join(name), errno)
    };
    let is_complete = |name: &'static str| match dir.stat(name) {
        Ok(stat) => Ok(stat.mode & COMPLETE != 0),
        Err(Errno::NOT_FOUND) => Ok(false),
        Err(errno) => Err(on("look at", name)(errno)),
    };
    let clean = is_complete("current")?;
    if !clean {
        let _ = dir.unlink("state"); // mostly not there
        let _ = dir.unlink("newstate");
    }
    if is_complete("processed")? {
        let _ = dir.unlink("previous"); // it has been processed
        archive(settings, dir, "processed", Kind::Complete, voice)?;
    } else {
        let _ = dir.unlink("processed");
        archive(settings, dir, "previous", Kind::Unprocessed, voice)?;
    }
    if clean {
        return Ok(());
    }
    archive(settings, dir, "current", Kind::Unprocessed, voice)?;
    dir.file("state", Open::Replace(0o666)).map(drop).map_err(on("make", "state"))
}

fn archive(
    settings: &log_script::Logdir,
    dir: &Dir,
    name: &str,
    kind: Kind,
    voice: Voice,
) -> Result<()> {
    let archives =
        Archives { dir, path: &settings.path, most: settings.archives, total: settings.total };
    if archives.add(name, kind)? {
        for error in archives.trim() {
            voice.warn_of(&error);
        }
    }
    Ok(())
}

/// The begin of `pending` that is to be written at once: up to the first end of a line at which
/// `room` bytes or more are written.
fn upto(pending: &[u8], room: u64) -> &[u8] {
    let from = usize::try_from(room.saturating_sub(1)).unwrap_or(usize::MAX);
    let end = pending.get(from..).and_then(|rest| rest.iter().position(|&byte| byte == b'\n'));
    end.and_then(|end| pending.get(..=from + end)).unwrap_or(pending)
}

/// How many lines end there.
fn line_ends(text: &[u8]) -> u64 {
    text.split(|&byte| byte == b'\n').skip(1).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_end_at_the_first_line_end_that_is_far_enough() {
        let text = b"ab\ncd\nef\n";
        for (room, expected) in [(0, 3), (1, 3), (3, 3), (4, 6), (6, 6), (7, 9), (10, 9)] {
            assert_eq!(upto(text, room).len(), expected, "{room}");
        }
    }
}
