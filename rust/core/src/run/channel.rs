//! The client's end of a connection that carries messages with descriptors ([`crate::wire::message`]).

use crate::error::Errno;
use crate::sys::{clock, fd, local, poll, socket};
use crate::wire::clock::Monotonic;
use crate::wire::message::{Message, Unpacker};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// A server that has too many clients waiting is asked again so often.
const PACE: Duration = Duration::from_millis(10);
/// How much is read at once.
const READ: usize = 1 << 14;

/// A connection.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    unpacker: Unpacker<OwnedFd>,
}

impl Channel {
    /// Connects to the server that listens at a path. `ETIMEDOUT`: not before the deadline. `longest`:
    /// of the bodies of its answers.
    pub fn connect(
        path: &Path,
        longest: usize,
        deadline: Option<Monotonic>,
    ) -> Result<Channel, Errno> {
        let socket = local::socket(local::Kind::Stream)?;
        fd::set_nonblocking(&socket, true)?;
        loop {
            match local::connect(&socket, path) {
                Ok(()) => return Ok(Channel { socket, unpacker: Unpacker::new(longest) }),
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(errno),
            }
            let next = clock::monotonic() + PACE;
            if deadline.is_some_and(|deadline| deadline < next) {
                return Err(Errno::TIMED_OUT);
            }
            poll::readable(&[], Some(next))?; // nothing to read: this only waits
        }
    }

    /// Takes a connection that exists. It will not block any more, for whoever else has it.
    pub fn new(socket: OwnedFd, longest: usize) -> Result<Channel, Errno> {
        fd::set_nonblocking(&socket, true)?;
        Ok(Channel { socket, unpacker: Unpacker::new(longest) })
    }

    /// Sends a message, all of it.
    pub fn send(
        &self,
        message: &Message<BorrowedFd<'_>>,
        deadline: Option<Monotonic>,
    ) -> Result<(), Errno> {
        let bytes = message.bytes();
        let (mut rest, mut descriptors) = (bytes.as_slice(), message.descriptors.as_slice());
        while !rest.is_empty() {
            match socket::send(&self.socket, rest, descriptors) {
                Ok(sent) => {
                    rest = rest.get(sent..).unwrap_or(&[]);
                    descriptors = &[]; // they went with the first byte
                }
                Err(Errno::AGAIN) => {
                    let ready = poll::either(&[], &[self.socket.as_fd()], deadline)?;
                    if ready.1 != [true] {
                        return Err(Errno::TIMED_OUT);
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Waits for the next message. `EPIPE`: the server has closed the connection. `EPROTO`: what it
    /// sends are no messages.
    pub fn receive(&mut self, deadline: Option<Monotonic>) -> Result<Message<OwnedFd>, Errno> {
        let mut buffer = vec![0; READ];
        loop {
            match self.unpacker.next_message() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(_) => return Err(Errno::PROTOCOL),
            }
            if poll::readable(&[self.socket.as_fd()], deadline)? != [true] {
                return Err(Errno::TIMED_OUT);
            }
            match socket::receive(&self.socket, &mut buffer) {
                Ok((0, _)) | Err(Errno(libc::ECONNRESET)) => return Err(Errno::BROKEN_PIPE),
                Ok((got, descriptors)) => {
                    self.unpacker.feed(buffer.get(..got).unwrap_or(&[]), descriptors);
                }
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn pair(longest: usize) -> (Channel, Channel) {
        let (one, two) = UnixStream::pair().expect("sockets");
        let channel = |end: UnixStream| Channel::new(end.into(), longest).expect("an open socket");
        (channel(one), channel(two))
    }

    #[test]
    fn messages_arrive_with_their_descriptors() {
        let (one, mut two) = pair(9);
        let (reader, writer) = fd::pipe().expect("pipes");
        let sent = Message { body: b"x".to_vec(), descriptors: vec![writer.as_fd()] };
        one.send(&sent, None).expect("room");
        one.send(&Message::plain("y"), None).expect("room");
        let first = two.receive(None).expect("sent");
        assert_eq!((first.body.as_slice(), first.descriptors.len()), (&b"x"[..], 1));
        assert_eq!(two.receive(None).expect("sent").body, b"y");
        drop((writer, first));
        assert_eq!(fd::read(&reader, &mut [0]), Ok(0), "nobody else has the descriptor");
        drop(one);
        assert_eq!(two.receive(None).err(), Some(Errno::BROKEN_PIPE));
    }

    #[test]
    fn nobody_is_waited_for_beyond_the_deadline() {
        let (one, mut two) = pair(9);
        let now = Some(clock::monotonic());
        assert_eq!(two.receive(now).err(), Some(Errno::TIMED_OUT));
        let large = Message::plain(vec![0; 1 << 24]);
        assert_eq!(one.send(&large, now), Err(Errno::TIMED_OUT));
        assert_eq!(two.receive(now).err(), Some(Errno::PROTOCOL), "more than 9 bytes");
        let nowhere = Channel::connect(Path::new("/no/such"), 9, now);
        assert_eq!(nowhere.err(), Some(Errno::NOT_FOUND));
    }
}
