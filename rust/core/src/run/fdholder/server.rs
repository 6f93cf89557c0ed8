//! The holder: waits, feeds [`crate::machine::fdholder`], does what it says.
//!
//! It ends when it is told to, and for no other reason: what it holds would be lost. When it cannot
//! take a client for want of descriptors, it tries again a second later.

use super::connection::{Connection, Descriptor, Reading};
use super::rights::Granted;
use crate::error::{Errno, Error, Result};
use crate::machine::fdholder::{Action, Client, Event, Holder, Now, Settings};
use crate::model::access_rules::{Database, Rules};
use crate::sys::signals::SignalFd;
use crate::sys::{clock, fd, local, poll, process};
use crate::wire::access_rules::Rule;
use crate::wire::clock::Monotonic;
use crate::wire::signal::Signal;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

/// Where the rules are that say who may do what.
#[derive(Clone, Debug)]
pub enum RulesAt {
    /// A directory.
    Directory(PathBuf),
    /// A cdb, opened at the beginning and again at SIGHUP.
    Database(PathBuf),
}

/// How long to take no clients after that has failed.
const REST: Duration = Duration::from_secs(1);
/// How much is read at once.
const READ: usize = 1 << 12;

/// Holds descriptors for the clients that connect to `listener`, until SIGTERM, and returns the exit
/// code: 1 for what was held at the end, and 2 for clients that were there. `warn` is told what goes
/// wrong with clients; `ready` is called when everything is prepared.
pub fn serve(
    listener: BorrowedFd<'_>,
    rules: &RulesAt,
    settings: Settings,
    warn: &dyn Fn(&str),
    ready: impl FnOnce() -> Result<()>,
) -> Result<u8> {
    let signals = SignalFd::new(&[Signal::SIGTERM, Signal::SIGHUP])
        .map_err(|errno| Error::system("watch signals", errno))?;
    fd::set_nonblocking(listener, true)
        .map_err(|errno| Error::system("make stdin non-blocking", errno))?;
    let mut server = Server {
        listener,
        signals,
        rules: open(rules)?,
        holder: Holder::new(settings),
        connections: BTreeMap::new(),
        rest: None,
        warn,
        exit: None,
    };
    ready()?;
    loop {
        server.wait_and_serve();
        while let Some(signal) = server.signals.take() {
            match signal {
                Signal::SIGTERM => server.step(Event::Terminate),
                _ => server.reopen(rules), // SIGHUP: no other is watched
            }
        }
        if let Some(code) = server.exit {
            return Ok(code);
        }
    }
}

struct Server<'a> {
    listener: BorrowedFd<'a>,
    signals: SignalFd,
    rules: Rules,
    holder: Holder<Descriptor, Granted>,
    connections: BTreeMap<Client, Connection>,
    /// Until when no clients are taken.
    rest: Option<Monotonic>,
    warn: &'a dyn Fn(&str),
    exit: Option<u8>,
}

impl Server<'_> {
    /// Waits for anything, and does what there is to do.
    fn wait_and_serve(&mut self) {
        let now = now();
        if self.rest.is_some_and(|end| end <= now.monotonic) {
            self.rest = None;
        }
        let accepting = self.holder.accepts() && self.rest.is_none();
        let mut readers = vec![self.signals.as_fd()];
        readers.extend(accepting.then_some(self.listener));
        let first = readers.len();
        let (mut reading, mut sending, mut writers) = (Vec::new(), Vec::new(), Vec::new());
        for (&client, connection) in &self.connections {
            if connection.is_sending() {
                sending.push(client);
                writers.push(connection.as_fd());
            } else if self.holder.listens_to(client) {
                reading.push(client);
                readers.push(connection.as_fd());
            }
        }
        let deadline = [self.holder.deadline(now), self.rest].into_iter().flatten().min();
        let Ok((readable, writable)) = poll::either(&readers, &writers, deadline) else {
            poll::anything(&[], Some(now.monotonic + REST)); // better late than never
            return;
        };
        for (client, _) in sending.into_iter().zip(writable).filter(|(_, ready)| *ready) {
            self.send(client);
        }
        let of_clients = readable.iter().skip(first);
        for (client, _) in reading.into_iter().zip(of_clients).filter(|(_, ready)| **ready) {
            self.read(client);
        }
        if accepting && readable.get(1) == Some(&true) {
            self.accept();
        }
        self.step(Event::Timeout);
    }

    fn step(&mut self, event: Event<Descriptor, Granted>) {
        for action in self.holder.step(now(), event) {
            match action {
                Action::Send(client, message) => {
                    if let Some(connection) = self.connections.get_mut(&client) {
                        connection.put(message);
                    }
                }
                Action::Close(client) => drop(self.connections.remove(&client)),
                Action::Exit(code) => self.exit = Some(code),
            }
        }
    }

    fn read(&mut self, client: Client) {
        let Some(connection) = self.connections.get_mut(&client) else { return };
        match connection.read(&mut [0; READ]) {
            Ok(Reading::GoOn) => self.serve(client),
            Ok(Reading::End) | Err(Errno(libc::ECONNRESET)) => self.step(Event::Gone(client)),
            Err(errno) => {
                (self.warn)(&format!("unable to receive from a client: {errno}"));
                self.step(Event::Gone(client));
            }
        }
    }

    /// Sends what was left, and goes on with the requests that have arrived meanwhile.
    fn send(&mut self, client: Client) {
        if self.flush(client) {
            self.serve(client);
        }
    }

    /// Answers the requests that have arrived, one after the other, as long as the answers are taken.
    fn serve(&mut self, client: Client) {
        while let Some(connection) = self.connections.get_mut(&client) {
            match connection.next_message() {
                Ok(Some(message)) => {
                    connection.owes = true;
                    self.step(Event::Received(client, message));
                    if !self.flush(client) {
                        return;
                    }
                }
                Ok(None) => {
                    let begun = connection.is_within_message();
                    if std::mem::take(&mut connection.owes) {
                        self.step(Event::Took { client, begun });
                    } else if begun {
                        self.step(Event::Began(client));
                    }
                    return;
                }
                Err(_) => return self.step(Event::Gone(client)),
            }
        }
    }

    /// Sends as much as is taken; whether that was everything.
    fn flush(&mut self, client: Client) -> bool {
        let Some(connection) = self.connections.get_mut(&client) else { return false };
        match connection.flush() {
            Ok(()) => !connection.is_sending(),
            Err(errno) => {
                if errno != Errno::BROKEN_PIPE && errno != Errno(libc::ECONNRESET) {
                    (self.warn)(&format!("unable to send to a client: {errno}"));
                }
                self.step(Event::Gone(client));
                false
            }
        }
    }

    fn accept(&mut self) {
        let accepted = local::accept(self.listener)
            .and_then(|(socket, _)| fd::set_nonblocking(&socket, true).map(|()| socket));
        match accepted {
            Ok(socket) => match self.rights(&socket) {
                Ok(Some(rights)) => {
                    // One of these numbers is free.
                    let mut numbers = 0..=self.connections.len() as Client;
                    let free = numbers.find(|client| !self.connections.contains_key(client));
                    let client = free.unwrap_or_default();
                    self.connections.insert(client, Connection::new(socket));
                    self.step(Event::Connected(client, rights));
                }
                Ok(None) => {}
                Err(error) => (self.warn)(&format!("a client is turned away: {error}")),
            },
            Err(Errno::AGAIN | Errno(libc::ECONNABORTED)) => {}
            Err(errno) => {
                (self.warn)(&format!("unable to take a client: {errno}; trying again in a second"));
                self.rest = Some(clock::monotonic() + REST);
            }
        }
    }

    /// What the client at the other end may do; `None`: not even connect.
    fn rights(&self, socket: &OwnedFd) -> Result<Option<Granted>> {
        let peer = local::peer(socket)
            .map_err(|errno| Error::system("find out who a client is", errno))?;
        let rule = self.rules.look_up((peer.uid, peer.gid), process::effective_ids())?;
        let Some(Rule::Allow(terms)) = rule else { return Ok(None) };
        if terms.exec.is_some() {
            let (uid, gid) = (peer.uid, peer.gid);
            (self.warn)(&format!(
                "the rule for uid {uid} gid {gid} has an exec, which is not used"
            ));
        }
        Granted::new(&terms).map(Some)
    }

    fn reopen(&mut self, rules: &RulesAt) {
        match open(rules) {
            Ok(rules) => self.rules = rules,
            Err(error) => (self.warn)(&format!("the rules stay what they were: {error}")),
        }
    }
}

fn open(rules: &RulesAt) -> Result<Rules> {
    match rules {
        RulesAt::Directory(path) => Ok(Rules::Directory(path.clone())),
        RulesAt::Database(path) => Database::open(path).map(Rules::Database),
    }
}

fn now() -> Now {
    Now { monotonic: clock::monotonic(), wall: clock::wall() }
}
