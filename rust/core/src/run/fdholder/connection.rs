//! The holder's end of a connection: what has arrived, and what has to be sent.

use crate::error::Errno;
use crate::sys::socket;
use crate::wire::fdholder::LONGEST_REQUEST;
use crate::wire::message::{Message, Nonsense, Unpacker};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// A descriptor that is held, and perhaps being sent, at the same time.
pub(super) type Descriptor = Rc<OwnedFd>;

/// A connection. It does not block.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    arrived: Unpacker<Descriptor>,
    leaving: VecDeque<Leaving>,
    /// A request was handed over, and that its answers have been taken was not told.
    pub(super) owes: bool,
}

/// A message on its way.
#[derive(Debug)]
struct Leaving {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<Descriptor>,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Something, or nothing yet.
    GoOn,
    /// The end.
    End,
}

impl Connection {
    pub(super) fn new(socket: OwnedFd) -> Connection {
        let arrived = Unpacker::new(LONGEST_REQUEST);
        Connection { socket, arrived, leaving: VecDeque::new(), owes: false }
    }

    /// Reads once.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Reading, Errno> {
        match socket::receive(&self.socket, buffer) {
            Ok((0, _)) => Ok(Reading::End),
            Ok((got, descriptors)) => {
                let descriptors = descriptors.into_iter().map(Rc::new).collect();
                self.arrived.feed(buffer.get(..got).unwrap_or(&[]), descriptors);
                Ok(Reading::GoOn)
            }
            Err(Errno::AGAIN) => Ok(Reading::GoOn),
            Err(errno) => Err(errno),
        }
    }

    /// The next message, if all of it has arrived.
    pub(super) fn next_message(&mut self) -> Result<Option<Message<Descriptor>>, Nonsense> {
        self.arrived.next_message()
    }

    /// Whether a message has begun to arrive.
    pub(super) fn is_within_message(&self) -> bool {
        self.arrived.is_within_message()
    }

    /// Adds to what is to be sent.
    pub(super) fn put(&mut self, message: Message<Descriptor>) {
        let bytes = message.bytes();
        self.leaving.push_back(Leaving { bytes, sent: 0, descriptors: message.descriptors });
    }

    /// Whether something is still to be sent.
    pub(super) fn is_sending(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Sends as much as is taken.
    pub(super) fn flush(&mut self) -> Result<(), Errno> {
        while let Some(message) = self.leaving.front_mut() {
            let rest = message.bytes.get(message.sent..).unwrap_or(&[]);
            let descriptors: Vec<BorrowedFd<'_>> =
                message.descriptors.iter().map(|descriptor| descriptor.as_fd()).collect();
            match socket::send(&self.socket, rest, &descriptors) {
                Ok(sent) => {
                    message.sent += sent;
                    message.descriptors.clear(); // they went with the first byte
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno),
            }
            if message.sent >= message.bytes.len() {
                self.leaving.pop_front();
            }
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
