//! The logger: reads lines, runs the script on them, keeps the logdirs (contract s6 §1.10).
//!
//! A pipe is read with one call that takes all it holds. As a pipe takes every write of up to 4096
//! bytes whole, and a reader empties it before any other write, lines that are written whole are
//! read whole, and a killed logger tears none. (Small files are an exception: no more is read than
//! the smallest file may hold, so that none gets much larger.) What was read is written before the
//! next read, one write for each logdir.

mod archives;
mod logdir;
mod outlets;
mod queue;
mod stamps;
mod voice;

use self::logdir::Logdir;
use self::outlets::Outlets;
use self::voice::Voice;
use crate::error::{Errno, Error, Result};
use crate::machine::log::lines::Splitter;
use crate::sys::dir::{self, Open};
use crate::sys::signals::{self, SignalFd};
use crate::sys::{clock, fd, poll, process, wait};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::log_script::Script;
use crate::wire::signal::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// What the options say.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How much to say: 0 only what is fatal, 1 warnings.
    pub verbosity: u32,
    /// Read nothing as long as anything waits to be written, instead of keeping it in memory.
    pub block: bool,
    /// Ignore SIGTERM.
    pub protected: bool,
    /// Cut longer lines; 0: never.
    pub line_limit: usize,
    /// How long to wait for the end of a line after a signal to stop; `None`: as long as it takes.
    pub last_line: Option<Duration>,
}

/// So many bytes may wait for one output until nothing more is read (the originals: any number).
pub const MOST_WAITING: usize = 8 << 20;

/// A pipe of the usual size, all at once.
const READ: usize = 1 << 16;

/// Two reads within this time are a stream. Each line of it would wake us, which costs its writer
/// more than the line itself, so more of them are left to gather in the pipe ...
const STREAM: Duration = Duration::from_millis(1);

/// ... for so long: a pipe of the usual size takes longer to fill.
const REST: Duration = Duration::from_micros(100);

/// Logs until the end of the input, or a signal to stop. A descriptor in `ready` gets a newline when
/// everything is prepared. `false`: something could not be left as it should be, which was said.
pub fn log(
    script: Script,
    settings: Settings,
    environment: &Environment,
    ready: Option<OwnedFd>,
) -> Result<bool> {
    let voice = Voice { verbosity: settings.verbosity };
    if script.dangling {
        voice.warn("ignoring the selections behind the last action");
    }
    let watched = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGALRM, Signal::SIGCHLD];
    let signals = SignalFd::new(&watched).map_err(|errno| Error::system("watch signals", errno))?;
    signals::survive_broken_pipes();
    let mask = process::umask(0);
    process::umask(mask);
    // The expressions first: with a wrong script, nothing on disk is touched.
    let places = script.logdirs.clone();
    let least = places.iter().map(|place| place.size as usize).min().unwrap_or(usize::MAX);
    let mut outlets = Outlets::new(script, Vec::new(), voice)?;
    for place in places {
        outlets.logdirs.push(Logdir::open(place, 0o666 & !mask, environment.clone(), voice)?);
    }
    let stdin = fd::standard(0);
    fd::set_nonblocking(stdin, true)
        .map_err(|errno| Error::system("make stdin non-blocking", errno))?;
    if let Some(ready) = ready {
        let _ = fd::write_all(ready, b"\n"); // whoever waited may be gone
    }
    let most = if settings.block { 0 } else { MOST_WAITING };
    let room = fd::pipe_size(stdin).unwrap_or(0).max(READ).min(least);
    let splitter = Splitter::new(settings.line_limit);
    let mut logger = Logger {
        settings,
        voice,
        signals,
        outlets,
        most,
        splitter,
        buffer: vec![0; room],
        input: Input::Open,
        last_read: clock::monotonic(),
        rest: None,
    };
    logger.run()
}

/// What is still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// Everything.
    Open,
    /// The rest of a line, at most until then.
    LastLine(Option<Monotonic>),
    /// Nothing.
    Ended,
}

struct Logger {
    settings: Settings,
    voice: Voice,
    signals: SignalFd,
    outlets: Outlets,
    most: usize,
    splitter: Splitter,
    buffer: Vec<u8>,
    input: Input,
    last_read: Monotonic,
    /// Until when nothing is read, so that lines gather.
    rest: Option<Monotonic>,
}

impl Logger {
    fn run(&mut self) -> Result<bool> {
        let mut stopped = false;
        loop {
            self.outlets.flush();
            if self.input == Input::Ended && self.outlets.waiting() == 0 && !stopped {
                stopped = true;
                self.outlets.logdirs.iter_mut().for_each(Logdir::stop);
            }
            if stopped {
                let closed: Option<Vec<bool>> =
                    self.outlets.logdirs.iter().map(Logdir::closed).collect();
                if let Some(closed) = closed {
                    return Ok(!closed.contains(&false));
                }
            }
            self.wait()?;
        }
    }

    /// Waits until something happens, and deals with it.
    fn wait(&mut self) -> Result<()> {
        let rest = self.rest.filter(|until| *until > clock::monotonic());
        let reads =
            self.input != Input::Ended && self.outlets.waiting() <= self.most && rest.is_none();
        let both = [self.signals.as_fd(), fd::standard(0)];
        let readers = if reads { both.as_slice() } else { both.get(..1).unwrap_or(&[]) };
        let stdout = [fd::standard(1)];
        let writes = self.outlets.stdout.queue.len() > 0;
        let writers = if writes { stdout.as_slice() } else { &[] };
        let last = match self.input {
            Input::LastLine(until) => until,
            Input::Open | Input::Ended => None,
        };
        let deadline = [last, rest, self.outlets.deadline()].into_iter().flatten().min();
        let (ready, _) = poll::either(readers, writers, deadline)
            .map_err(|errno| Error::system("wait for events", errno))?;
        let now = clock::monotonic();
        if ready.first() == Some(&true) {
            self.take_signals(now);
        }
        if last.is_some_and(|last| last <= now) {
            self.end();
        }
        for logdir in &mut self.outlets.logdirs {
            if logdir.deadline().is_some_and(|deadline| deadline <= now) {
                logdir.timeout();
            }
        }
        if ready.get(1) == Some(&true) {
            match self.input {
                Input::Open => self.read(now),
                Input::LastLine(_) => self.read_last_line(),
                Input::Ended => {}
            }
        }
        Ok(())
    }

    fn take_signals(&mut self, now: Monotonic) {
        while let Some(signal) = self.signals.take() {
            match signal {
                Signal::SIGALRM => self.outlets.logdirs.iter_mut().for_each(Logdir::rotate),
                Signal::SIGTERM if self.settings.protected => {}
                Signal::SIGTERM | Signal::SIGHUP => self.stop(now),
                _ => self.reap(),
            }
        }
    }

    /// A signal to stop: the line that has begun is waited for, nothing else.
    fn stop(&mut self, now: Monotonic) {
        if self.input != Input::Open {
            return;
        }
        if self.splitter.has_partial() {
            self.input = Input::LastLine(self.settings.last_line.map(|limit| now + limit));
        } else {
            self.end();
        }
    }

    fn reap(&mut self) {
        while let Some((pid, status)) = wait::next_dead() {
            for logdir in &mut self.outlets.logdirs {
                logdir.died(pid, status);
            }
        }
    }

    fn read(&mut self, now: Monotonic) {
        let stream = now.since(self.last_read) < STREAM;
        self.last_read = now;
        match fd::read(fd::standard(0), &mut self.buffer) {
            Ok(0) => self.end(),
            Ok(got) => {
                self.rest = (stream && got < self.buffer.len() / 2).then(|| now + REST);
                let bytes = self.buffer.get(..got).unwrap_or(&[]);
                self.splitter.feed(bytes, &mut |line| self.outlets.take(line));
            }
            Err(errno) => self.read_failed(errno),
        }
    }

    /// Byte by byte, so that what follows the line stays for the next logger.
    fn read_last_line(&mut self) {
        while self.input != Input::Ended {
            let mut byte = [0];
            match fd::read(fd::standard(0), &mut byte) {
                Ok(0) => self.end(),
                Ok(_) => {
                    self.splitter.feed(&byte, &mut |line| self.outlets.take(line));
                    if !self.splitter.has_partial() || self.splitter.is_full() {
                        self.end();
                    }
                }
                Err(errno) => return self.read_failed(errno),
            }
        }
    }

    fn read_failed(&mut self, errno: Errno) {
        if errno != Errno::AGAIN {
            self.voice.warn_of(&Error::system("read from stdin", errno));
            self.end();
        }
    }

    /// Reads nothing more: a line without end ends here, and writers are told by the closed pipe.
    fn end(&mut self) {
        self.splitter.finish(&mut |line| self.outlets.take(line));
        self.input = Input::Ended;
        if let Ok(null) = dir::open("/dev/null", Open::Read) {
            let _ = fd::place(null, 0); // at the latest, our own end closes it
        }
    }
}
