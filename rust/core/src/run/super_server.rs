//! s6-ipcserverd: accepts clients on a socket that somebody else has bound, and runs a program for each
//! (contract s6 §1.8).
//!
//! A server knows nothing about a client but what the kernel says, and holds nothing for it but two
//! numbers. Where too many are connected, further ones wait in the socket's queue.

use crate::error::{Errno, Error, Result};
use crate::machine::connections::{Connections, Limits};
use crate::sys::local::{self, Peer};
use crate::sys::signals::{self, SignalFd};
use crate::sys::spawn::Launch;
use crate::sys::wait::{Pid, next_dead};
use crate::sys::{clock, fd, poll};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// What the program of a connection finds in its environment.
const VARIABLES: [&str; 5] =
    ["PROTO", "IPCREMOTEEUID", "IPCREMOTEEGID", "IPCCONNNUM", "IPCREMOTEPATH"];
/// How long to leave clients alone when the system has no room for one more.
const REST: Duration = Duration::from_millis(100);

/// What to serve, and how.
#[derive(Debug)]
pub struct Options<'a> {
    /// How many connections there may be.
    pub limits: Limits,
    /// Whether clients are asked for their ids; else one user has them all.
    pub looks_up: bool,
    /// 0: only who is turned away; 1: what goes wrong; 2: everybody who comes and goes.
    pub verbosity: u32,
    /// The program, and where it may be found.
    pub argv: &'a [CString],
    /// Candidates for its executable.
    pub paths: &'a [CString],
    /// Called once, as soon as clients are served.
    pub ready: fn(),
}

/// Serves the clients of a listening socket until a signal says to stop. Children get the environment
/// and all descriptors that were passed to us from 2 up.
pub fn serve(socket: BorrowedFd<'_>, options: &Options<'_>, inherited: Environment) -> Result<()> {
    let watched =
        [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGABRT];
    signals::survive_broken_pipes();
    let signals = SignalFd::new(&watched).map_err(|errno| Error::system("watch signals", errno))?;
    let mut env = inherited;
    for name in VARIABLES {
        env.unset(name);
    }
    let connections = Connections::new(options.limits);
    let mut server = Server { options, connections, env: env.to_c(), rests_until: None };
    server.tell(2, || "starting".into());
    server.tell_status();
    (options.ready)();
    while server.step(socket, &signals)? {}
    server.tell(2, || "exiting".into());
    Ok(())
}

struct Server<'a> {
    options: &'a Options<'a>,
    connections: Connections,
    env: Vec<CString>,
    /// Until when no client is accepted, because the last one could not be.
    rests_until: Option<Monotonic>,
}

impl Server<'_> {
    /// Waits for something and does it; `false`: it was to stop.
    fn step(&mut self, socket: BorrowedFd<'_>, signals: &SignalFd) -> Result<bool> {
        let accepts = !self.connections.is_full() && self.rests_until.is_none();
        let fds = [signals.as_fd(), socket];
        let watched = fds.get(..1 + usize::from(accepts)).unwrap_or(&fds);
        let ready = poll::readable(watched, self.rests_until)
            .map_err(|errno| Error::system("wait for clients", errno))?;
        if self.rests_until.is_some_and(|until| until <= clock::monotonic()) {
            self.rests_until = None;
        }
        if ready.first() == Some(&true) {
            while let Some(signal) = signals.take() {
                if !self.obey(signal) {
                    return Ok(false);
                }
            }
        } else if ready.get(1) == Some(&true) {
            self.welcome(socket)?;
        }
        Ok(true)
    }

    /// `false`: it was to stop.
    fn obey(&mut self, signal: Signal) -> bool {
        let told = |more: &str| format!("received {signal},{more}");
        match signal {
            Signal::SIGCHLD => {
                while let Some((child, status)) = next_dead() {
                    self.farewell(child, status);
                }
                true
            }
            Signal::SIGHUP => {
                self.tell(2, || told(" sending SIGTERM+SIGCONT to all connections"));
                self.signal_all(&[Signal::SIGTERM, Signal::SIGCONT]);
                true
            }
            Signal::SIGQUIT => {
                let more = " sending SIGTERM+SIGCONT to all connections and quitting";
                self.tell(2, || told(more));
                self.signal_all(&[Signal::SIGTERM, Signal::SIGCONT]);
                false
            }
            Signal::SIGABRT => {
                self.tell(2, || told(" sending SIGKILL to all connections and quitting"));
                self.signal_all(&[Signal::SIGKILL]);
                false
            }
            _ => {
                self.tell(2, || told(" quitting"));
                false
            }
        }
    }

    fn signal_all(&self, signals: &[Signal]) {
        for child in self.connections.names().filter_map(Pid::new) {
            for signal in signals {
                let _ = child.kill(*signal); // dead already, and not yet reaped
            }
        }
    }

    fn farewell(&mut self, child: Pid, status: WaitStatus) {
        let Some(uid) = self.connections.closed(child.number()) else { return };
        let (uid, number) = (self.shown(uid), child.number());
        self.tell(2, || match status.ending() {
            Ending::Exited(code) => format!("end pid {number} uid {uid} exitcode {code}"),
            Ending::Killed(signal) => {
                format!("end pid {number} uid {uid} signal {}", signal.number())
            }
        });
        self.tell_status();
    }

    /// Accepts a client. An error says that there will never be one.
    fn welcome(&mut self, socket: BorrowedFd<'_>) -> Result<()> {
        match local::accept(socket) {
            Ok((connection, path)) => self.serve(&connection, &path),
            // Gone already, or taken by another server on the same socket.
            Err(Errno::AGAIN | Errno(libc::ECONNABORTED)) => {}
            Err(errno @ Errno(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOTSOCK | libc::EBADF)) => {
                return Err(Error::system("accept clients: the socket does not listen", errno));
            }
            Err(errno) => {
                self.warn(&format!("unable to accept a client: {errno}; trying again soon"));
                self.rests_until = Some(clock::monotonic() + REST);
            }
        }
        Ok(())
    }

    fn serve(&mut self, connection: &OwnedFd, path: &OsStr) {
        let client =
            if self.options.looks_up { local::peer(connection).map(Some) } else { Ok(None) };
        let client = match client {
            Ok(client) => client,
            Err(errno) => return self.warn(&format!("unable to tell who a client is: {errno}")),
        };
        let user = client.map_or(0, |client| client.uid);
        let (ids, most) = (ids(client), self.connections.limits().per_user);
        let count = self.connections.of(user);
        if !self.connections.admits(user) {
            let count = client.map_or("?".into(), |_| count.to_string());
            return self.tell(0, || format!("deny {ids} count {count}/{most}"));
        }
        match self.launch(connection, client, count + 1, path) {
            Ok(child) => {
                let count = self.connections.opened(child.number(), user);
                let count = client.map_or("?".into(), |_| count.to_string());
                self.tell(2, || format!("allow {ids} pid {} count {count}/{most}", child.number()));
                self.tell_status();
            }
            Err(errno) => {
                let program = self.options.argv.first().map_or(c"", |program| program);
                let program = program.to_string_lossy();
                self.warn(&format!("unable to start {program:?}: {errno}"));
            }
        }
    }

    /// Starts the program with the connection as its standard input and output.
    fn launch(
        &mut self,
        connection: &OwnedFd,
        client: Option<Peer>,
        count: u32,
        path: &OsStr,
    ) -> std::result::Result<Pid, Errno> {
        let inherited = self.env.len();
        let mut set = |entry: &[u8]| {
            self.env.extend(CString::new(entry)); // the kernel ends a path at its first NUL
        };
        set(b"PROTO=IPC");
        match client {
            Some(Peer { uid, gid }) => {
                set(format!("IPCREMOTEEUID={uid}").as_bytes());
                set(format!("IPCREMOTEEGID={gid}").as_bytes());
                set(format!("IPCCONNNUM={count}").as_bytes());
            }
            None => set(b"IPCCONNNUM="),
        }
        set(&[b"IPCREMOTEPATH=", path.as_bytes()].concat());
        let places = [(connection.as_fd(), 0), (connection.as_fd(), 1)];
        let Options { paths, argv, .. } = self.options;
        let started = Launch { places: &places, ..Launch::plain(paths, argv, &self.env) }.spawn();
        self.env.truncate(inherited);
        started
    }

    fn tell_status(&self) {
        let (now, most) = (self.connections.total(), self.connections.limits().total);
        self.tell(2, || format!("status: {now}/{most}"));
    }

    fn shown(&self, uid: u32) -> String {
        if self.options.looks_up { uid.to_string() } else { "?".into() }
    }

    fn warn(&self, message: &str) {
        if self.options.verbosity > 0 {
            fd::complain(&format!("s6-ipcserverd: warning: {message}\n"));
        }
    }

    fn tell(&self, verbosity: u32, message: impl FnOnce() -> String) {
        if self.options.verbosity >= verbosity {
            fd::complain(&format!("s6-ipcserverd: info: {}\n", message()));
        }
    }
}

/// User and group for a message.
fn ids(client: Option<Peer>) -> String {
    client.map_or("?:?".into(), |Peer { uid, gid }| format!("{uid}:{gid}"))
}
