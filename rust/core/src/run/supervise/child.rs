//! The one process that a supervisor runs: its own child, or one it adopted.

use super::survivor;
use crate::machine::supervise::Target;
use crate::sys::wait::{Pid, PidFd};
use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use std::os::fd::{AsFd, BorrowedFd};

/// `run` or `finish`, while it runs.
#[derive(Debug)]
pub(super) enum Child {
    /// Started by this supervisor, which alone can reap it: the pid stays its own until then.
    Own(Pid),
    /// Started by a supervisor that was killed. The descriptor tells when it ends.
    Adopted(Pid, PidFd),
}

/// What is recorded of a death of which nobody could say how it came: an exit code that says *not well*.
const UNKNOWN_ENDING: u8 = 255;

impl Child {
    pub(super) fn pid(&self) -> Pid {
        match self {
            Child::Own(pid) | Child::Adopted(pid, _) => *pid,
        }
    }

    /// Failure means that it has just ended, which will be noticed.
    pub(super) fn kill(&self, target: Target, signal: Signal) {
        let _ = match (target, self) {
            (Target::Child, Child::Own(pid)) => pid.kill(signal),
            (Target::Child, Child::Adopted(_, held)) => held.kill(signal),
            (Target::Group, Child::Own(pid) | Child::Adopted(pid, _)) => pid.kill_group(signal),
        };
    }

    /// What becomes readable when an adopted one ends; a child of our own is SIGCHLD's business.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Child::Own(_) => None,
            Child::Adopted(_, held) => Some(held.as_fd()),
        }
    }

    /// How an adopted one ended, if it has.
    pub(super) fn ending_if_adopted(&self) -> Option<WaitStatus> {
        match self {
            Child::Adopted(pid, held) if held.has_ended() => {
                let ending = survivor::zombie_ending(*pid).or_else(|| held.ending_of_stranger());
                Some(ending.unwrap_or(WaitStatus::exited(UNKNOWN_ENDING)))
            }
            Child::Own(_) | Child::Adopted(..) => None,
        }
    }
}
