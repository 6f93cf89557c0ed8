//! What the machine says, done.

use super::facts::{hold, path_of};
use super::{Container, left, work};
use crate::error::shown;
use crate::machine::init::{Action, At, Event, Kind as Shape, Line, Phase, Rule, Settings};
use crate::wire::control::ScanControl;
use crate::wire::plan::text::{Facts, Words};
use crate::wire::plan::{Kind, Number, Plan, Step};
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Duration;

/// The longest that flushing the disks may take: a stop ends, even when a disk does not answer.
const SYNC_LIMIT: Duration = Duration::from_secs(10);
/// The exit code when nobody understands what was written down as one (that of execline's `exit`).
const NO_CODE: u8 = 100;
/// How long a unit of boot may take to end in a stop where the plan terminates nothing.
const ABORT_GRACE: Duration = Duration::from_secs(3);

/// What the machine needs to know of a plan in this environment.
pub(super) fn settings(plan: &Plan, facts: &Facts) -> Settings {
    let rules = |steps: &[Rc<Step>]| steps.iter().map(|step| rule(step, facts)).collect();
    let grace = plan.stop.iter().find_map(|step| {
        if let Kind::Terminate(limit) = &step.kind {
            Some(milliseconds(limit, facts))
        } else {
            None
        }
    });
    Settings {
        boot: rules(&plan.boot),
        stop: rules(&plan.stop),
        failure_level: plan.failure.level.within(&facts.env),
        failure_exit: plan.failure.exit_code,
        signal_base: plan.command.signal_base,
        signal_exit_base: plan.command.signal_exit_base,
        stop_limit: limit(&plan.stop_limit_ms, facts),
        abort_grace: grace.unwrap_or(ABORT_GRACE),
    }
}

fn rule(step: &Step, facts: &Facts) -> Rule {
    let piece =
        |limit| Shape::Units { limit, limit_code: 99, refusal_aborts: false, breaks_off: false };
    let kind = match &step.kind {
        Kind::Files(_) | Kind::FixAttrs(_) | Kind::Services(_) => piece(None),
        Kind::Await { limit_ms, .. } => piece(limit(limit_ms, facts)),
        Kind::Sync => piece(Some(SYNC_LIMIT)),
        Kind::Scripts(scripts) => Shape::Units {
            limit: limit(&scripts.limit_ms, facts),
            limit_code: scripts.limit_code.into(),
            refusal_aborts: scripts.unspawnable_aborts,
            breaks_off: true,
        },
        Kind::Supervise(_) => Shape::Supervise,
        Kind::Command => Shape::Command,
        Kind::BringDown { limit_ms, .. } => Shape::BringDown(limit(limit_ms, facts)),
        Kind::AwaitDown(limit_ms) => Shape::AwaitDown(limit(limit_ms, facts)),
        Kind::Terminate(limit_ms) => Shape::Terminate(milliseconds(limit_ms, facts)),
        Kind::Kill => Shape::Kill,
        Kind::Say => Shape::Say,
    };
    Rule { kind, checked: step.checked, fatal: step.fatal }
}

fn milliseconds(number: &Number, facts: &Facts) -> Duration {
    Duration::from_millis(number.within(&facts.env))
}

/// 0 is no limit.
fn limit(number: &Number, facts: &Facts) -> Option<Duration> {
    Some(milliseconds(number, facts)).filter(|limit| !limit.is_zero())
}

impl Container {
    /// Does what the machine says, and returns the answer to the question at the end, if there is one.
    pub(super) fn perform(&mut self, actions: Vec<Action>) -> Option<Event> {
        let mut answer = None;
        for action in actions {
            match action {
                Action::Begin(at) => answer = Some(self.begin(at)),
                Action::Print(at, line) => self.print(at, line),
                Action::PrintBanner => {
                    let text = self.plan.failure.banner.plain(&self.facts);
                    self.console.say(&text);
                }
                Action::Report(at, nth, consequence) => self.report(at, nth, consequence),
                Action::Start(at, nth) => answer = Some(self.start(at, nth)),
                Action::Supervise(at) => answer = Some(self.supervise(at)),
                Action::StartCommand(_) => answer = Some(self.start_command()),
                Action::KillUnit(signal) => {
                    self.attempt.killed |= signal == Signal::SIGKILL;
                    if let Some(unit) = self.unit {
                        let _ = unit.kill(signal); // our own child, not yet reaped
                        let _ = unit.kill(Signal::SIGCONT);
                    } else {
                        self.console.forget(); // it has ended, and nobody reads what it wrote
                    }
                }
                Action::BringDown => {
                    if let Some(scanner) = &mut self.scanner {
                        scanner.ask(self.farewell);
                    }
                }
                Action::TerminateAll => {
                    self.release_output();
                    left::signal_everything(Signal::SIGTERM);
                    left::signal_everything(Signal::SIGCONT);
                }
                Action::KillAll => {
                    self.release_output();
                    left::signal_everything(Signal::SIGKILL);
                }
                Action::WriteExitFile(code) => self.write_exit_file(code),
                Action::ReadExitFile => answer = Some(Event::ExitFile(self.read_exit_file())),
                Action::Exit(code) => self.exit = Some(code),
            }
        }
        answer
    }

    /// The step at a place.
    pub(super) fn step(&self, at: At) -> Option<Rc<Step>> {
        let steps = match at.phase {
            Phase::Boot => &self.plan.boot,
            Phase::Stop => &self.plan.stop,
        };
        steps.get(at.step).cloned()
    }

    /// Says something on stderr, without waiting.
    pub(super) fn warn(&mut self, what: &str) {
        self.console.complain(format!("init: warning: {what}\n").as_bytes());
    }

    /// Looks at a step's conditions and counts its units.
    fn begin(&mut self, at: At) -> Event {
        let Some(step) = self.step(at) else { return Event::Skipped };
        let affairs = self.affairs();
        if !hold(&step.when, &self.facts, affairs) {
            return Event::Skipped;
        }
        if let Kind::BringDown { wait_when, .. } = &step.kind {
            let wait = wait_when.as_ref().is_some_and(|when| hold(when, &self.facts, affairs));
            return Event::Begun(usize::from(wait));
        }
        let listed = match step.kind.directory() {
            Some(directory) => work::entries(&path_of(directory, &self.facts)),
            None => Ok(vec![Vec::new()]),
        };
        self.units = listed.unwrap_or_else(|error| {
            self.warn(&error.to_string());
            Vec::new()
        });
        Event::Begun(self.units.len())
    }

    fn print(&mut self, at: At, line: Line) {
        let Some(step) = self.step(at) else { return };
        let first = self.words.first().map(|word| word.as_bytes()).unwrap_or_default();
        let name = |nth: usize| self.units.get(nth).map(Vec::as_slice).unwrap_or_default();
        let (each, each_done) = step.kind.each().unzip();
        let (text, words) = match line {
            Line::Say => (Some(&step.say), Words::default()),
            Line::Each(nth) => (each, Words { name: name(nth), ..Words::default() }),
            Line::EachDone(nth, code) => {
                (each_done, Words { name: name(nth), code, ..Words::default() })
            }
            Line::Late => (Some(&step.late), Words::default()),
            Line::Done(code) => (Some(&step.done), Words { code, word: first, ..Words::default() }),
        };
        let text = text.map(|text| text.fill(&self.facts, words)).unwrap_or_default();
        if line == Line::Late {
            self.console.complain(&text);
        } else {
            self.console.say(&text);
        }
    }

    /// Tells the machine of the end of a piece of work or a script, if that is over: it has ended, and
    /// all that it wrote was passed on.
    pub(super) fn settle(&mut self) {
        let Some(how) = self.ended.take_if(|_| self.console.is_settled()) else { return };
        let copied = self.machine.current().and_then(|at| self.step(at));
        if copied.is_some_and(|step| matches!(step.kind, Kind::Services(_))) {
            self.ask(ScanControl::Rescan);
        }
        self.feed(Event::UnitEnded(code_of(how)));
    }

    fn write_exit_file(&mut self, code: u16) {
        let Some(text) = &self.plan.exit_file else { return };
        let path = path_of(text, &self.facts);
        if let Err(error) = work::note(&path, code.to_string().as_bytes()) {
            self.warn(&error.to_string());
        }
    }

    /// What the container's exit code shall be, if anybody wrote it down: the first line counts, as everywhere
    /// in an environment directory. An empty file says nothing: its writer was killed, or the disk was full.
    fn read_exit_file(&mut self) -> Option<u8> {
        let path = path_of(self.plan.exit_file.as_ref()?, &self.facts);
        let content = work::read_note(&path)?;
        let content = content.split(|&byte| byte == b'\n').next()?;
        let end = content.iter().rposition(|byte| !byte.is_ascii_whitespace());
        let digits = content.get(..=end?).unwrap_or(&[]);
        let code = exit_code(digits);
        if code.is_none() {
            let text = String::from_utf8_lossy(digits);
            self.warn(&format!("{} holds {text:?}, which is no exit code", shown(&path)));
        }
        code.or(Some(NO_CODE))
    }
}

/// The code of a script or worker, as execline shows it: 256 + signal for one that was killed.
fn code_of(how: WaitStatus) -> u16 {
    match how.ending() {
        Ending::Exited(code) => u16::from(code),
        Ending::Killed(signal) => 256 + u16::from(signal.number()),
    }
}

/// A decimal number modulo 256.
fn exit_code(digits: &[u8]) -> Option<u8> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then(|| {
        digits.iter().fold(0_u8, |code, digit| code.wrapping_mul(10).wrapping_add(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_modulo_256() {
        assert_eq!(
            (exit_code(b"77"), exit_code(b"300"), exit_code(b"007")),
            (Some(77), Some(44), Some(7))
        );
        assert_eq!((exit_code(b""), exit_code(b"-1"), exit_code(b"1x")), (None, None, None));
    }
}
