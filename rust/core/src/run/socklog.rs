//! A syslog daemon without files: datagrams in, lines out (contract s6 §1.4).
//!
//! What came in one go is written in one go, and while the reader of the lines does not take them, no more
//! datagrams are taken: they wait in the socket, and then their senders do.

use crate::error::{Errno, Error, Result};
use crate::sys::credentials::Credentials;
use crate::sys::dir::{self, Open};
use crate::sys::local::{self, Kind};
use crate::sys::signals::{self, SignalFd};
use crate::sys::{clock, fd, lock, poll, process};
use crate::wire::clock::Monotonic;
use crate::wire::signal::Signal;
use crate::wire::syslog;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where datagrams come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A local socket of this name, for everybody.
    Local(PathBuf),
    /// A UDP socket.
    Udp(SocketAddr),
}

/// What the options say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub place: Place,
    /// Longer datagrams are cut, in bytes.
    pub limit: usize,
    /// Leave `<PRI>` as it is.
    pub raw: bool,
    /// Who to become when the socket is there.
    pub credentials: Credentials,
    /// How long to wait for the reader of the lines when told to stop; `None`: as long as it takes.
    pub patience: Option<Duration>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything is written.
    Flushed,
    /// Nobody has read it in time.
    Late,
}

/// What a pipe takes whole when it is writable at all.
const PORTION: usize = 4096;

/// With so many bytes to be written, no more is read.
const ENOUGH: usize = 1 << 16;

/// Listens until SIGTERM. A descriptor in `ready` gets a newline when the socket is there.
pub fn run(settings: &Settings, ready: Option<OwnedFd>) -> Result<Ended> {
    let signals =
        SignalFd::new(&[Signal::SIGTERM]).map_err(|errno| Error::system("watch signals", errno))?;
    signals::survive_broken_pipes();
    let source = Source::new(&settings.place)?;
    settings.credentials.apply()?;
    if let Some(ready) = ready {
        let _ = fd::write_all(ready, b"\n"); // whoever waited may be gone
    }
    let mut buffer = vec![0; settings.limit + 1];
    let mut lines = Vec::new();
    let mut stopping = None;
    while stopping.is_none() || !lines.is_empty() {
        let reads = stopping.is_none() && lines.len() < ENOUGH;
        let both = [signals.as_fd(), source.as_fd()];
        let readers = if reads { both.as_slice() } else { both.get(..1).unwrap_or(&[]) };
        let stdout = [fd::standard(1)];
        let writers = if lines.is_empty() { &[] } else { stdout.as_slice() };
        let deadline = stopping.flatten();
        let (readable, writable) = poll::either(readers, writers, deadline)
            .map_err(|errno| Error::system("wait for datagrams", errno))?;
        if deadline.is_some_and(|deadline: Monotonic| deadline <= clock::monotonic()) {
            return Ok(Ended::Late);
        }
        if readable.first() == Some(&true) && signals.take().is_some() && stopping.is_none() {
            stopping = Some(settings.patience.map(|patience| clock::monotonic() + patience));
        }
        if writable.first() == Some(&true) {
            write(&mut lines)?;
        }
        if readable.get(1) == Some(&true) && stopping.is_none() {
            while lines.len() < ENOUGH && source.take(settings, &mut buffer, &mut lines)? {}
        }
    }
    Ok(Ended::Flushed)
}

/// Writes what can be written without waiting.
fn write(lines: &mut Vec<u8>) -> Result<()> {
    let mut written = 0;
    while written < lines.len() && poll::is_writable(fd::standard(1)) {
        let rest = lines.get(written..).unwrap_or(&[]);
        match fd::write(fd::standard(1), rest.get(..PORTION).unwrap_or(rest)) {
            Ok(count) => written += count,
            Err(Errno::AGAIN) => break,
            Err(errno) => return Err(Error::system("write to stdout", errno)),
        }
    }
    lines.drain(..written);
    Ok(())
}

/// A socket that datagrams come to.
enum Source {
    Local {
        socket: OwnedFd,
        /// Keeps a second one out.
        _lock: OwnedFd,
    },
    Udp(UdpSocket),
}

impl Source {
    fn new(place: &Place) -> Result<Source> {
        match place {
            Place::Local(path) => {
                let failed = |errno| Error::on("listen at", path, errno);
                bind(path).map_err(failed)
            }
            Place::Udp(address) => {
                let failed = |error: io::Error| {
                    Error::system(format!("listen at {address}"), Errno::of(&error))
                };
                let socket = UdpSocket::bind(address).map_err(failed)?;
                socket.set_nonblocking(true).map_err(failed)?;
                Ok(Source::Udp(socket))
            }
        }
    }

    /// Makes a line of the next datagram. `false`: there is none.
    fn take(&self, settings: &Settings, buffer: &mut [u8], lines: &mut Vec<u8>) -> Result<bool> {
        let (got, sender) = match self {
            Source::Local { socket, .. } => (fd::read(socket, buffer), None),
            Source::Udp(socket) => match socket.recv_from(buffer) {
                Ok((got, sender)) => (Ok(got), Some(sender)),
                Err(error) => (Err(Errno::of(&error)), None),
            },
        };
        match got {
            Ok(0) => {} // nothing to say
            Ok(got) => {
                if let Some(sender) = sender {
                    let (ip, port) = (sender.ip(), sender.port());
                    lines.extend_from_slice(format!("{ip}_{port}: ").as_bytes());
                }
                let datagram = buffer.get_mut(..got).unwrap_or(&mut []);
                syslog::line(datagram, settings.limit, settings.raw, lines);
            }
            Err(Errno::AGAIN) => return Ok(false),
            Err(errno) => return Err(Error::system("receive a datagram", errno)),
        }
        Ok(true)
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Source::Local { socket, .. } => socket.as_fd(),
            Source::Udp(socket) => socket.as_fd(),
        }
    }
}

/// A local socket, for everybody, in the place of one that was left; and the lock on its name.
fn bind(path: &Path) -> std::result::Result<Source, Errno> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = dir::open(name, Open::Update(0o600))?;
    if !lock::try_exclusive(&lock)? {
        return Err(Errno::BUSY);
    }
    let socket = local::socket(Kind::Datagram)?;
    if dir::lstat_path(path).is_ok_and(|stat| stat.is_socket()) {
        dir::unlink(path)?;
    }
    let mask = process::umask(0);
    let bound = local::bind(&socket, path);
    process::umask(mask);
    bound?;
    fd::set_nonblocking(&socket, true)?;
    Ok(Source::Local { socket, _lock: lock })
}
