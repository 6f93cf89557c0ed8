//! Where lines go: the script, ready to be run, and everything it writes to.

use super::journal::Journal;
use super::logdir::Logdir;
use super::queue::Queue;
use super::stamps::Stamps;
use super::voice::Voice;
use crate::error::{Errno, Error, Result};
use crate::regex::{Dialect, Matcher};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::{clock, fd, poll};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::log_script::{Action, Script, Selection, Status, Target};
use crate::wire::zone::Zone;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A script at work.
pub(super) struct Outlets {
    groups: Vec<Compiled>,
    /// Whether any action wants the time.
    stamped: bool,
    stamps: Stamps,
    pub(super) logdirs: Vec<Logdir>,
    pub(super) stdout: Stdout,
    statuses: Vec<Pending>,
    alert: Vec<u8>,
    /// Whether what comes has been where it belongs besides logdirs.
    pub(super) elsewhere: bool,
    voice: Voice,
}

struct Compiled {
    selections: Vec<Rule>,
    actions: Vec<Action>,
}

enum Rule {
    Select(Box<Matcher>),
    Deselect(Box<Matcher>),
    IfUntouched,
}

/// The line that a status file is to get.
struct Pending {
    file: Status,
    line: Vec<u8>,
    changed: bool,
}

impl Outlets {
    /// Compiles the expressions. The logdirs are not open yet; dates are those of the environment's zone.
    pub(super) fn new(script: Script, environment: &Environment, voice: Voice) -> Result<Outlets> {
        let actions = || script.groups.iter().flat_map(|group| &group.actions);
        let stamped = actions().any(|action| action.label || action.date);
        let dated = actions().any(|action| action.date);
        let zone = if dated { clock::zone(environment) } else { Zone::default() };
        let statuses = actions().filter_map(|action| match &action.target {
            Target::Status(file) => {
                Some(Pending { file: file.clone(), line: Vec::new(), changed: false })
            }
            Target::Stdout | Target::Stderr(_) | Target::Logdir(_) => None,
        });
        let statuses = statuses.collect();
        let groups = compile(script)?;
        Ok(Outlets {
            groups,
            stamped,
            stamps: Stamps::new(zone),
            logdirs: Vec::new(),
            stdout: Stdout::new(),
            statuses,
            alert: Vec::new(),
            elsewhere: false,
            voice,
        })
    }

    /// Runs the script on a line.
    pub(super) fn take(&mut self, line: &[u8]) {
        if self.stamped {
            self.stamps.update();
        }
        let (mut selected, mut touched) = (true, false);
        let mut status = 0; // status files are numbered in the order of the script
        for group in &mut self.groups {
            for rule in &mut group.selections {
                match rule {
                    Rule::Select(pattern) => selected = selected || pattern.matches(line),
                    Rule::Deselect(pattern) => selected = selected && !pattern.matches(line),
                    Rule::IfUntouched => selected = !touched,
                }
            }
            touched = touched || selected;
            for action in &group.actions {
                let nth = status;
                status += usize::from(matches!(action.target, Target::Status(_)));
                if !selected {
                    continue;
                }
                let head = head(action, &self.stamps);
                match &action.target {
                    Target::Logdir(nth) => {
                        if let Some(logdir) = self.logdirs.get_mut(*nth) {
                            if logdir.has == 0 {
                                put(&mut logdir.queue, head, line);
                            } else {
                                logdir.has -= 1;
                            }
                        }
                    }
                    Target::Stdout | Target::Stderr(_) | Target::Status(_) if self.elsewhere => {}
                    Target::Stdout if self.stdout.open => put(&mut self.stdout.queue, head, line),
                    Target::Stdout => {}
                    Target::Stderr(most) => alert(&mut self.alert, head, line, *most),
                    Target::Status(_) => {
                        if let Some(pending) = self.statuses.get_mut(nth) {
                            pending.set(head, line);
                        }
                    }
                }
            }
        }
    }

    /// Writes what can be written now.
    pub(super) fn flush(&mut self, journal: &mut Journal) {
        for pending in self.statuses.iter_mut().filter(|pending| pending.changed) {
            pending.changed = false;
            if let Err(error) = pending.write() {
                self.voice.warn_of(&error);
            }
        }
        for logdir in &mut self.logdirs {
            logdir.flush(journal);
        }
        self.stdout.flush(self.voice);
        if self.stdout.queue.len() == 0 {
            journal.all_written(self.logdirs.len(), 0);
        }
    }

    /// How much waits, where most waits.
    pub(super) fn waiting(&self) -> usize {
        let logdirs = self.logdirs.iter().map(|logdir| logdir.queue.len());
        logdirs.max().unwrap_or(0).max(self.stdout.queue.len())
    }

    /// The next deadline of any logdir.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        self.logdirs.iter().filter_map(Logdir::deadline).min()
    }
}

fn compile(script: Script) -> Result<Vec<Compiled>> {
    let rule = |selection| {
        Ok(match selection {
            Selection::Select(text) => Rule::Select(matcher(&text)?),
            Selection::Deselect(text) => Rule::Deselect(matcher(&text)?),
            Selection::IfUntouched => Rule::IfUntouched,
        })
    };
    let groups = script.groups.into_iter().map(|group| {
        let selections = group.selections.into_iter().map(rule).collect::<Result<_>>()?;
        Ok(Compiled { selections, actions: group.actions })
    });
    groups.collect()
}

fn matcher(text: &OsStr) -> Result<Box<Matcher>> {
    Matcher::new(text.as_bytes(), Dialect::default()).map(Box::new).map_err(|mistake| {
        let what = format!("use the expression {:?}", text.to_string_lossy());
        Error::malformed(what, mistake.to_string())
    })
}

/// What stands before the line: label, date, prefix.
fn head<'a>(action: &'a Action, stamps: &'a Stamps) -> [&'a [u8]; 3] {
    let label = if action.label { stamps.label() } else { &[] };
    let date = if action.date { stamps.date() } else { &[] };
    [label, date, &action.prefix]
}

fn put(queue: &mut Queue, head: [&[u8]; 3], line: &[u8]) {
    for part in head {
        queue.push(part);
    }
    queue.push(line);
    queue.push(b"\n");
}

/// At once and whole, so that alerts of several loggers do not mix.
fn alert(text: &mut Vec<u8>, head: [&[u8]; 3], line: &[u8], most: usize) {
    text.clear();
    text.extend_from_slice(b"s6-log: alert: ");
    for part in head {
        text.extend_from_slice(part);
    }
    match line.get(..most) {
        Some(begin) if most > 0 && line.len() > most.saturating_add(3) => {
            text.extend_from_slice(begin);
            text.extend_from_slice(b"...");
        }
        Some(_) | None => text.extend_from_slice(line),
    }
    text.push(b'\n');
    let _ = fd::write_all(fd::standard(2), text); // nobody is left to be told
}

impl Pending {
    fn set(&mut self, head: [&[u8]; 3], line: &[u8]) {
        self.changed = true;
        self.line.clear();
        for part in head {
            self.line.extend_from_slice(part);
        }
        self.line.extend_from_slice(line);
        self.line.push(b'\n');
        if self.file.size > 0 {
            self.line.resize(self.file.size, b'\n');
        }
    }

    fn write(&self) -> Result<()> {
        let path = &self.file.path;
        let failed = |errno| Error::on("write status file", path, errno);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let dir = Dir::open(parent.unwrap_or(Path::new("."))).map_err(failed)?;
        let name = path.file_name().ok_or(Errno::INVALID).map_err(failed)?;
        dir.replace(name, &self.line, 0o666).map_err(failed)
    }
}

/// Standard output, which others write to as well. It is left blocking, because that is a matter of
/// all of them; nothing is written to it that would block us.
pub(super) struct Stdout {
    pub(super) queue: Queue,
    open: bool,
    /// How much may be written at once when it takes anything.
    portion: usize,
}

impl Stdout {
    /// What a pipe takes whole when it is writable at all.
    const PORTION: usize = 4096;

    fn new() -> Stdout {
        let is_file = dir::stat(fd::standard(1)).is_ok_and(|stat| stat.is_file());
        let portion = if is_file { usize::MAX } else { Stdout::PORTION };
        Stdout { queue: Queue::default(), open: true, portion }
    }

    fn flush(&mut self, voice: Voice) {
        let stdout = fd::standard(1);
        while self.queue.len() > 0 && poll::is_writable(stdout) {
            let pending = self.queue.pending();
            let portion = pending.get(..self.portion).unwrap_or(pending);
            let end = portion.iter().rposition(|&byte| byte == b'\n');
            let lines = end.and_then(|end| portion.get(..=end)).unwrap_or(portion);
            match fd::write(stdout, lines) {
                Ok(count) => self.queue.consume(count),
                Err(Errno::AGAIN) => return,
                Err(errno) => {
                    voice.warn(&format!("unable to write to stdout, closing it: {errno}"));
                    self.open = false;
                    self.queue.clear();
                    if let Ok(null) = dir::open("/dev/null", Open::ReadWrite) {
                        let _ = fd::place(null, 1); // our end is closed by that
                    }
                }
            }
        }
    }
}
