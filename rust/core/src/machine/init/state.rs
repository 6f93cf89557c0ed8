//! Where the init machine is, and what it keeps in mind.

use super::vocabulary::{At, Fact};

/// Why the container stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    Asked,
    Command(u8),
    Failure(u8),
    Fatal(u8),
}

/// Where the machine is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// A step's conditions are being looked at.
    Asking(At),
    /// A unit runs.
    Unit(Unit),
    /// The scanner is being started.
    Supervising(At),
    /// CMD is being started.
    Commanding(At),
    /// The exit file is being read; then the supervisors are waited for, or not.
    Reading { at: At, then_wait: bool },
    /// Boot is over.
    Running,
    /// A step waits for a fact; everything is killed so many times more meanwhile.
    Waiting { at: At, fact: Fact, kills: u32 },
    /// No step is left; everything is killed so many times more.
    Killing { kills: u32 },
    /// The end.
    Gone,
}

/// A running unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unit {
    pub(super) at: At,
    pub(super) nth: usize,
    pub(super) of: usize,
    /// The last code but 0 of the units before it.
    pub(super) code: u16,
    pub(super) fate: Fate,
}

/// What was done to a running unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Nothing.
    Free,
    /// It took too long, and was killed.
    Late,
    /// A stop came: it was asked to end.
    Asked,
    /// A stop came: it was killed.
    Killed,
}

/// CMD's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    NotStarted,
    Running(At),
    Ended,
}
