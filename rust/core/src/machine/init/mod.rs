//! The init machine: boot, run and stop of one container (contract s6-overlay §2, §5, §8).
//!
//! ```text
//!          last step            asked, CMD ended, failure        last step
//!   Boot ─────────────▶ Running ─────────────────────────▶ Stop ───────────▶ Killing ─▶ Gone
//!    │ fatal                                                │ budget spent      ▲
//!    └──────────────────────────────────────────────────────┴───────────────────┘
//! ```
//!
//! A plan is two lists of steps; the machine walks along one, then along the other. A step consists of
//! *units*: the scripts of a directory, or one piece of work. At most one unit runs at a time. Rules:
//!
//! - every time that the plan names is the longest wait: what is waited for is looked at first;
//! - asked to stop during boot, the running unit gets SIGTERM, after a grace SIGKILL; no other step of
//!   boot begins; the steps of stop all do;
//! - the first cause of the stop decides about the exit code; a file that services may write overrules
//!   it, as it is when the supervisors were just told ([`Event::ExitFile`]);
//! - when the stop's own budget is spent, or somebody insists, everything left is killed;
//! - what survives [`KILLS`] attempts to kill it is left behind: a stop ends.
//!
//! A driver performs the actions in order. [`Action::Begin`], [`Action::Start`], [`Action::Supervise`],
//! [`Action::StartCommand`] and [`Action::ReadExitFile`] are always the last of a list and are answered at
//! once. While [`Init::awaits`] names a fact, the driver feeds [`Event::Came`] as soon as it holds.

#[cfg(test)]
mod histories;
#[cfg(test)]
mod simulation;
mod state;
mod vocabulary;

pub use vocabulary::{Action, At, Consequence, Event, Fact, Kind, Line, Phase, Rule, Settings};

use crate::wire::clock::Monotonic;
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use state::{Cause, Command, Fate, State, Unit};
use std::time::Duration;

/// How long to wait between two attempts to kill everything left.
pub const BETWEEN_KILLS: Duration = Duration::from_millis(50);
/// How many such attempts are made.
pub const KILLS: u32 = 100;
/// How long a unit that was killed may take to die before it is left behind.
pub const AFTER_KILL: Duration = Duration::from_secs(2);

/// One container's init.
#[derive(Clone, Debug)]
pub struct Init {
    settings: Settings,
    state: State,
    deadline: Option<Monotonic>,
    /// When everything left is killed.
    budget: Option<Monotonic>,
    cause: Option<Cause>,
    /// What the exit file said when it counted.
    exit_file: Option<u8>,
    /// What counts when somebody asks for the stop: the code of a boot that failed and stays up, or that with
    /// which CMD ended by itself meanwhile.
    own_exit: Option<u8>,
    command: Command,
    /// Whether the supervisors are told to bring their services down.
    tell: bool,
    /// The supervisors had all the time that they may take, and are not gone.
    waited_for_supervisors: bool,
    /// Only the step of CMD is left of boot.
    only_command: bool,
}

impl Init {
    /// A container about to boot.
    pub fn new(settings: Settings) -> Init {
        Init {
            settings,
            state: State::Running,
            deadline: None,
            budget: None,
            cause: None,
            exit_file: None,
            own_exit: None,
            command: Command::NotStarted,
            tell: true,
            waited_for_supervisors: false,
            only_command: false,
        }
    }

    /// What to do first.
    pub fn begin(&mut self, now: Monotonic) -> Vec<Action> {
        let mut todo = Vec::new();
        self.enter(now, At::first_of(Phase::Boot), &mut todo);
        todo
    }

    /// When to feed [`Event::Timeout`].
    pub fn deadline(&self) -> Option<Monotonic> {
        match (self.deadline, self.budget) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        }
    }

    /// The fact whose coming the driver reports.
    pub fn awaits(&self) -> Option<Fact> {
        match self.state {
            State::Waiting { fact, .. } => Some(fact),
            State::Killing { .. } => Some(Fact::NothingLeft),
            State::Asking(_)
            | State::Unit(_)
            | State::Supervising(_)
            | State::Commanding(_)
            | State::Reading { .. }
            | State::Running
            | State::Gone => None,
        }
    }

    /// The step whose unit runs.
    pub fn current(&self) -> Option<At> {
        if let State::Unit(unit) = self.state { Some(unit.at) } else { None }
    }

    /// Whether a stop has begun, or waits for boot's running unit.
    pub fn is_stopping(&self) -> bool {
        self.cause.is_some()
    }

    /// Whether the end of CMD is why we stop.
    pub fn stops_for_command(&self) -> bool {
        matches!(self.cause, Some(Cause::Command(_)))
    }

    /// Takes one event and says what to do, in order.
    pub fn step(&mut self, now: Monotonic, event: Event) -> Vec<Action> {
        let mut todo = Vec::new();
        match (self.state, event) {
            (State::Gone, _) => {}

            (_, Event::Timeout) => self.timeout(now, &mut todo),
            (_, Event::Stop) => self.asked(now, true, &mut todo),
            (_, Event::StopNow) => self.asked(now, false, &mut todo),
            (State::Killing { .. }, Event::KillNow) => {}
            (_, Event::KillNow) => {
                self.cause.get_or_insert(Cause::Asked);
                self.kill(now, &mut todo);
            }
            (_, Event::CommandEnded(status)) => self.command_ended(now, status, &mut todo),

            (State::Asking(at), Event::Skipped) => self.enter(now, at.next(), &mut todo),
            (State::Asking(at), Event::Begun(units)) => self.begun(now, at, units, &mut todo),

            (State::Unit(unit), Event::Refused(code)) => {
                self.refused(now, unit, code, &mut todo);
            }
            (State::Unit(unit), Event::UnitEnded(code)) => {
                self.unit_ended(now, unit, code, &mut todo);
            }

            (State::Supervising(at), Event::Started) => self.step_ended(now, at, 0, &mut todo),
            (State::Supervising(at), Event::Refused(code)) => {
                self.report(at, 0, &mut todo);
                self.step_ended(now, at, code, &mut todo);
            }
            (State::Commanding(at), Event::Started) => {
                self.command = Command::Running(at);
                self.enter(now, at.next(), &mut todo);
            }
            (State::Commanding(at), Event::Refused(code)) => {
                self.command = Command::Running(at);
                let status = WaitStatus::exited(u8::try_from(code).unwrap_or(u8::MAX));
                self.command_ended(now, status, &mut todo);
            }
            (State::Reading { at, then_wait }, Event::ExitFile(code)) => {
                self.exit_file = code;
                if then_wait {
                    self.state = State::Waiting { at, fact: Fact::SupervisorsGone, kills: 0 };
                } else {
                    self.step_ended(now, at, 0, &mut todo);
                }
            }
            (State::Waiting { at, .. }, Event::Came) => self.step_ended(now, at, 0, &mut todo),
            (State::Killing { .. }, Event::Came) => self.exit(&mut todo),

            // A start that went well, and answers that nobody waits for any more.
            (
                State::Asking(_)
                | State::Unit(_)
                | State::Supervising(_)
                | State::Commanding(_)
                | State::Reading { .. }
                | State::Running
                | State::Waiting { .. }
                | State::Killing { .. },
                Event::Skipped
                | Event::Begun(_)
                | Event::Started
                | Event::Refused(_)
                | Event::ExitFile(_)
                | Event::UnitEnded(_)
                | Event::Came,
            ) => {}
        }
        todo
    }

    /// Goes to a step, or to what lies behind the last one.
    fn enter(&mut self, now: Monotonic, at: At, todo: &mut Vec<Action>) {
        self.deadline = None;
        let mut at = at;
        while at.phase == Phase::Boot
            && self.only_command
            && self.settings.rule(at).is_some_and(|rule| rule.kind != Kind::Command)
        {
            at = at.next();
        }
        match (self.settings.rule(at), at.phase) {
            (Some(_), _) => {
                self.state = State::Asking(at);
                todo.push(Action::Begin(at));
            }
            (None, Phase::Boot) => self.state = State::Running,
            (None, Phase::Stop) => self.kill(now, todo),
        }
    }

    /// A step's conditions hold.
    fn begun(&mut self, now: Monotonic, at: At, units: usize, todo: &mut Vec<Action>) {
        let Some(rule) = self.settings.rule(at) else { return };
        todo.push(Action::Print(at, Line::Say));
        match rule.kind {
            Kind::Say => self.step_ended(now, at, 0, todo),
            Kind::Units { .. } => {
                let first = Unit { at, nth: 0, of: units, code: 0, fate: Fate::Free };
                self.start(now, first, todo);
            }
            Kind::Supervise => {
                self.state = State::Supervising(at);
                todo.push(Action::Supervise(at));
            }
            Kind::Command => {
                self.state = State::Commanding(at);
                todo.push(Action::StartCommand(at));
            }
            Kind::BringDown(limit) => {
                let then_wait = self.tell && units > 0;
                if self.tell {
                    todo.push(Action::BringDown);
                }
                self.deadline = limit.filter(|_| then_wait).map(|limit| now + limit);
                self.state = State::Reading { at, then_wait };
                todo.push(Action::ReadExitFile);
            }
            // Supervisors that were not told do not go.
            Kind::AwaitDown(_) if !self.tell => self.step_ended(now, at, 0, todo),
            Kind::AwaitDown(limit) => {
                self.state = State::Waiting { at, fact: Fact::SupervisorsGone, kills: 0 };
                // A service that is never ready to go costs its limit once.
                let limit = if self.waited_for_supervisors { Some(Duration::ZERO) } else { limit };
                self.deadline = limit.map(|limit| now + limit);
            }
            Kind::Terminate(limit) => {
                todo.push(Action::TerminateAll);
                self.state = State::Waiting { at, fact: Fact::NothingLeft, kills: 0 };
                self.deadline = Some(now + limit);
            }
            Kind::Kill => {
                todo.push(Action::KillAll);
                self.state = State::Waiting { at, fact: Fact::NothingLeft, kills: KILLS };
                self.deadline = Some(now + BETWEEN_KILLS);
            }
        }
    }

    /// Starts a unit, or ends the step if there is none.
    fn start(&mut self, now: Monotonic, unit: Unit, todo: &mut Vec<Action>) {
        if unit.nth >= unit.of {
            return self.step_ended(now, unit.at, unit.code, todo);
        }
        let kind = self.settings.rule(unit.at).map(|rule| &rule.kind);
        let limit = if let Some(Kind::Units { limit, .. }) = kind { *limit } else { None };
        self.state = State::Unit(unit);
        self.deadline = limit.map(|limit| now + limit);
        todo.push(Action::Print(unit.at, Line::Each(unit.nth)));
        todo.push(Action::Start(unit.at, unit.nth));
    }

    /// A unit could not be started.
    fn refused(&mut self, now: Monotonic, unit: Unit, code: u16, todo: &mut Vec<Action>) {
        let aborts = matches!(
            self.settings.rule(unit.at).map(|rule| &rule.kind),
            Some(Kind::Units { refusal_aborts: true, .. })
        );
        if !aborts {
            return self.unit_ended(now, unit, code, todo);
        }
        self.state = State::Running;
        if unit.at.phase == Phase::Boot {
            let consequence = match self.consequence(unit.at) {
                Consequence::GoesOn => Consequence::OnlyCommand,
                other @ (Consequence::OnlyCommand
                | Consequence::StaysUp
                | Consequence::Stops(_)
                | Consequence::Ends(_)) => other,
            };
            todo.push(Action::Report(unit.at, unit.nth, consequence));
        }
        if self.fails(now, unit.at, code, todo) {
            return;
        }
        self.only_command = unit.at.phase == Phase::Boot;
        self.enter(now, unit.at.next(), todo);
    }

    /// The running unit has ended.
    fn unit_ended(&mut self, now: Monotonic, unit: Unit, code: u16, todo: &mut Vec<Action>) {
        let Some(rule) = self.settings.rule(unit.at) else { return };
        let Kind::Units { limit_code, breaks_off, .. } = rule.kind else { return };
        let (checked, fatal) = (rule.checked, rule.fatal);
        let code = if unit.fate == Fate::Late { limit_code } else { code };
        self.state = State::Running;
        if unit.fate == Fate::Late {
            todo.push(Action::Print(unit.at, Line::Late));
        }
        todo.push(Action::Print(unit.at, Line::EachDone(unit.nth, code)));
        if matches!(unit.fate, Fate::Asked | Fate::Killed) {
            if !breaks_off {
                todo.push(Action::Print(unit.at, Line::Done(code)));
            }
            return self.enter(now, At::first_of(Phase::Stop), todo);
        }
        if code != 0 && (checked || fatal.is_some()) {
            self.report(unit.at, unit.nth, todo);
        }
        // Of several units the first failure ends the step; a step of one piece is handled at its end.
        if breaks_off && checked && self.fails(now, unit.at, code, todo) {
            return;
        }
        let code = if code == 0 { unit.code } else { code };
        self.start(now, Unit { nth: unit.nth + 1, code, fate: Fate::Free, ..unit }, todo);
    }

    /// A step has ended by itself.
    fn step_ended(&mut self, now: Monotonic, at: At, code: u16, todo: &mut Vec<Action>) {
        todo.push(Action::Print(at, Line::Done(code)));
        if !self.fails(now, at, code, todo) {
            self.enter(now, at.next(), todo);
        }
    }

    /// Whether this code of a step of boot takes the boot off its way; if so, it did.
    fn fails(&mut self, now: Monotonic, at: At, code: u16, todo: &mut Vec<Action>) -> bool {
        if code == 0 || at.phase == Phase::Stop {
            return false;
        }
        match self.consequence(at) {
            Consequence::GoesOn | Consequence::OnlyCommand => return false,
            Consequence::Ends(exit) => {
                self.cause.get_or_insert(Cause::Fatal(exit));
                self.kill(now, todo);
            }
            Consequence::StaysUp => {
                let exit = self.settings.failure_exit;
                self.own_exit = Some(exit);
                todo.push(Action::WriteExitFile(exit.into()));
                todo.push(Action::PrintBanner);
                self.deadline = None;
                self.state = State::Running;
            }
            Consequence::Stops(exit) => {
                todo.push(Action::WriteExitFile(exit.into()));
                self.stop(now, Cause::Failure(exit), todo);
            }
        }
        true
    }

    /// What comes of a failure of this step of boot.
    fn consequence(&self, at: At) -> Consequence {
        let Some(rule) = self.settings.rule(at) else { return Consequence::GoesOn };
        match (rule.fatal, self.settings.failure_level) {
            (Some(exit), _) => Consequence::Ends(exit),
            (None, 0) => Consequence::GoesOn,
            (None, _) if !rule.checked => Consequence::GoesOn,
            (None, 1) => Consequence::StaysUp,
            (None, _) => Consequence::Stops(self.settings.failure_exit),
        }
    }

    /// Has a failure of boot reported.
    fn report(&self, at: At, nth: usize, todo: &mut Vec<Action>) {
        if at.phase == Phase::Boot {
            todo.push(Action::Report(at, nth, self.consequence(at)));
        }
    }

    /// Somebody wants the container to stop.
    fn asked(&mut self, now: Monotonic, tell: bool, todo: &mut Vec<Action>) {
        if self.cause.is_none() {
            self.tell = tell;
            self.stop(now, Cause::Asked, todo);
        }
    }

    /// CMD has ended.
    fn command_ended(&mut self, now: Monotonic, status: WaitStatus, todo: &mut Vec<Action>) {
        let Command::Running(at) = self.command else { return };
        self.command = Command::Ended;
        let (shown, exit) = match status.ending() {
            Ending::Exited(code) => (u16::from(code), code),
            Ending::Killed(signal) => (
                self.settings.signal_base.saturating_add(u16::from(signal.number())),
                self.settings.signal_exit_base.saturating_add(signal.number()),
            ),
        };
        if self.cause.is_some() {
            if matches!(status.ending(), Ending::Exited(_)) && self.cause == Some(Cause::Asked) {
                self.own_exit = Some(exit);
            }
            return;
        }
        todo.push(Action::Print(at, Line::Done(shown)));
        // Read again, it must be the same code.
        let same = shown % 256 == u16::from(exit);
        todo.push(Action::WriteExitFile(if same { shown } else { exit.into() }));
        self.stop(now, Cause::Command(exit), todo);
    }

    /// Begins the stop, after boot's running unit if there is one.
    fn stop(&mut self, now: Monotonic, cause: Cause, todo: &mut Vec<Action>) {
        self.cause = Some(cause);
        self.budget = self.settings.stop_limit.map(|limit| now + limit);
        match self.state {
            State::Unit(unit) if unit.fate == Fate::Free => {
                self.state = State::Unit(Unit { fate: Fate::Asked, ..unit });
                self.deadline = Some(now + self.settings.abort_grace);
                todo.push(Action::KillUnit(Signal::SIGTERM));
            }
            State::Unit(unit) if unit.fate == Fate::Late => {
                self.state = State::Unit(Unit { fate: Fate::Killed, ..unit });
                self.deadline = Some(now + AFTER_KILL);
            }
            State::Unit(_)
            | State::Asking(_)
            | State::Supervising(_)
            | State::Commanding(_)
            | State::Reading { .. }
            | State::Running
            | State::Waiting { .. }
            | State::Killing { .. }
            | State::Gone => self.enter(now, At::first_of(Phase::Stop), todo),
        }
    }

    /// The deadline, or the stop's budget, has passed. Early calls change nothing.
    fn timeout(&mut self, now: Monotonic, todo: &mut Vec<Action>) {
        let passed = |deadline: Option<Monotonic>| deadline.is_some_and(|at| at <= now);
        if passed(self.budget) && !matches!(self.state, State::Killing { .. }) {
            return self.kill(now, todo);
        }
        if !passed(self.deadline) {
            return;
        }
        self.deadline = None;
        match self.state {
            State::Unit(unit) => self.unit_late(now, unit, todo),
            State::Waiting { at, fact, kills: kills @ 1.. } => {
                todo.push(Action::KillAll);
                self.state = State::Waiting { at, fact, kills: kills - 1 };
                self.deadline = Some(now + BETWEEN_KILLS);
            }
            State::Waiting { at, .. } => {
                match self.settings.rule(at).map(|rule| &rule.kind) {
                    Some(Kind::AwaitDown(_)) => todo.push(Action::Print(at, Line::Late)),
                    Some(Kind::BringDown(_)) => self.waited_for_supervisors = true,
                    _ => {}
                }
                self.step_ended(now, at, 0, todo);
            }
            State::Killing { kills: 0 } => self.exit(todo),
            State::Killing { kills } => {
                todo.push(Action::KillAll);
                self.state = State::Killing { kills: kills - 1 };
                self.deadline = Some(now + BETWEEN_KILLS);
            }
            State::Asking(_)
            | State::Supervising(_)
            | State::Commanding(_)
            | State::Reading { .. }
            | State::Running
            | State::Gone => {}
        }
    }

    /// The running unit takes too long, or does not die.
    fn unit_late(&mut self, now: Monotonic, unit: Unit, todo: &mut Vec<Action>) {
        let fate = match unit.fate {
            Fate::Free => Fate::Late,
            Fate::Asked => Fate::Killed,
            // It was killed and does not die: nobody can do more about it. It is left behind.
            Fate::Late | Fate::Killed => {
                return self.unit_ended(now, unit, u16::from(Signal::SIGKILL.number()), todo);
            }
        };
        self.state = State::Unit(Unit { fate, ..unit });
        self.deadline = Some(now + AFTER_KILL);
        todo.push(Action::KillUnit(Signal::SIGKILL));
    }

    /// Kills everything left, and exits when nothing is.
    fn kill(&mut self, now: Monotonic, todo: &mut Vec<Action>) {
        todo.push(Action::KillAll);
        self.state = State::Killing { kills: KILLS };
        self.deadline = Some(now + BETWEEN_KILLS);
        self.budget = None;
    }

    fn exit(&mut self, todo: &mut Vec<Action>) {
        self.state = State::Gone;
        self.deadline = None;
        self.budget = None;
        let of_cause = match self.cause {
            Some(Cause::Command(code) | Cause::Failure(code) | Cause::Fatal(code)) => code,
            Some(Cause::Asked) | None => self.own_exit.unwrap_or(0),
        };
        todo.push(Action::Exit(self.exit_file.unwrap_or(of_cause)));
    }
}
