//! A seat: the place of one supervisor, whether it has one or not.

use super::vocabulary::{Role, SeatId};
use super::{BETWEEN_STARTS, CATCH_ALL};
use crate::wire::clock::Monotonic;
use crate::wire::signal::Signal;

/// What has become of its supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    /// Its supervisor runs.
    Running,
    /// Its supervisor is to be started then.
    Due(Monotonic),
    /// It has none and gets none.
    Empty,
}

/// A place for one supervisor.
#[derive(Clone, Debug)]
pub struct Seat {
    pub(super) id: SeatId,
    pub(super) role: Role,
    /// Name in the scan directory, without `/log`.
    pub(super) name: Vec<u8>,
    pub(super) identity: (u64, u64),
    pub(super) active: bool,
    pub(super) life: Life,
    pub(super) last_start: Option<Monotonic>,
    pub(super) dismissed: bool,
    /// Pruned while it had no supervisor: the signal that its next one gets at once.
    pub(super) pruned: Option<Signal>,
}

impl Seat {
    /// What it is supervising.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The argument that its supervisor is given: `foo` or `foo/log`.
    pub fn argument(&self) -> Vec<u8> {
        let mut argument = self.name.clone();
        if self.role != Role::Service {
            argument.extend_from_slice(b"/log");
        }
        argument
    }

    /// When a new supervisor may be started: not earlier than a while after the last one was.
    pub(super) fn next_start(&self, now: Monotonic) -> Monotonic {
        self.last_start.map_or(now, |start| start + BETWEEN_STARTS).max(now)
    }

    /// Whether the supervisor ends by the end of its input rather than by SIGTERM.
    pub(super) fn drains(&self) -> bool {
        self.role != Role::Service || self.name == CATCH_ALL
    }
}
