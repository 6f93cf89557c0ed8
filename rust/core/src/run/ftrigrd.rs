//! s6-ftrigrd: listens to event directories for clients that use the originals' library.
//!
//! Nobody else needs it: whoever wants events subscribes ([`super::fifodir`]).

use super::fifodir::Subscription;
use crate::error::{Errno, Error, Result};
use crate::regex::Regex;
use crate::sys::{clock, fd, poll, signals};
use crate::wire::clock::Monotonic;
use crate::wire::ftrigr::{GRANTED, GREETING, News, Nonsense, REPLY, Request, Unpacker, pack};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a client may take to greet.
const GREETING_TIME: Duration = Duration::from_secs(2);
/// How many subscriptions a client may have.
const MOST: usize = 1000;

/// Serves one client until it closes its end. `Malformed` when what it says is no request.
pub fn serve(
    requests: BorrowedFd<'_>,
    answers: BorrowedFd<'_>,
    news: BorrowedFd<'_>,
) -> Result<()> {
    signals::survive_broken_pipes();
    for pipe in [requests, answers, news] {
        fd::set_nonblocking(pipe, true).map_err(|errno| Error::system("use pipes", errno))?;
    }
    let mut helper = Helper {
        requests,
        unpacker: Unpacker::default(),
        answers: Outbox::to(answers),
        news: Outbox::to(news),
        listening: Vec::new(),
    };
    if helper.greet(clock::monotonic() + GREETING_TIME)? {
        while helper.step()? {}
    }
    Ok(())
}

struct Helper<'a> {
    requests: BorrowedFd<'a>,
    unpacker: Unpacker,
    answers: Outbox<'a>,
    news: Outbox<'a>,
    listening: Vec<Listening>,
}

/// One subscription.
struct Listening {
    id: u16,
    repeat: bool,
    expression: Regex,
    subscription: Subscription,
    /// What has arrived since the last match.
    received: Vec<u8>,
}

impl Helper<'_> {
    /// `false`: the client has gone.
    fn greet(&mut self, deadline: Monotonic) -> Result<bool> {
        let wrong = |how: String| Error::malformed("understand the client", how);
        loop {
            let ready = poll::readable(&[self.requests], Some(deadline)).map_err(waiting_failed)?;
            if ready != [true] {
                return Err(wrong("it does not greet".into()));
            }
            if !self.receive()? {
                return Ok(false);
            }
            match self.unpacker.next_message().map_err(nonsense)? {
                None => {}
                Some(message) if message == GREETING => break,
                Some(message) => {
                    let said = String::from_utf8_lossy(&message);
                    let wanted = String::from_utf8_lossy(GREETING);
                    return Err(wrong(format!("it greets with {said:?}, not with {wanted:?}")));
                }
            }
        }
        self.news.put(REPLY);
        self.answers.put(REPLY);
        self.grant_requests()?; // it may have been in a hurry
        Ok(true)
    }

    /// Waits for something and does it; `false`: the client has gone.
    fn step(&mut self) -> Result<bool> {
        let mut readers = vec![self.requests];
        readers.extend(self.listening.iter().map(|one| one.subscription.as_fd()));
        let boxes = [&self.answers, &self.news];
        let writers: Vec<_> =
            boxes.iter().filter(|out| out.is_waiting()).map(|out| out.fd).collect();
        let (readable, _) = poll::either(&readers, &writers, None).map_err(waiting_failed)?;
        let (answered, told) = (self.answers.flush()?, self.news.flush()?);
        if !answered || !told {
            return Ok(false);
        }
        self.listen();
        if readable.first() == Some(&true) {
            if !self.receive()? {
                return Ok(false);
            }
            self.grant_requests()?;
        }
        Ok(true)
    }

    /// `false`: the client has closed its end.
    fn receive(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        match fd::read(self.requests, &mut buffer) {
            Ok(0) => Ok(false),
            Ok(got) => {
                self.unpacker.feed(buffer.get(..got).unwrap_or(&[]));
                Ok(true)
            }
            Err(Errno::AGAIN) => Ok(true),
            Err(errno) => Err(Error::system("read from the client", errno)),
        }
    }

    fn grant_requests(&mut self) -> Result<()> {
        while let Some(message) = self.unpacker.next_message().map_err(nonsense)? {
            let granted = match Request::unpack(&message).map_err(nonsense)? {
                Request::Malformed => Err(Errno(libc::EPROTO)),
                Request::Unsubscribe { id } => self.unsubscribe(id),
                Request::Subscribe { id, repeat, path, expression } => {
                    self.subscribe(id, repeat, &path, &expression)
                }
            };
            // Error numbers are below 256: they travel in a byte.
            let answer = granted.map_or_else(|errno| errno.0 as u8, |()| GRANTED);
            self.answers.put(&[answer]);
        }
        Ok(())
    }

    fn unsubscribe(&mut self, id: u16) -> std::result::Result<(), Errno> {
        let place = self.listening.iter().position(|one| one.id == id).ok_or(Errno::INVALID)?;
        self.listening.swap_remove(place);
        Ok(())
    }

    fn subscribe(
        &mut self,
        id: u16,
        repeat: bool,
        path: &[u8],
        expression: &[u8],
    ) -> std::result::Result<(), Errno> {
        if self.listening.len() >= MOST {
            return Err(Errno(libc::ENFILE));
        }
        let expression = Regex::new(expression).map_err(|_| Errno::INVALID)?;
        let subscription = Subscription::to(PathBuf::from(OsStr::from_bytes(path)))
            .map_err(|error| error.errno().unwrap_or(Errno::INVALID))?;
        let received = Vec::new();
        self.listening.push(Listening { id, repeat, expression, subscription, received });
        Ok(())
    }

    /// Takes what has arrived and tells what matches.
    fn listen(&mut self) {
        let news = &mut self.news;
        self.listening.retain_mut(|one| {
            one.received.extend(one.subscription.take());
            while let Some(matched) = one.next_match() {
                news.put(&News::Matched { id: one.id, byte: matched }.message());
                if !one.repeat {
                    return false;
                }
            }
            true
        });
    }
}

impl Listening {
    /// The last byte of the next match, which is forgotten with all before it. A match of nothing is
    /// none: it would go on for ever.
    fn next_match(&mut self) -> Option<u8> {
        let end = self.expression.find(&self.received)?.end;
        let byte = self.received.get(end.checked_sub(1)?).copied()?;
        self.received.drain(..end);
        Some(byte)
    }
}

/// Messages for a client that reads when it likes.
struct Outbox<'a> {
    fd: BorrowedFd<'a>,
    waiting: Vec<u8>,
}

impl<'a> Outbox<'a> {
    fn to(fd: BorrowedFd<'a>) -> Outbox<'a> {
        Outbox { fd, waiting: Vec::new() }
    }

    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn put(&mut self, message: &[u8]) {
        self.waiting.extend(pack(message));
    }

    /// Writes what the client takes; `false`: it has gone.
    fn flush(&mut self) -> Result<bool> {
        while self.is_waiting() {
            match fd::write(self.fd, &self.waiting) {
                Ok(put) => drop(self.waiting.drain(..put)),
                Err(Errno::AGAIN) => break,
                Err(Errno(libc::EPIPE)) => return Ok(false),
                Err(errno) => return Err(Error::system("write to the client", errno)),
            }
        }
        Ok(true)
    }
}

fn nonsense(_: Nonsense) -> Error {
    Error::malformed("understand the client", "what it says is no request")
}

fn waiting_failed(errno: Errno) -> Error {
    Error::system("wait for the client", errno)
}
