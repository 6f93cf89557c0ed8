//! The logger: reads lines, runs the script on them, keeps the logdirs (contract s6 §1.10).
//!
//! What was read is written before the next read, one write for each logdir. From a pipe it is read by way
//! of a journal ([`journal`]), so that a killed logger neither loses a line nor tears one, and the next
//! one writes none twice.

mod archives;
mod journal;
mod logdir;
mod outlets;
mod queue;
mod recovery;
mod stamps;
mod voice;

use self::journal::Journal;
use self::logdir::{Claim, Logdir};
use self::outlets::Outlets;
use self::recovery::Leftover;
use self::voice::Voice;
use crate::error::{Errno, Error, Result};
use crate::machine::log::lines::Splitter;
use crate::sys::dir::{self, Open};
use crate::sys::signals::{self, SignalFd};
use crate::sys::{clock, fd, poll, process, wait};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::log_journal::{self, Outlet, State};
use crate::wire::log_script::Script;
use crate::wire::signal::Signal;
use std::cmp::Ordering;
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

/// What a pipe is to hold: more than comes while we do something else. And so many bytes are read at once.
const PIPE: usize = 1 << 18;

/// Two reads within this time are a stream. Each line of it would wake us, which costs its writer
/// more than the line itself, so more of them are left to gather in the pipe ...
const STREAM: Duration = Duration::from_millis(1);

/// ... for so long: a pipe takes longer to fill.
const REST: Duration = Duration::from_micros(300);

/// Where no journal can be kept, this is tried again so often, and so is reading where not even the old one
/// can be removed.
const AGAIN: Duration = Duration::from_secs(2);

/// Names, in a journal, everything that is no logdir.
const ELSEWHERE: u64 = 0;

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
    // Lines are counted by their ends, of which a prefix must have none.
    let mut actions = script.groups.iter().flat_map(|group| &group.actions);
    let countable = !actions.any(|action| action.prefix.contains(&b'\n'));
    let mut outlets = Outlets::new(script, environment, voice)?;
    let claims = places.into_iter().map(Claim::new).collect::<Result<Vec<Claim>>>()?;
    let home = claims.first().and_then(Claim::home);
    let boot = log_journal::number_of(&clock::boot());
    let leftover = home.as_ref().and_then(|home| Leftover::find(home, boot));
    let known = |name| {
        leftover.as_ref().map_or(Outlet { name, ..Outlet::default() }, |left| left.outlet(name))
    };
    let mut state = State { sequence: 0, boot, outlets: Vec::new() };
    for (nth, claim) in claims.into_iter().enumerate() {
        let outlet = known(claim.name);
        let logdir = claim.open(nth, 0o666 & !mask, environment.clone(), voice, outlet)?;
        state.outlets.push(logdir.outlet(outlet));
        outlets.logdirs.push(logdir);
    }
    state.outlets.push(known(ELSEWHERE));
    let stdin = fd::standard(0);
    fd::set_nonblocking(stdin, true)
        .map_err(|errno| Error::system("make stdin non-blocking", errno))?;
    if let Some(ready) = ready {
        let _ = fd::write_all(ready, b"\n"); // whoever waited may be gone
    }
    let most = if settings.block { 0 } else { MOST_WAITING };
    fd::enlarge_pipe(stdin, PIPE);
    let room = fd::pipe_size(stdin).unwrap_or(PIPE).min(least);
    let splitter = Splitter::new(settings.line_limit);
    let is_pipe = dir::stat(stdin).is_ok_and(|stat| stat.is_fifo());
    let journal = Journal::new(home, state, is_pipe && countable);
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
        journal,
        next_journal: None,
        streaming: false,
    };
    logger.begin(&leftover.map(|left| left.bytes).unwrap_or_default());
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
    journal: Journal,
    /// When to try again to keep one.
    next_journal: Option<Monotonic>,
    /// Whether lines come in close succession.
    streaming: bool,
}

impl Logger {
    fn run(&mut self) -> Result<bool> {
        let mut stopped = false;
        loop {
            self.flush();
            if self.input == Input::Ended && self.outlets.waiting() == 0 && !stopped {
                stopped = true;
                self.each_logdir(Logdir::stop);
            }
            if stopped {
                let closed: Option<Vec<bool>> =
                    self.outlets.logdirs.iter().map(Logdir::closed).collect();
                if let Some(closed) = closed {
                    self.journal.give_up(); // nothing is in it that is not where it belongs
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
                logdir.timeout(&mut self.journal);
            }
        }
        if ready.get(1) == Some(&true) {
            match self.input {
                Input::Open => self.read(now),
                Input::LastLine(_) => self.read_last_line(now),
                Input::Ended => {}
            }
        }
        Ok(())
    }

    fn take_signals(&mut self, now: Monotonic) {
        while let Some(signal) = self.signals.take() {
            match signal {
                Signal::SIGALRM => self.each_logdir(Logdir::rotate),
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
                logdir.died(pid, status, &mut self.journal);
            }
        }
    }

    /// Writes what can be written, and says so in the journal.
    fn flush(&mut self) {
        self.outlets.flush(&mut self.journal);
        self.journal.commit();
        self.journal.tidy(self.streaming);
        if self.journal.is_wanted() && self.outlets.waiting() == 0 && self.input != Input::Ended {
            let now = clock::monotonic();
            if self.next_journal.is_none_or(|next| next <= now) {
                self.next_journal = Some(now + AGAIN);
                self.journal.begin_again(self.splitter.partial());
            }
        }
    }

    fn each_logdir(&mut self, act: fn(&mut Logdir, &mut Journal)) {
        for logdir in &mut self.outlets.logdirs {
            act(logdir, &mut self.journal);
        }
    }

    /// Begins a journal with what a killed logger has left in its own, and writes that. Where it cannot be
    /// begun, the old one stays until everything is written.
    fn begin(&mut self, left: &[u8]) {
        let kept = self.journal.is_wanted() && self.journal.begin(left).is_ok();
        self.replay(left);
        self.flush();
        if !kept && self.outlets.waiting() == 0 {
            self.journal.give_up();
        }
    }

    /// Runs the script on what was read before, for each outlet from where it had come to.
    fn replay(&mut self, left: &[u8]) {
        let outlets = self.journal.outlets().to_vec();
        let starts = outlets.iter().map(|outlet| outlet.from as usize);
        let mut cuts: Vec<usize> = starts.chain([left.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        for pair in cuts.windows(2) {
            let &[begin, end] = pair else { continue };
            self.splitter.finish(&mut |line| self.outlets.take(line)); // one that was cut there before
            let logdirs = self.outlets.logdirs.iter_mut().zip(&outlets);
            for (logdir, outlet) in logdirs {
                match (outlet.from as usize).cmp(&begin) {
                    Ordering::Less => {}
                    Ordering::Equal => logdir.has = outlet.lines,
                    Ordering::Greater => logdir.has = u64::MAX,
                }
            }
            self.outlets.elsewhere = outlets.last().is_some_and(|last| last.from as usize > begin);
            let bytes = left.get(begin..end).unwrap_or(&[]);
            self.splitter.feed(bytes, &mut |line| self.outlets.take(line));
        }
        self.outlets.elsewhere = false;
        self.outlets.logdirs.iter_mut().for_each(|logdir| logdir.has = 0);
        self.journal.passed(self.splitter.partial().len());
    }

    /// Reads once, by way of the journal if one is kept.
    fn take(&mut self, most: usize, now: Monotonic) -> std::result::Result<usize, Errno> {
        let room = self.buffer.get_mut(..most).unwrap_or(&mut []);
        if self.journal.is_kept() {
            let gone = match self.journal.take(room) {
                Err(Errno::INVALID) => self.journal.forget(),
                Err(errno) if errno != Errno::AGAIN => self.journal.give_up(),
                result => return result,
            };
            self.next_journal = Some(now + AGAIN);
            if !gone {
                self.rest = Some(now + AGAIN);
                return Err(Errno::AGAIN);
            }
        }
        fd::read(fd::standard(0), room)
    }

    fn read(&mut self, now: Monotonic) {
        self.streaming = now.since(self.last_read) < STREAM;
        self.last_read = now;
        match self.take(self.buffer.len(), now) {
            Ok(0) => self.end(),
            Ok(got) => {
                let rests = self.streaming && got < self.buffer.len() / 2;
                self.rest = rests.then(|| now + REST);
                self.pass(got);
            }
            Err(errno) => self.read_failed(errno),
        }
    }

    /// Byte by byte, so that what follows the line stays for the next logger.
    fn read_last_line(&mut self, now: Monotonic) {
        while self.input != Input::Ended {
            match self.take(1, now) {
                Ok(0) => self.end(),
                Ok(got) => {
                    self.pass(got);
                    if !self.splitter.has_partial() || self.splitter.is_full() {
                        self.end();
                    }
                }
                Err(errno) => return self.read_failed(errno),
            }
        }
    }

    /// Runs the script on what was read.
    fn pass(&mut self, got: usize) {
        let bytes = self.buffer.get(..got).unwrap_or(&[]);
        self.splitter.feed(bytes, &mut |line| self.outlets.take(line));
        self.journal.passed(self.splitter.partial().len());
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
        self.journal.passed(0);
        self.input = Input::Ended;
        if let Ok(null) = dir::open("/dev/null", Open::Read) {
            let _ = fd::place(null, 0); // at the latest, our own end closes it
        }
    }
}
