//! Clients of a holder: one request, its answers, and a deadline for both.

use crate::error::Errno;
use crate::run::channel::Channel;
use crate::wire::clock::Monotonic;
use crate::wire::fdholder::{self, Entry, Id, LONGEST_ANSWER, Request};
use crate::wire::message::{MOST_DESCRIPTORS, Message};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// A connection to a holder. Every error is the holder's or the system's; `EPIPE` means that it
/// closed the connection: we may not connect, or do not speak as we should.
#[derive(Debug)]
pub struct Holder {
    channel: Channel,
    deadline: Option<Monotonic>,
}

impl Holder {
    /// Connects to the holder at a path; whatever is asked has to be done before the deadline.
    pub fn connect(path: &Path, deadline: Option<Monotonic>) -> Result<Holder, Errno> {
        let channel = Channel::connect(path, LONGEST_ANSWER, deadline)?;
        Ok(Holder { channel, deadline })
    }

    /// Has it hold a descriptor.
    pub fn store(&mut self, entry: Entry, descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        let answer = self.ask(&Request::Store(entry), vec![descriptor])?;
        fdholder::unpack_result(&alone(answer)?)
    }

    /// Has it close one.
    pub fn delete(&mut self, id: Id) -> Result<(), Errno> {
        let answer = self.ask(&Request::Delete(id), Vec::new())?;
        fdholder::unpack_result(&alone(answer)?)
    }

    /// Gets one, which it keeps, or not.
    pub fn retrieve(&mut self, id: Id, delete: bool) -> Result<OwnedFd, Errno> {
        let answer = self.ask(&Request::Retrieve { id, delete }, Vec::new())?;
        fdholder::unpack_result(&answer.body)?;
        let mut descriptors = answer.descriptors.into_iter();
        match (descriptors.next(), descriptors.next()) {
            (Some(descriptor), None) => Ok(descriptor),
            (_, _) => Err(Errno::PROTOCOL),
        }
    }

    /// The names of what it holds.
    pub fn list(&mut self) -> Result<Vec<Id>, Errno> {
        let answer = self.ask(&Request::List, Vec::new())?;
        fdholder::unpack_list(&alone(answer)?)
    }

    /// Gets everything that it holds, and keeps.
    pub fn dump(&mut self) -> Result<Vec<(Entry, OwnedFd)>, Errno> {
        let answer = self.ask(&Request::GetDump, Vec::new())?;
        let (messages, count) = fdholder::unpack_announcement(&alone(answer)?)?;
        let mut dump = Vec::new();
        for _ in 0..messages {
            let part = self.channel.receive(self.deadline)?;
            let entries = fdholder::unpack_entries(&part.body, part.descriptors.len())?;
            dump.extend(entries.into_iter().zip(part.descriptors));
        }
        if dump.len() == count as usize { Ok(dump) } else { Err(Errno::PROTOCOL) }
    }

    /// Has it hold all of these. Those that it holds under the same names are closed.
    pub fn set_dump(&mut self, dump: &[(Entry, impl AsFd)]) -> Result<(), Errno> {
        if dump.is_empty() {
            return Ok(()); // which needs no permission
        }
        let count = u32::try_from(dump.len()).map_err(|_| Errno::TOO_MANY_FILES)?;
        let answer = self.ask(&Request::SetDump(count), Vec::new())?;
        // How many messages it expects is its guess: it counts descriptors.
        fdholder::unpack_trips(&alone(answer)?)?;
        let mut left = fdholder::trips(dump.len());
        for part in dump.chunks(MOST_DESCRIPTORS) {
            let entries = part.iter().map(|(entry, _)| entry.clone()).collect();
            let descriptors = part.iter().map(|(_, descriptor)| descriptor.as_fd()).collect();
            let answer = self.ask(&Request::Dump(entries), descriptors)?;
            left -= 1;
            match fdholder::unpack_result(&alone(answer)?) {
                Ok(()) if left == 0 => {}
                Err(Errno::AGAIN) if left != 0 => {}
                Ok(()) | Err(Errno::AGAIN) => return Err(Errno::PROTOCOL),
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        request: &Request,
        descriptors: Vec<BorrowedFd<'_>>,
    ) -> Result<Message<OwnedFd>, Errno> {
        let message = Message { body: request.pack(), descriptors };
        self.channel.send(&message, self.deadline)?;
        self.channel.receive(self.deadline)
    }
}

/// The body of an answer that comes without descriptors.
fn alone(answer: Message<OwnedFd>) -> Result<Vec<u8>, Errno> {
    if answer.descriptors.is_empty() { Ok(answer.body) } else { Err(Errno::PROTOCOL) }
}
