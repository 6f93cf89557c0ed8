//! What is said when something of boot fails: one block on stderr, of which each line begins with `init: `.
//!
//! Which step, which script, how it ended, after how long; what is not done because of it; and the last
//! lines that it wrote. Where boot goes on nevertheless, the block is short. What a step of ours could not
//! do, its worker has said just before.

use super::console::Heard;
use super::facts::{hold, path_of};
use super::tail::LINES;
use super::{Container, work};
use crate::error::{Errno, shown};
use crate::machine::init::{At, Consequence, Phase};
use crate::run::observe;
use crate::sys::clock;
use crate::wire::clock::Monotonic;
use crate::wire::plan::text::Text;
use crate::wire::plan::{Kind, Number, Scripts, Step};
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

/// How many of its last lines are shown of a script whose failure changes nothing.
const FEW_LINES: usize = 3;
/// How many names of scripts or services are listed.
const MOST_NAMES: usize = 8;

/// What became of the unit that was started last.
#[derive(Debug)]
pub(super) struct Attempt {
    began: Monotonic,
    /// How it ended, and after how long.
    ended: Option<(WaitStatus, Duration)>,
    /// Why it could not be started.
    pub(super) refused: Option<Errno>,
    /// We killed it, because it took too long.
    pub(super) killed: bool,
}

impl Attempt {
    /// Something begins now.
    pub(super) fn now() -> Attempt {
        Attempt { began: clock::monotonic(), ended: None, refused: None, killed: false }
    }

    /// It has ended now.
    pub(super) fn end(&mut self, how: WaitStatus) {
        self.ended = Some((how, clock::monotonic().since(self.began)));
    }

    /// How it ended.
    pub(super) fn ending(&self) -> Option<WaitStatus> {
        self.ended.map(|(how, _)| how)
    }

    fn took(&self) -> Duration {
        self.ended.map_or_else(|| clock::monotonic().since(self.began), |(_, took)| took)
    }
}

impl Container {
    /// Says that a unit of a step of boot failed.
    pub(super) fn report(&mut self, at: At, nth: usize, consequence: Consequence) {
        let Some(step) = self.step(at) else { return };
        let goes_on = consequence == Consequence::GoesOn;
        let ends = matches!(consequence, Consequence::Stops(_) | Consequence::Ends(_));
        let mut block = Block::default();
        if self.attempt.refused.is_none() {
            let level = if ends { "fatal: " } else { "warning: " };
            block.line(level, &self.headline(&step, nth));
        }
        self.explain(&step, nth, &mut block);
        block.more(&self.outcome(consequence));
        if !goes_on {
            self.skipped(at, nth, consequence, &mut block);
        }
        if matches!(step.kind, Kind::Scripts(_)) && self.attempt.refused.is_none() {
            self.said(if goes_on { FEW_LINES } else { LINES }, &mut block);
        }
        self.console.complain(&block.0);
    }

    /// Which step, which script, how it ended, after how long.
    fn headline(&self, step: &Step, nth: usize) -> String {
        let name = String::from_utf8_lossy(&step.name);
        let path = step.kind.directory().map(|directory| {
            let unit = self.units.get(nth).map(Vec::as_slice).unwrap_or_default();
            shown(&work::below(&path_of(directory, &self.facts), unit))
        });
        let what = path
            .map_or_else(|| format!("the step {name:?} of boot"), |path| format!("{name}: {path}"));
        let took = self.attempt.took();
        let took = format!("{}.{:03} s", took.as_secs(), took.subsec_millis());
        let limit = if let Kind::Scripts(Scripts { limit_ms, .. }) | Kind::Await { limit_ms, .. } =
            &step.kind
        {
            Some(limit_ms)
        } else {
            None
        };
        if self.attempt.killed {
            let limit = limit.and_then(variable).map(|name| format!(", the limit of {name}"));
            let left = if self.attempt.ended.is_some() { "" } else { ", and is still there" };
            return format!("{what} was killed after {took}{}{left}", limit.unwrap_or_default());
        }
        match self.attempt.ending().map(WaitStatus::ending) {
            Some(Ending::Exited(code)) if matches!(step.kind, Kind::Scripts(_)) => {
                format!("{what} exited with code {code} after {took}")
            }
            Some(Ending::Killed(signal)) => {
                format!("{what} was killed by {signal} after {took}")
            }
            Some(Ending::Exited(_)) | None => format!("{what} failed after {took}"),
        }
    }

    /// What may help to understand it.
    fn explain(&mut self, step: &Step, nth: usize, block: &mut Block) {
        if let Kind::Scripts(scripts) = &step.kind {
            let name = self.units.get(nth).map(Vec::as_slice).unwrap_or_default();
            let path = work::below(&path_of(&scripts.directory, &self.facts), name);
            if let Some(remedy) = self.attempt.refused.and_then(|errno| remedy(errno, &path)) {
                block.more(remedy);
            }
            if let Some(meaning) = self.attempt.ending().and_then(meaning) {
                block.more(&meaning);
            }
        }
        let killed = self.kills.news();
        if killed > 0 && !self.attempt.killed {
            block.more(&out_of_memory(killed));
        }
        if let Kind::Await { from, .. } = &step.kind {
            let waiting = self.not_ready(&path_of(from, &self.facts));
            if !waiting.is_empty() {
                block.more(&format!("it waited for {}", waiting.join(", ")));
            }
        }
    }

    /// The services that are waited for and are not what they should be.
    fn not_ready(&self, from: &Path) -> Vec<String> {
        let scandir = self.scandir().unwrap_or_default();
        let state = |name: &OsStr| {
            let tells = from.join(name).join("notification-fd").exists();
            let state = match observe::status(&scandir.join(name)) {
                Ok(status) if status.is_up() && (status.ready || !tells) => return None,
                Ok(status) if status.is_up() => "up, but not ready".to_owned(),
                Ok(status) => match status.wait_status.ending() {
                    Ending::Exited(code) => format!("down, its run last exited with code {code}"),
                    Ending::Killed(signal) => format!("down, its run was killed by {signal}"),
                },
                Err(_) => "without a supervisor".to_owned(),
            };
            Some(format!("{} ({state})", shown(Path::new(name))))
        };
        let names = work::awaited(from).unwrap_or_default();
        shortened(names.iter().filter_map(|name| state(name)).collect())
    }

    /// What comes of it, and which variable decides that.
    fn outcome(&self, consequence: Consequence) -> String {
        let level = &self.plan.failure.level;
        let set = level.within(&self.facts.env);
        let because =
            variable(level).map_or_else(String::new, |name| format!(" ({name} is {set})"));
        match consequence {
            Consequence::GoesOn => format!("boot goes on{because}"),
            Consequence::OnlyCommand => "the rest of boot is skipped, but for CMD".to_owned(),
            Consequence::StaysUp => {
                format!("boot ends here, and the container stays up without CMD{because}")
            }
            Consequence::Stops(code) => {
                format!("the container stops, with exit code {code}{because}")
            }
            Consequence::Ends(code) => format!("the container ends at once, with exit code {code}"),
        }
    }

    /// What would have come after this unit.
    fn skipped(&self, at: At, nth: usize, consequence: Consequence, block: &mut Block) {
        let affairs = self.affairs();
        let mut all = Vec::new();
        let mut add = |step: &Step, names: Vec<Vec<u8>>| {
            if !names.is_empty() {
                let shown = |name: &Vec<u8>| shown(Path::new(OsStr::from_bytes(name)));
                let names = shortened(names.iter().map(shown).collect()).join(", ");
                all.push(format!("{} ({names})", String::from_utf8_lossy(&step.name)));
            }
        };
        if let Some(step) = self.step(at).filter(|step| matches!(step.kind, Kind::Scripts(_))) {
            add(&step, self.units.iter().skip(nth + 1).cloned().collect());
        }
        let mut next = at.next();
        while let Some(step) = self.step(next).filter(|_| next.phase == Phase::Boot) {
            next = next.next();
            if !hold(&step.when, &self.facts, affairs) {
                continue;
            }
            let entries = |path: &Text| work::entries(&path_of(path, &self.facts)).ok();
            let names = if let Kind::Services(from) = &step.kind {
                work::subdirectories(&path_of(from, &self.facts))
                    .ok()
                    .map(|names| names.into_iter().map(OsStringExt::into_vec).collect())
            } else if step.kind == Kind::Command {
                let word = self.words.first().filter(|_| consequence != Consequence::OnlyCommand);
                word.map(|word| vec![word.as_bytes().to_vec()])
            } else {
                step.kind.directory().and_then(entries)
            };
            add(&step, names.unwrap_or_default());
        }
        if !all.is_empty() {
            block.more(&format!("not done: {}", all.join(", ")));
        }
    }

    /// The last lines of a script.
    fn said(&self, most: usize, block: &mut Block) {
        let (lines, heard) = self.console.last_lines(most);
        block.more(match heard {
            Heard::Terminal => "its output went to the terminal",
            Heard::Nothing => "its output is not repeated: there was no pipe for it",
            Heard::All if lines.is_empty() => "it wrote nothing",
            Heard::All => "the last that it wrote:",
        });
        for line in lines.iter().filter(|_| heard == Heard::All) {
            block.line("  | ", line);
        }
    }

    /// Says why CMD was killed, if the kernel did it for want of memory.
    pub(super) fn report_command(&mut self, how: WaitStatus) {
        let killed = how.ending() == Ending::Killed(Signal::SIGKILL);
        if !killed || self.machine.is_stopping() {
            return;
        }
        let news = self.kills.news();
        if news > 0 {
            let word = self.words.first().map(|word| shown(Path::new(word))).unwrap_or_default();
            let why = out_of_memory(news);
            self.warn(&format!("CMD ({word}) was killed by SIGKILL: {why}"));
        }
    }
}

/// What is said, in lines.
#[derive(Debug, Default)]
struct Block(Vec<u8>);

impl Block {
    fn line(&mut self, begin: &str, text: &str) {
        for part in ["init: ", begin, text, "\n"] {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    /// A line that belongs to the first.
    fn more(&mut self, text: &str) {
        self.line("  ", text);
    }
}

/// The variable that a number comes from.
fn variable(number: &Number) -> Option<String> {
    if let Number::Variable { name, .. } = number {
        Some(String::from_utf8_lossy(name).into_owned())
    } else {
        None
    }
}

fn out_of_memory(killed: u64) -> String {
    let whom = if killed == 1 { "a process".to_owned() } else { format!("{killed} processes") };
    format!("out of memory: the kernel killed {whom} of this container (OOM kill)")
}

/// What a code says by convention.
fn meaning(how: WaitStatus) -> Option<String> {
    let Ending::Exited(code) = how.ending() else { return None };
    match code {
        126 => Some("by convention, 126 says that a program could not be executed".to_owned()),
        127 => Some("by convention, 127 says that a program was not found".to_owned()),
        129..=192 => {
            let signal = Signal::new(code - 128)?;
            Some(format!("by convention, {code} says that a program was killed by {signal}"))
        }
        _ => None,
    }
}

/// What to do about a script that cannot be executed.
fn remedy(errno: Errno, path: &Path) -> Option<&'static str> {
    match errno {
        Errno(libc::ENOEXEC) => Some("its first line must name an interpreter, as #!/bin/sh does"),
        Errno(libc::ENOENT) if path.exists() => {
            Some("the interpreter that its first line names is not there")
        }
        Errno(libc::EACCES) if path.is_dir() => Some("it is a directory: only files can be run"),
        Errno(libc::EACCES) => Some("it, or its interpreter, may not be executed: chmod 755"),
        _ => None,
    }
}

/// The first of these names, and how many more there are.
fn shortened(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(MOST_NAMES);
    if more > 0 {
        names.truncate(MOST_NAMES);
        names.push(format!("{more} more"));
    }
    names
}
