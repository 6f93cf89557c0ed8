//! The scan machine: which supervisors run (contract s6 §2).
//!
//! It keeps a list of *seats*, one for each supervisor that should run: a service has one, a service
//! with a logger two. What identifies a service is its directory (device and inode), not its name:
//! a link that goes away and comes back finds the same supervisor.
//!
//! A seat is *active* as long as its directory was there at the last scan. The supervisor of an active
//! seat is started again when it dies, at the earliest one second after it was last started; the
//! supervisor of an inactive one goes on until someone asks for a prune (`n`, `N`, `h`), and is not
//! started again.
//!
//! Stopping waits for every supervisor. One that was *killed* may have left its service running; it is
//! started once more, only to adopt that service and bring it down, so that nothing is left behind.
//! The same goes for what a killed scanner left: a stop that comes before the first scan waits for it,
//! and services whose supervisor was never started are looked after, too.
//!
//! Pids, pipes and files live in the driver. It answers [`Action::Scan`] with [`Event::Scanned`] or
//! [`Event::ScanFailed`], and [`Action::Start`] with [`Event::Started`] or [`Event::StartFailed`], before it
//! feeds anything else.

mod seat;
#[cfg(test)]
mod simulation;
mod vocabulary;

pub use seat::Seat;
pub use vocabulary::{Action, Event, Found, Limits, Role, SeatId};

use crate::wire::clock::Monotonic;
use crate::wire::control::ScanControl;
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use seat::Life;
use std::time::Duration;

/// The least time between two starts of a supervisor.
pub const BETWEEN_STARTS: Duration = Duration::from_secs(1);
/// How long to wait after a supervisor could not be started.
pub const AFTER_FAILED_START: Duration = Duration::from_secs(4);
/// How long to wait after the scan directory could not be read.
pub const AFTER_FAILED_SCAN: Duration = Duration::from_secs(5);
/// How often to look, while stopping, whether another scanner's supervisor has gone.
pub const FOR_FOREIGN_SUPERVISOR: Duration = Duration::from_millis(100);
/// The exit code of a supervisor whose service has one already.
pub const SUPERVISED_ALREADY: u8 = 100;
/// The service that logs what nobody else logs, and must therefore go last.
pub const CATCH_ALL: &[u8] = b"s6-svscan-log";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// Waiting for supervisors to go; `hard`: loggers are not given time to drain.
    Stopping {
        hard: bool,
    },
    Gone,
}

/// A scan directory's scanner.
#[derive(Clone, Debug)]
pub struct Scanner {
    seats: Vec<Seat>,
    next: u32,
    limits: Limits,
    scan_due: Option<Monotonic>,
    prune_after_scan: bool,
    /// Whether the scan directory was read, or tried to be.
    scanned: bool,
    /// A stop that waits for the first scan; the value is [`Phase::Stopping`]'s.
    stop_after_scan: Option<bool>,
    phase: Phase,
}

impl Scanner {
    /// A scanner that scans first of all.
    pub fn new(now: Monotonic, limits: Limits) -> Scanner {
        Scanner {
            seats: Vec::new(),
            next: 0,
            limits,
            scan_due: Some(now),
            prune_after_scan: false,
            scanned: false,
            stop_after_scan: None,
            phase: Phase::Running,
        }
    }

    /// When to feed [`Event::Timeout`].
    pub fn deadline(&self) -> Option<Monotonic> {
        let dues = self.seats.iter().filter_map(|seat| match seat.life {
            Life::Due(at) => Some(at),
            Life::Running | Life::Empty => None,
        });
        dues.chain(self.scan_due).min()
    }

    /// The seat of this number, if it still exists.
    pub fn seat(&self, id: SeatId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.id == id)
    }

    /// Whether this service has a logger.
    pub fn has_logger(&self, service: SeatId) -> bool {
        self.seats.iter().any(|seat| seat.role == Role::LoggerOf(service))
    }

    /// The service of this name as the last scan found it.
    pub fn known(&self, name: &[u8]) -> Option<Found> {
        let seat = self.seats.iter().find(|seat| {
            seat.active && seat.role == Role::Service && seat.name.as_slice() == name
        })?;
        let has_log = self.has_logger(seat.id);
        Some(Found { name: name.to_vec(), identity: seat.identity, has_log })
    }

    /// Whether nothing is left to do.
    pub fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }

    /// How many supervisors run or are about to.
    fn supervisors_left(&self) -> usize {
        self.seats.iter().filter(|seat| seat.life != Life::Empty).count()
    }

    /// The same without the supervisor of the catch-all logger, which ends only when nobody can write to
    /// it any more.
    pub fn supervisors_left_to_log(&self) -> usize {
        let runs = |seat: &&Seat| seat.life != Life::Empty && seat.name != CATCH_ALL;
        self.seats.iter().filter(runs).count()
    }

    /// Takes one event and says what to do, in order.
    pub fn step(&mut self, now: Monotonic, event: Event) -> Vec<Action> {
        let mut todo = Vec::new();
        match (self.phase, event) {
            (Phase::Running | Phase::Stopping { .. }, Event::Timeout) => {
                self.do_what_is_due(now, &mut todo);
            }
            (Phase::Running, Event::Scanned(found)) => self.scanned(now, &found, &mut todo),
            (Phase::Running, Event::ScanFailed) => {
                self.scanned = true;
                self.scan_due = Some(now + AFTER_FAILED_SCAN);
                if let Some(hard) = self.stop_after_scan.take() {
                    self.stop(now, hard, &mut todo);
                }
            }
            (Phase::Running, Event::Started(id)) => {
                if let Some(signal) = self.started(now, id) {
                    todo.push(Action::Signal(id, signal));
                }
            }
            (Phase::Stopping { hard }, Event::Started(id)) => {
                self.started(now, id);
                self.dismiss_one(id, hard, &mut todo);
            }
            (Phase::Running | Phase::Stopping { .. }, Event::StartFailed(id)) => {
                if let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) {
                    seat.life = Life::Due(now + AFTER_FAILED_START);
                }
            }
            (Phase::Running, Event::Died(id, how)) => self.died(now, id, how, &mut todo),
            (Phase::Stopping { .. }, Event::Died(id, how)) => {
                self.died_while_stopping(now, id, how, &mut todo);
            }
            (Phase::Running, Event::Asked(control)) => self.asked(now, control, &mut todo),
            (Phase::Stopping { .. }, Event::Asked(control)) => {
                self.asked_while_stopping(now, control, &mut todo);
            }
            // A scan that was under way when the stop came.
            (Phase::Stopping { .. }, Event::Scanned(_) | Event::ScanFailed) => {}
            (Phase::Gone, _) => {}
        }
        self.leave_if_done(&mut todo);
        todo
    }

    fn do_what_is_due(&mut self, now: Monotonic, todo: &mut Vec<Action>) {
        if self.scan_due.is_some_and(|due| due <= now) {
            self.scan_due = None;
            todo.push(Action::Scan);
        }
        let stopping = self.phase != Phase::Running;
        for seat in &mut self.seats {
            match seat.life {
                Life::Due(at) if at <= now => {
                    seat.life = Life::Empty; // until the driver says how it went
                    // Nobody wants an inactive service: its new supervisor only takes over.
                    todo.push(Action::Start { seat: seat.id, last: stopping || !seat.active });
                }
                Life::Due(_) | Life::Running | Life::Empty => {}
            }
        }
    }

    fn scanned(&mut self, now: Monotonic, found: &[Found], todo: &mut Vec<Action>) {
        self.scan_due = self.limits.rescan.map(|after| now + after);
        for seat in &mut self.seats {
            seat.active = false;
        }
        let mut left_out = 0;
        for service in found {
            if !self.seat_service(now, service) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            todo.push(Action::TooMany(left_out));
        }
        self.forget_empty(todo);
        if std::mem::take(&mut self.prune_after_scan) {
            self.prune(false, todo);
        }
        self.scanned = true;
        if let Some(hard) = self.stop_after_scan.take() {
            self.stop(now, hard, todo);
        }
        self.do_what_is_due(now, todo);
    }

    /// Finds or makes the seats of a service; `false` if there is no room for them.
    fn seat_service(&mut self, now: Monotonic, service: &Found) -> bool {
        let of_service =
            |seat: &&mut Seat| seat.identity == service.identity && seat.role == Role::Service;
        let known = self.seats.iter_mut().find(of_service).map(|seat| {
            seat.name.clone_from(&service.name);
            seat.id
        });
        let logger =
            known.is_some_and(|id| self.seats.iter().any(|seat| seat.role == Role::LoggerOf(id)));
        let wanted = usize::from(known.is_none()) + usize::from(service.has_log && !logger);
        if self.seats.len() + wanted > self.limits.supervisors {
            return false;
        }
        let id = known.unwrap_or_else(|| self.add(now, service, Role::Service));
        if service.has_log && !logger {
            self.add(now, service, Role::LoggerOf(id));
        }
        for seat in &mut self.seats {
            if seat.id == id || seat.role == Role::LoggerOf(id) {
                seat.active = true;
                seat.pruned = None;
                if seat.life == Life::Empty {
                    seat.life = Life::Due(now); // it had gone, and is back
                }
            }
        }
        true
    }

    fn add(&mut self, now: Monotonic, service: &Found, role: Role) -> SeatId {
        let id = SeatId(self.next);
        self.next += 1;
        self.seats.push(Seat {
            id,
            role,
            name: service.name.clone(),
            identity: service.identity,
            active: true,
            life: Life::Due(now),
            last_start: None,
            dismissed: false,
            pruned: None,
        });
        id
    }

    /// Notes a start; returns the signal of a prune that came while there was no supervisor.
    fn started(&mut self, now: Monotonic, id: SeatId) -> Option<Signal> {
        let seat = self.seats.iter_mut().find(|seat| seat.id == id)?;
        seat.life = Life::Running;
        seat.last_start = Some(now);
        seat.pruned.take()
    }

    fn died(&mut self, now: Monotonic, id: SeatId, how: WaitStatus, todo: &mut Vec<Action>) {
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) else { return };
        // A supervisor that was killed left its service alone: another must take it over even if
        // nobody wants the service any more.
        let killed = matches!(how.ending(), Ending::Killed(_));
        if seat.active || killed {
            seat.life = Life::Due(seat.next_start(now));
        } else {
            seat.life = Life::Empty;
            if seat.role == Role::Service {
                self.drain_logger_of(id, todo);
            }
        }
        self.forget_empty(todo);
    }

    /// The end of its input alone would only have the logger started again, on a pipe that gives
    /// nothing any more.
    fn drain_logger_of(&self, service: SeatId, todo: &mut Vec<Action>) {
        let runs = |seat: &&Seat| {
            seat.role == Role::LoggerOf(service) && seat.life == Life::Running && !seat.active
        };
        if let Some(logger) = self.seats.iter().find(runs) {
            todo.extend([Action::Signal(logger.id, Signal::SIGHUP), Action::ClosePipe(service)]);
        }
    }

    fn died_while_stopping(
        &mut self,
        now: Monotonic,
        id: SeatId,
        how: WaitStatus,
        todo: &mut Vec<Action>,
    ) {
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.id == id) else { return };
        seat.life = match how.ending() {
            Ending::Killed(_) => Life::Due(seat.next_start(now)),
            Ending::Exited(SUPERVISED_ALREADY) => {
                if !std::mem::replace(&mut seat.dismissed, true) {
                    todo.push(Action::Dismiss(id));
                }
                Life::Due(now + FOR_FOREIGN_SUPERVISOR)
            }
            Ending::Exited(_) => Life::Empty,
        };
    }

    fn asked(&mut self, now: Monotonic, control: ScanControl, todo: &mut Vec<Action>) {
        match control {
            ScanControl::Zap => {} // every dead child is reaped anyway, known or not
            ScanControl::Rescan => {
                self.scan_due = None;
                todo.push(Action::Scan);
            }
            ScanControl::RescanAndPrune => {
                self.scan_due = None;
                self.prune_after_scan = true;
                todo.push(Action::Scan);
            }
            ScanControl::Nuke => self.prune(false, todo),
            ScanControl::ReallyNuke => self.prune(true, todo),
            ScanControl::Terminate | ScanControl::Interrupt => self.stop(now, false, todo),
            ScanControl::Quit => self.stop(now, true, todo),
            ScanControl::Abort => self.abort(todo),
        }
    }

    fn asked_while_stopping(
        &mut self,
        now: Monotonic,
        control: ScanControl,
        todo: &mut Vec<Action>,
    ) {
        match control {
            ScanControl::Quit => self.stop(now, true, todo),
            ScanControl::Abort => self.abort(todo),
            ScanControl::Zap
            | ScanControl::Rescan
            | ScanControl::RescanAndPrune
            | ScanControl::Nuke
            | ScanControl::ReallyNuke
            | ScanControl::Terminate
            | ScanControl::Interrupt => {}
        }
    }

    fn prune(&mut self, hard: bool, todo: &mut Vec<Action>) {
        for seat in self.seats.iter_mut().filter(|seat| !seat.active) {
            let drains = seat.role != Role::Service && !hard;
            let signal = if drains { Signal::SIGHUP } else { Signal::SIGTERM };
            match seat.life {
                Life::Running => todo.push(Action::Signal(seat.id, signal)),
                Life::Due(_) => seat.pruned = Some(signal),
                Life::Empty => {}
            }
        }
    }

    fn stop(&mut self, now: Monotonic, hard: bool, todo: &mut Vec<Action>) {
        self.scan_due = None;
        if !self.scanned {
            self.stop_after_scan = Some(hard);
            todo.push(Action::Scan);
            return;
        }
        self.phase = Phase::Stopping { hard };
        for index in 0..self.seats.len() {
            let Some(seat) = self.seats.get_mut(index) else { continue };
            match seat.life {
                Life::Running => {
                    let id = seat.id;
                    self.dismiss_one(id, hard, todo);
                }
                // An earlier scanner, or a supervisor that died, may have left something behind: see
                // the module.
                Life::Due(_) if seat.last_start.is_none() => seat.life = Life::Due(now),
                Life::Due(_) | Life::Empty => {}
            }
        }
        todo.push(Action::ClosePipes);
    }

    fn dismiss_one(&self, id: SeatId, hard: bool, todo: &mut Vec<Action>) {
        let drains = !hard && self.seat(id).is_some_and(Seat::drains);
        let signal = if drains { Signal::SIGHUP } else { Signal::SIGTERM };
        todo.push(Action::Signal(id, signal));
    }

    fn abort(&mut self, todo: &mut Vec<Action>) {
        self.phase = Phase::Gone;
        self.scan_due = None;
        self.seats.clear();
        todo.extend([Action::ClosePipes, Action::Leave]);
    }

    fn leave_if_done(&mut self, todo: &mut Vec<Action>) {
        let stopping = matches!(self.phase, Phase::Stopping { .. });
        let starting = todo.iter().any(|action| matches!(action, Action::Start { .. }));
        if stopping && !starting && self.supervisors_left() == 0 {
            self.phase = Phase::Gone;
            todo.push(Action::Leave);
        }
    }

    /// Drops services that are neither there nor running, loggers with them.
    fn forget_empty(&mut self, todo: &mut Vec<Action>) {
        let idle = |seat: &Seat| !seat.active && seat.life == Life::Empty;
        let gone: Vec<SeatId> = self
            .seats
            .iter()
            .filter(|seat| seat.role == Role::Service && idle(seat))
            .map(|seat| seat.id)
            .filter(|&id| {
                self.seats.iter().all(|seat| seat.role != Role::LoggerOf(id) || idle(seat))
            })
            .collect();
        self.seats.retain(|seat| match seat.role {
            Role::Service => !gone.contains(&seat.id),
            Role::LoggerOf(service) => !gone.contains(&service),
        });
        todo.extend(gone.into_iter().map(Action::Forget));
    }
}
