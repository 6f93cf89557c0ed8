//! What the machine hears, what it says, and what it knows of a plan.

use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use std::time::Duration;

/// What the outside world tells the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The deadline has passed.
    Timeout,
    /// Answer to [`Action::Begin`]: the step's conditions do not hold.
    Skipped,
    /// Answer to [`Action::Begin`]: they hold; it has this many units. `bring-down`: whether it waits.
    Begun(usize),
    /// Answer: it runs.
    Started,
    /// Answer: it could not be started; counts as this code.
    Refused(u16),
    /// Answer to [`Action::ReadExitFile`]: what it says.
    ExitFile(Option<u8>),
    /// The running unit has ended.
    UnitEnded(u16),
    /// CMD has ended.
    CommandEnded(WaitStatus),
    /// What is awaited has come.
    Came,
    /// Somebody wants the container to stop.
    Stop,
    /// The same, and without telling the supervisors first.
    StopNow,
    /// Somebody wants the end without any more steps.
    KillNow,
}

/// What the machine wants to hear of as soon as it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// No supervisor is left.
    SupervisorsGone,
    /// No process is left but ourselves.
    NothingLeft,
}

/// A text of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Before the step.
    Say,
    /// Before this unit.
    Each(usize),
    /// After this unit, which ended with this code.
    EachDone(usize, u16),
    /// Its limit has passed.
    Late,
    /// After the step, which ended with this code.
    Done(u16),
}

/// What the machine tells the outside world to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Look at a step's conditions and count its units.
    Begin(At),
    /// Print a text of a step.
    Print(At, Line),
    /// Print what tells that boot failed.
    PrintBanner,
    /// Report that a unit of a step of boot failed, and what comes of it.
    Report(At, usize, Consequence),
    /// Start a unit of a step.
    Start(At, usize),
    /// Become the scanner that this step names.
    Supervise(At),
    /// Start CMD.
    StartCommand(At),
    /// Signal the running unit.
    KillUnit(Signal),
    /// Tell the supervisors to bring their services down.
    BringDown,
    /// TERM and CONT to everything left.
    TerminateAll,
    /// KILL to everything left.
    KillAll,
    /// Write the container's exit code down; 256 + signal where a signal killed CMD.
    WriteExitFile(u16),
    /// Read what is written there now.
    ReadExitFile,
    /// End, with this exit code.
    Exit(u8),
}

/// What comes of a failure of boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consequence {
    /// Nothing: the next unit or step is begun.
    GoesOn,
    /// The rest of boot but CMD is skipped.
    OnlyCommand,
    /// The rest of boot is skipped, CMD included; the container stays up.
    StaysUp,
    /// The container stops, and ends with this code.
    Stops(u8),
    /// The container ends at once, with this code.
    Ends(u8),
}

/// A list of steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The steps of boot.
    Boot,
    /// The steps of stop.
    Stop,
}

/// A step by its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// In which list.
    pub phase: Phase,
    /// Which one, from 0.
    pub step: usize,
}

impl At {
    /// The first step of a list.
    pub fn first_of(phase: Phase) -> At {
        At { phase, step: 0 }
    }

    /// The step after this one, whether there is one or not.
    #[must_use]
    pub fn next(self) -> At {
        At { step: self.step + 1, ..self }
    }
}

/// What the machine knows of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub kind: Kind,
    /// A non-zero code is a failure.
    pub checked: bool,
    /// A non-zero code ends the container with this one.
    pub fatal: Option<u8>,
}

/// What a step does, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Units, one after the other.
    Units {
        /// How long each may take; `None`: for ever.
        limit: Option<Duration>,
        /// What one counts as that took longer.
        limit_code: u16,
        /// Whether one that cannot be started skips the rest of boot but CMD.
        refusal_aborts: bool,
        /// Whether the first failure breaks the step off; broken off, it has no last line.
        breaks_off: bool,
    },
    /// The scanner.
    Supervise,
    /// CMD.
    Command,
    /// Tells the supervisors; may wait so long for their end.
    BringDown(Option<Duration>),
    /// Waits so long for the supervisors' end.
    AwaitDown(Option<Duration>),
    /// TERM to everything; waits so long.
    Terminate(Duration),
    /// KILL to everything.
    Kill,
    /// Only prints.
    Say,
}

/// What the machine knows of a plan in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The steps of boot.
    pub boot: Vec<Rule>,
    /// The steps of stop.
    pub stop: Vec<Rule>,
    /// What a failure means: 0, go on; 1, skip the rest of boot; 2 and above, stop.
    pub failure_level: u64,
    /// The exit code then.
    pub failure_exit: u8,
    /// Added to the signal that killed CMD, for the log.
    pub signal_base: u16,
    /// Added to the signal that killed CMD, for the exit code.
    pub signal_exit_base: u8,
    /// How long stopping may take altogether.
    pub stop_limit: Option<Duration>,
    /// How long boot's running unit may take to end when a stop comes.
    pub abort_grace: Duration,
}

impl Settings {
    /// The step at this place, if there is one.
    pub fn rule(&self, at: At) -> Option<&Rule> {
        match at.phase {
            Phase::Boot => self.boot.get(at.step),
            Phase::Stop => self.stop.get(at.step),
        }
    }
}
