//! s6-ioconnect: copies between two pairs of descriptors, one direction each (contract s6 §1.8).
//!
//! Each direction has a buffer of fixed size, and reads only when that is empty: who writes too fast
//! waits. The ends may be shared with others, so nothing about them is changed: sockets are asked not
//! to wait with each call, and to anything else no more is written than surely fits.

use crate::error::{Errno, Error, Result};
use crate::sys::poll::{self, Wish};
use crate::sys::signals::{self, SignalFd};
use crate::sys::{clock, dir, fd, local};
use crate::wire::signal::Signal;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// How much a direction holds.
const ROOM: usize = 64 * 1024;
/// A pipe that can be written to at all takes so much without waiting.
const SURELY: usize = 4096;

/// Why a relay has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both directions have ended, or we were told to end.
    Done,
    /// Nothing has happened for too long.
    Idle,
}

/// From where to where, and what messages call the two.
#[derive(Debug)]
pub struct Route {
    /// Where to read, and its number for messages.
    pub from: (OwnedFd, i32),
    /// Where to write, and its number for messages.
    pub to: (OwnedFd, i32),
}

/// Copies until both directions have ended. SIGTERM ends them both: what was read is still written.
/// After `idle` without anything to read or to write it gives up.
pub fn relay(routes: [Route; 2], idle: Option<Duration>, warn: &dyn Fn(String)) -> Result<Outcome> {
    signals::survive_broken_pipes();
    let signals =
        SignalFd::new(&[Signal::SIGTERM]).map_err(|e| Error::system("watch signals", e))?;
    let [there, back] = routes.map(Direction::new);
    let mut directions = [there?, back?];
    while directions.iter().any(Direction::is_open) {
        let empty = directions.iter().all(|direction| direction.waiting().is_empty());
        let deadline = idle.filter(|_| empty).map(|idle| clock::monotonic() + idle);
        let mut wishes = vec![(signals.as_fd(), Wish::Read)];
        let counts = directions.each_ref().map(|direction| {
            let before = wishes.len();
            wishes.extend(direction.wishes());
            wishes.len() - before
        });
        let ready = poll::any(&wishes, deadline)
            .map_err(|errno| Error::system("wait for something to copy", errno))?;
        if !ready.contains(&true) {
            return Ok(Outcome::Idle);
        }
        let mut ready = ready.into_iter();
        let told_to_end = ready.next() == Some(true) && signals.take().is_some();
        for (direction, count) in directions.iter_mut().zip(counts) {
            let fulfilled: Vec<bool> = ready.by_ref().take(count).collect();
            direction.go_on(&fulfilled, warn);
            if told_to_end {
                direction.end_reading();
            }
        }
    }
    Ok(Outcome::Done)
}

/// One end, of whatever kind.
#[derive(Debug)]
struct End {
    fd: OwnedFd,
    number: i32,
    is_socket: bool,
}

impl End {
    fn new((fd, number): (OwnedFd, i32)) -> Result<End> {
        let stat = dir::stat(&fd)
            .map_err(|errno| Error::system(format!("use descriptor {number}"), errno))?;
        Ok(End { fd, number, is_socket: stat.is_socket() })
    }

    fn read(&self, buffer: &mut [u8]) -> std::result::Result<usize, Errno> {
        if self.is_socket { local::receive_now(self, buffer) } else { fd::read(self, buffer) }
    }

    fn write(&self, bytes: &[u8]) -> std::result::Result<usize, Errno> {
        if self.is_socket {
            local::send_now(self, bytes)
        } else {
            fd::write(self, bytes.get(..SURELY).unwrap_or(bytes))
        }
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// One direction: what is read is held until it is written.
#[derive(Debug)]
struct Direction {
    from: Option<End>,
    to: Option<End>,
    buffer: Vec<u8>,
    /// The part of the buffer that is still to be written.
    start: usize,
    end: usize,
}

impl Direction {
    fn new(route: Route) -> Result<Direction> {
        let (from, to) = (Some(End::new(route.from)?), Some(End::new(route.to)?));
        Ok(Direction { from, to, buffer: vec![0; ROOM], start: 0, end: 0 })
    }

    fn is_open(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// What to wait for: first about the end to write to, then about the end to read from.
    fn wishes(&self) -> Vec<(BorrowedFd<'_>, Wish)> {
        let empty = self.waiting().is_empty();
        let to =
            self.to.as_ref().map(|to| (to.as_fd(), if empty { Wish::Break } else { Wish::Write }));
        let from = self.from.as_ref().filter(|_| empty).map(|from| (from.as_fd(), Wish::Read));
        to.into_iter().chain(from).collect()
    }

    /// Does what can be done, as these wishes are fulfilled or not.
    fn go_on(&mut self, fulfilled: &[bool], warn: &dyn Fn(String)) {
        let empty = self.waiting().is_empty();
        let mut fulfilled = fulfilled.iter().copied();
        let to = self.to.is_some() && fulfilled.next() == Some(true);
        let from = self.from.is_some() && empty && fulfilled.next() == Some(true);
        match (to, empty) {
            (true, true) => return self.give_up(),
            (true, false) => self.write(warn),
            (false, _) => {}
        }
        if from {
            self.read(warn);
        }
    }

    fn read(&mut self, warn: &dyn Fn(String)) {
        let Some(from) = &self.from else { return };
        match from.read(&mut self.buffer) {
            Ok(0) => self.end_reading(),
            Ok(got) => (self.start, self.end) = (0, got),
            Err(Errno::AGAIN) => {}
            Err(errno) => {
                warn(format!("unable to read from descriptor {}: {errno}", from.number));
                self.end_reading();
            }
        }
    }

    fn write(&mut self, warn: &dyn Fn(String)) {
        let Some(to) = &self.to else { return };
        match to.write(self.waiting()) {
            Ok(put) => {
                self.start += put;
                if self.waiting().is_empty() && self.from.is_none() {
                    self.end_writing();
                }
            }
            Err(Errno::AGAIN) => {}
            Err(errno) => {
                warn(format!("unable to write to descriptor {}: {errno}", to.number));
                self.give_up();
            }
        }
    }

    /// Nothing more comes from there; the other end learns so when it has got everything.
    fn end_reading(&mut self) {
        if let Some(from) = self.from.take().filter(|from| from.is_socket) {
            let _ = local::end_reading(&from); // not connected any more: nobody to tell
        }
        if self.waiting().is_empty() {
            self.end_writing();
        }
    }

    fn end_writing(&mut self) {
        if let Some(to) = self.to.take().filter(|to| to.is_socket) {
            let _ = local::end_writing(&to); // as above
        }
    }

    /// Nobody takes any more what comes.
    fn give_up(&mut self) {
        (self.start, self.end) = (0, 0);
        self.end_reading();
        self.end_writing();
    }
}
