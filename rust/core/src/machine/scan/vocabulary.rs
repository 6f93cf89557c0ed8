//! The words of the scan machine: what was found, what happens, what is done about it.

use crate::wire::control::ScanControl;
use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use std::time::Duration;

/// A service directory that a scan found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its name in the scan directory.
    pub name: Vec<u8>,
    /// Device and inode of the directory.
    pub identity: (u64, u64),
    /// Whether it has a `log` directory.
    pub has_log: bool,
}

/// Which seat; the number is never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SeatId(pub u32);

/// What a seat's supervisor supervises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A service.
    Service,
    /// The logger of the service with this seat.
    LoggerOf(SeatId),
}

/// What the outside world tells a scanner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The deadline has passed.
    Timeout,
    /// The scan directory was read.
    Scanned(Vec<Found>),
    /// It could not be read.
    ScanFailed,
    /// The supervisor runs.
    Started(SeatId),
    /// It could not be started.
    StartFailed(SeatId),
    /// The supervisor has ended.
    Died(SeatId, WaitStatus),
    /// Someone wrote a control byte, or sent the signal of the same meaning.
    Asked(ScanControl),
}

/// What a scanner tells the outside world to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Read the scan directory.
    Scan,
    /// Start a supervisor; `last`: only to bring down what an earlier one left behind.
    Start {
        /// Whose.
        seat: SeatId,
        /// Never start the service.
        last: bool,
    },
    /// Send a signal to a supervisor.
    Signal(SeatId, Signal),
    /// Ask a supervisor that is not our child to bring its service down and go.
    Dismiss(SeatId),
    /// A seat has gone for good: forget its pipe.
    Forget(SeatId),
    /// A service that is not in the scan directory any more has gone: drop the ends of the pipe to its
    /// logger, which ends once it has read everything. Should the service come back, it gets a new one.
    ClosePipe(SeatId),
    /// No more services will be started: drop our ends of the pipes between services and loggers.
    ClosePipes,
    /// There were more services than allowed; so many were left out.
    TooMany(usize),
    /// Everything is done: leave.
    Leave,
}

/// What does not change while a scanner runs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Scan again after that long; `None`: only when asked.
    pub rescan: Option<Duration>,
    /// How many supervisors may run, loggers counted.
    pub supervisors: usize,
}
