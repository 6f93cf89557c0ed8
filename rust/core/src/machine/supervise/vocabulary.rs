//! The words of the supervise machine: where a service is, what happens to it, what is done about it.

use crate::wire::clock::Monotonic;
use crate::wire::control::Control;
use crate::wire::notice::Notice;
use crate::wire::signal::Signal;
use crate::wire::tai64::Tai;
use crate::wire::wait_status::WaitStatus;

/// Where a service is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum State {
    /// Nothing runs.
    Down,
    /// `run` runs.
    Up,
    /// `finish` runs.
    Finish,
    /// `run` runs, for the last time.
    LastUp,
    /// `finish` runs, for the last time.
    LastFinish,
    /// The supervisor has ended.
    Gone,
}

/// What can be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Program {
    /// The service itself.
    Run,
    /// What cleans up after it.
    Finish,
}

/// What the outside world tells a supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The deadline has passed.
    Timeout,
    /// The program is running.
    Started(Program),
    /// It could not be started.
    StartFailed(Program),
    /// The child, `run` or `finish`, has ended.
    Died(WaitStatus),
    /// The service wrote its newline to the notification descriptor.
    Ready,
    /// Someone wrote a control byte.
    Asked(Control),
    /// The supervisor received SIGTERM: bring the service down and exit.
    Term,
    /// The supervisor received SIGHUP: exit once the service has ended by itself.
    Hup,
    /// The supervisor received SIGQUIT: exit and leave the service alone.
    Quit,
    /// The supervisor received SIGINT: interrupt the service's group and exit.
    Int,
}

/// Who gets a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The child.
    Child,
    /// The child's process group.
    Group,
}

/// What a supervisor tells the outside world to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Start a program and report how that went.
    Start(Program),
    /// Signal the child or its group.
    Kill(Target, Signal),
    /// Write the status file.
    Publish,
    /// Tell the subscribers, in one write.
    Notify(&'static [Notice]),
    /// Append the death in the status to the tally.
    RecordDeath,
    /// Create (or remove) the `down` file.
    SetDownFile(bool),
    /// Nothing more is to be read from the notification descriptor.
    CloseReadiness,
    /// Turn stdin and stdout to `/dev/null`, so that the other ends of pipes see their end.
    ReleaseStandardStreams,
    /// End the supervisor.
    Exit,
}

/// The two clocks at the moment of an event.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Monotonic,
    /// For stamps.
    pub wall: Tai,
}

/// What a control byte asks for: the letters, grouped by what a supervisor does about them.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    Signal(Target, Signal),
    Restart,
    Reload,
    Up { for_good: bool },
    Once,
    OnceAtMost { for_good: bool },
    Down { for_good: bool },
    Exit,
}

impl Wish {
    pub(super) fn of(control: Control) -> Wish {
        use Target::{Child, Group};
        match control {
            Control::Alarm => Wish::Signal(Child, Signal::SIGALRM),
            Control::Abort => Wish::Signal(Child, Signal::SIGABRT),
            Control::Quit => Wish::Signal(Child, Signal::SIGQUIT),
            Control::Hangup => Wish::Signal(Child, Signal::SIGHUP),
            Control::Kill => Wish::Signal(Child, Signal::SIGKILL),
            Control::Term => Wish::Signal(Child, Signal::SIGTERM),
            Control::Interrupt => Wish::Signal(Child, Signal::SIGINT),
            Control::User1 => Wish::Signal(Child, Signal::SIGUSR1),
            Control::User2 => Wish::Signal(Child, Signal::SIGUSR2),
            Control::Winch => Wish::Signal(Child, Signal::SIGWINCH),
            Control::Pause => Wish::Signal(Child, Signal::SIGSTOP),
            Control::Continue => Wish::Signal(Child, Signal::SIGCONT),
            Control::PauseGroup => Wish::Signal(Group, Signal::SIGSTOP),
            Control::ContinueGroup => Wish::Signal(Group, Signal::SIGCONT),
            Control::KillGroup => Wish::Signal(Group, Signal::SIGKILL),
            Control::Restart => Wish::Restart,
            Control::Reload => Wish::Reload,
            Control::Once => Wish::Once,
            Control::OnceAtMost => Wish::OnceAtMost { for_good: false },
            Control::OnceAtMostForGood => Wish::OnceAtMost { for_good: true },
            Control::Down => Wish::Down { for_good: false },
            Control::DownForGood => Wish::Down { for_good: true },
            Control::Up => Wish::Up { for_good: false },
            Control::UpForGood => Wish::Up { for_good: true },
            Control::Exit => Wish::Exit,
        }
    }
}
