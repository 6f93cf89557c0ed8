//! The supervise machine: one service's life (contract s6 §4).
//!
//! ```text
//!            start            dies             dies, or was never started
//!   Down ───────────▶ Up ───────────▶ Finish ───────────▶ Down
//!                     │ x, TERM, HUP    │ x, TERM, HUP
//!                     ▼                 ▼
//!                   LastUp ─────────▶ LastFinish ───────▶ Gone
//! ```
//!
//! Three things decide what happens next: the state, whether the service is *wanted up*, and one
//! deadline. The deadline belongs to the state and is set anew by every transition, so that a timer of
//! an earlier life cannot fire in a later one:
//!
//! - Down: when to start again. At least [`BETWEEN_STARTS`] lie between two automatic starts; a
//!   service that ran longer than that is started at once. (The originals measure from the death or from
//!   readiness: `docs/differences.md`.)
//! - Up: when to kill a service that was asked to come down (`timeout-kill`).
//! - Finish: when to kill a `finish` that takes too long (`timeout-finish`).
//!
//! Whoever subscribes to notices and then reads the status must not see an older status than the
//! notice speaks of: [`Action::Publish`] always precedes its [`Action::Notify`].
//!
//! A driver performs the actions in order. It answers [`Action::Start`] with [`Event::Started`] or
//! [`Event::StartFailed`] before it feeds anything else. Pids live in the driver: the machine says *the
//! child*.

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod table;
mod vocabulary;

pub use vocabulary::{Action, Event, Now, Program, State, Target};

use crate::model::service_dir::Settings;
use crate::wire::clock::Monotonic;
use crate::wire::control::Control;
use crate::wire::notice::Notice;
use crate::wire::signal::Signal;
use crate::wire::status::Status;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::time::Duration;
use vocabulary::Wish;

/// The least time between two automatic starts of a service.
pub const BETWEEN_STARTS: Duration = Duration::from_secs(1);
/// How long to wait after a start that failed: no `run`, or one that cannot be executed.
pub const AFTER_FAILED_START: Duration = Duration::from_secs(10);
/// How long to wait between two SIGKILLs to something that does not die of them.
pub const BETWEEN_KILLS: Duration = Duration::from_secs(5);
/// The exit code by which `finish` says: never start it again.
pub const PERMANENT_FAILURE: u8 = 125;

/// One service's supervisor.
#[derive(Clone, Debug)]
pub struct Supervisor {
    state: State,
    deadline: Option<Monotonic>,
    last_start: Option<Monotonic>,
    /// All but the pid, which the driver knows.
    status: Status,
}

impl Supervisor {
    /// A supervisor of a service that does not run.
    pub fn new(now: Now, wanted_up: bool) -> Supervisor {
        let status = Status {
            stamp: now.wall,
            ready_stamp: now.wall,
            pid: 0,
            pgid: 0,
            wait_status: WaitStatus(0),
            paused: true, // with pid 0: not started yet
            finishing: false,
            wanted_up,
            ready: true,
        };
        Supervisor { state: State::Down, deadline: Some(now.monotonic), last_start: None, status }
    }

    /// A supervisor of a service whose last supervisor was killed while this `program` of it went
    /// on running; `status` is what that supervisor had published.
    pub fn adopting(
        now: Now,
        program: Program,
        status: Status,
        wanted_up: bool,
        settings: &Settings,
    ) -> Supervisor {
        let (state, deadline) = match program {
            Program::Run => (State::Up, None),
            Program::Finish => {
                (State::Finish, settings.timeout_finish.map(|limit| now.monotonic + limit))
            }
        };
        let finishing = program == Program::Finish;
        let status = Status { finishing, wanted_up, ..status };
        Supervisor { state, deadline, last_start: Some(now.monotonic), status }
    }

    /// What to do first.
    pub fn begin(&self) -> Vec<Action> {
        vec![Action::Publish, Action::Notify(&[Notice::Start])]
    }

    /// When to feed [`Event::Timeout`].
    pub fn deadline(&self) -> Option<Monotonic> {
        self.deadline
    }

    /// Where the service is.
    pub fn state(&self) -> State {
        self.state
    }

    /// What to publish, given the child's pid (0: none).
    pub fn status(&self, pid: u64) -> Status {
        Status { pid, pgid: pid, ..self.status }
    }

    /// Whether an event's handling looks at the settings, so that a driver need not read them
    /// from disk for every signal it passes on.
    pub fn consults_settings(&self, event: Event) -> bool {
        match event {
            Event::Timeout => self.state != State::Down,
            Event::Started(Program::Finish) | Event::Term => true,
            Event::Asked(control) => matches!(
                control,
                Control::Down | Control::DownForGood | Control::Restart | Control::Reload
            ),
            Event::Started(Program::Run)
            | Event::StartFailed(_)
            | Event::Died(_)
            | Event::Ready
            | Event::Hup
            | Event::Quit
            | Event::Int => false,
        }
    }

    /// Takes one event and says what to do, in order.
    pub fn step(&mut self, now: Now, event: Event, settings: &Settings) -> Vec<Action> {
        use Event::{Asked, Died, Hup, Int, Quit, Ready, StartFailed, Started, Term, Timeout};
        use State::{Down, Finish, Gone, LastFinish, LastUp, Up};
        let mut todo = Vec::new();
        match (self.state, event) {
            (Down, Timeout) => {
                self.deadline = None;
                if self.status.wanted_up {
                    todo.push(Action::Start(Program::Run));
                }
            }
            (Down, Started(Program::Run)) => self.went_up(now, &mut todo),
            (Down, StartFailed(Program::Run)) => {
                self.deadline = Some(now.monotonic + AFTER_FAILED_START);
            }
            (Down, Asked(control)) => self.asked_while_down(control, &mut todo),
            (Down, Term | Hup | Quit | Int) => self.exit(&mut todo),

            (Up | LastUp, Timeout) => {
                let target = if settings.kill_group { Target::Group } else { Target::Child };
                todo.push(Action::Kill(target, Signal::SIGKILL));
                todo.push(Action::Kill(target, Signal::SIGCONT));
                self.deadline = Some(now.monotonic + BETWEEN_KILLS);
            }
            (Up | LastUp, Ready) => {
                if !self.status.ready {
                    self.status.ready = true;
                    self.status.ready_stamp = now.wall;
                    todo.extend([Action::Publish, Action::Notify(&[Notice::Ready])]);
                }
                todo.push(Action::CloseReadiness);
            }
            (Up | LastUp, Died(how)) => {
                self.status.wait_status = how;
                self.status.stamp = now.wall;
                self.status.paused = false;
                self.status.ready = false;
                self.deadline = None;
                todo.extend([
                    Action::CloseReadiness,
                    Action::RecordDeath,
                    Action::Start(Program::Finish),
                ]);
            }
            (Up | LastUp, Started(Program::Finish)) => {
                self.state = if self.state == Up { Finish } else { LastFinish };
                self.status.finishing = true;
                self.deadline = settings.timeout_finish.map(|limit| now.monotonic + limit);
                todo.extend([Action::Publish, Action::Notify(&[Notice::Down])]);
            }
            (Up | LastUp, StartFailed(Program::Finish)) => {
                let last = self.state == LastUp;
                self.came_down(now, &[Notice::Down, Notice::DownReady], last, &mut todo);
            }
            (Up | LastUp, Asked(control)) => {
                self.asked_while_up(now, control, settings, &mut todo);
            }
            (Up | LastUp, Term) => {
                self.bring_down(now, settings, &mut todo);
                self.state = LastUp;
            }
            (Up | LastUp, Hup) => {
                self.state = LastUp;
                todo.push(Action::ReleaseStandardStreams);
            }

            (Finish | LastFinish, Timeout) => {
                todo.push(Action::Kill(Target::Child, Signal::SIGCONT));
                todo.push(Action::Kill(Target::Child, Signal::SIGKILL));
                self.deadline = Some(now.monotonic + BETWEEN_KILLS);
            }
            (Finish | LastFinish, Died(how)) => {
                let last = self.state == LastFinish;
                let notices: &[Notice] = if how.ending() == Ending::Exited(PERMANENT_FAILURE) {
                    self.status.wanted_up = false;
                    &[Notice::Once, Notice::DownReady]
                } else {
                    &[Notice::DownReady]
                };
                self.came_down(now, notices, last, &mut todo);
            }
            (Finish | LastFinish, Asked(control)) => {
                self.asked_while_finishing(control, &mut todo);
            }
            (Finish | LastFinish, Term) => self.state = LastFinish,
            (Finish | LastFinish, Hup) => {
                self.state = LastFinish;
                todo.push(Action::ReleaseStandardStreams);
            }

            (Up | LastUp | Finish | LastFinish, Quit) => self.exit(&mut todo),
            (Up | LastUp | Finish | LastFinish, Int) => {
                todo.push(Action::Kill(Target::Group, Signal::SIGINT));
                self.exit(&mut todo);
            }

            // A byte from a service that has died since; the pipe is not needed any more.
            (Down | Finish | LastFinish, Ready) => todo.push(Action::CloseReadiness),
            // Cannot happen: nothing was started, or nothing runs that could die.
            (Down, Died(_) | Started(Program::Finish) | StartFailed(Program::Finish))
            | (Up | LastUp, Started(Program::Run) | StartFailed(Program::Run))
            | (Finish | LastFinish, Started(_) | StartFailed(_)) => {}
            // Nothing matters any more.
            (Gone, _) => {}
        }
        todo
    }

    fn asked_while_down(&mut self, control: Control, todo: &mut Vec<Action>) {
        match Wish::of(control) {
            Wish::Up { for_good } => {
                self.want(true, for_good, todo);
                todo.push(Action::Start(Program::Run));
            }
            Wish::Once => {
                self.want(false, false, todo);
                todo.push(Action::Start(Program::Run));
            }
            Wish::Down { for_good } | Wish::OnceAtMost { for_good } => {
                self.want(false, for_good, todo);
            }
            Wish::Exit => self.exit(todo),
            Wish::Signal(..) | Wish::Restart | Wish::Reload => {} // for `run`, which is not there
        }
    }

    fn asked_while_up(
        &mut self,
        now: Now,
        control: Control,
        settings: &Settings,
        todo: &mut Vec<Action>,
    ) {
        match Wish::of(control) {
            Wish::Signal(target, signal) => {
                todo.push(Action::Kill(target, signal));
                if let Signal::SIGSTOP | Signal::SIGCONT = signal {
                    self.status.paused = signal == Signal::SIGSTOP;
                    todo.push(Action::Publish);
                }
            }
            Wish::Restart => todo.push(Action::Kill(Target::Child, settings.down_signal)),
            Wish::Reload => todo.push(Action::Kill(Target::Child, settings.reload_signal)),
            Wish::Up { for_good } => self.want(true, for_good, todo),
            Wish::Once => self.want(false, false, todo),
            Wish::OnceAtMost { for_good } => self.want(false, for_good, todo),
            Wish::Down { for_good } => {
                if for_good {
                    todo.push(Action::SetDownFile(true));
                }
                self.bring_down(now, settings, todo);
            }
            Wish::Exit => {
                self.state = State::LastUp;
                todo.push(Action::ReleaseStandardStreams);
            }
        }
    }

    fn asked_while_finishing(&mut self, control: Control, todo: &mut Vec<Action>) {
        match Wish::of(control) {
            Wish::Up { for_good } => self.want(true, for_good, todo),
            Wish::Once => self.want(false, false, todo),
            Wish::Down { for_good } | Wish::OnceAtMost { for_good } => {
                self.want(false, for_good, todo);
            }
            Wish::Exit => {
                self.state = State::LastFinish;
                todo.push(Action::ReleaseStandardStreams);
            }
            Wish::Signal(..) | Wish::Restart | Wish::Reload => {} // for `run`, which is not there
        }
    }

    /// Wants it up or down from now on; `for_good`: also when supervision starts again.
    fn want(&mut self, up: bool, for_good: bool, todo: &mut Vec<Action>) {
        self.status.wanted_up = up;
        if for_good {
            todo.push(Action::SetDownFile(!up));
        }
        todo.push(Action::Publish);
    }

    fn bring_down(&mut self, now: Now, settings: &Settings, todo: &mut Vec<Action>) {
        self.status.wanted_up = false;
        self.status.paused = false;
        self.deadline = settings.timeout_kill.map(|limit| now.monotonic + limit);
        todo.extend([
            Action::Kill(Target::Child, settings.down_signal),
            Action::Kill(Target::Child, Signal::SIGCONT),
            Action::Publish,
        ]);
    }

    fn went_up(&mut self, now: Now, todo: &mut Vec<Action>) {
        self.state = State::Up;
        self.deadline = None;
        self.last_start = Some(now.monotonic);
        self.status.stamp = now.wall;
        self.status.paused = false;
        self.status.ready = false;
        todo.extend([Action::Publish, Action::Notify(&[Notice::Up])]);
    }

    fn came_down(
        &mut self,
        now: Now,
        notices: &'static [Notice],
        last: bool,
        todo: &mut Vec<Action>,
    ) {
        self.state = State::Down;
        self.status.finishing = false;
        self.status.ready = true;
        self.status.ready_stamp = now.wall;
        let earliest = self.last_start.map_or(now.monotonic, |start| start + BETWEEN_STARTS);
        self.deadline = Some(earliest.max(now.monotonic));
        todo.extend([Action::Publish, Action::Notify(notices)]);
        if last {
            self.exit(todo);
        }
    }

    fn exit(&mut self, todo: &mut Vec<Action>) {
        self.state = State::Gone;
        self.deadline = None;
        todo.extend([Action::Notify(&[Notice::Exit]), Action::Exit]);
    }
}
