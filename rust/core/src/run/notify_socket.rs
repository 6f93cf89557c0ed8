//! Readiness by datagram: the `NOTIFY_SOCKET` that other service managers have, offered to a service
//! that knows only that, and told by one that knows only a descriptor (contract s6 §1.3).

use crate::error::{Errno, Error, Result};
use crate::sys::{dir, fd, poll, socket};
use crate::wire::clock::Monotonic;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable with the socket's address.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// What came of waiting for a service's datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is ready.
    Ready,
    /// Nobody reads the readiness descriptor any more: the service has died, or was ready before.
    NobodyAsks,
    /// The deadline came first.
    TimedOut,
}

/// A socket that a service can report to.
#[derive(Debug)]
pub struct Offer {
    socket: UnixDatagram,
    /// The value of [`VARIABLE`]: `@` and an abstract name of the kernel's choice.
    pub address: OsString,
}

impl Offer {
    /// A new one.
    pub fn new() -> Result<Offer> {
        let failed =
            |error: io::Error| Error::system("make a socket for notifications", Errno::of(&error));
        let socket = UnixDatagram::bind("").map_err(failed)?; // no name: the kernel gives one
        socket.set_nonblocking(true).map_err(failed)?;
        let own = socket.local_addr().map_err(failed)?;
        let name = own.as_abstract_name().unwrap_or_default();
        Ok(Offer { socket, address: OsString::from_vec([b"@", name].concat()) })
    }

    /// Waits for the datagram that says so. `readiness` is where the service's supervisor reads:
    /// once nobody does, nobody waits for news either.
    pub fn wait(&self, readiness: impl AsFd, deadline: Option<Monotonic>) -> Result<News> {
        let mut fds: Vec<BorrowedFd<'_>> = vec![self.socket.as_fd()];
        if dir::stat(&readiness).is_ok_and(|stat| stat.is_fifo()) {
            fds.push(readiness.as_fd()); // never readable, but an error when its reader has gone
        }
        let failed = |errno| Error::system("wait for a notification", errno);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let ready = poll::readable(&fds, deadline).map_err(failed)?;
            match (ready.first(), ready.get(1)) {
                (Some(true), _) => {}
                (_, Some(true)) => return Ok(News::NobodyAsks),
                (_, _) => return Ok(News::TimedOut),
            }
            match self.socket.recv(&mut buffer) {
                Ok(got) if says_ready(buffer.get(..got).unwrap_or(&[])) => return Ok(News::Ready),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(failed(Errno::of(&error))),
            }
        }
    }
}

/// Whether one of the lines of a datagram is `READY=1`; the last one needs no newline, and usually
/// has none.
pub fn says_ready(datagram: &[u8]) -> bool {
    datagram.split(|&byte| byte == b'\n').any(|line| line == b"READY=1")
}

/// Tells the service manager at this address that its service, the process `pid`, is ready, and waits
/// until it has read that. `false`: the deadline came first.
pub fn report(address: &OsStr, pid: i32, deadline: Option<Monotonic>) -> Result<bool> {
    let what = format!("notify {:?}", address.to_string_lossy());
    let failed = |errno| Error::system(&what, errno);
    let io_failed = |error: io::Error| Error::system(&what, Errno::of(&error));
    // The exact length: padded with NULs it would be another abstract name.
    let manager = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(address),
        _ => return Err(Error::malformed(what, "not an absolute path, and no abstract name (@)")),
    }
    .map_err(|_| failed(Errno(libc::ENAMETOOLONG)))?;
    let socket = UnixDatagram::unbound().map_err(io_failed)?;
    socket.connect_addr(&manager).map_err(io_failed)?;
    socket.send(format!("READY=1\nMAINPID={pid}\n").as_bytes()).map_err(io_failed)?;

    let (reader, writer) = fd::pipe().map_err(failed)?;
    socket::send(&socket, b"BARRIER=1\n", &[writer.as_fd()]).map_err(failed)?;
    drop(writer); // the manager's copy is the last
    Ok(poll::readable(&[reader.as_fd()], deadline).map_err(failed)? == [true])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;
    use crate::wire::clock::Monotonic;
    use std::time::Duration;

    fn soon() -> Monotonic {
        clock::monotonic() + Duration::from_secs(5)
    }

    #[test]
    fn only_a_whole_line_says_so() {
        for text in ["READY=1", "READY=1\n", "STATUS=x\nREADY=1", "A=1\nREADY=1\nB=2\n"] {
            assert!(says_ready(text.as_bytes()), "{text:?}");
        }
        for text in ["", "READY=0", "READY=11", "xREADY=1", "STATUS=READY=1", "ready=1"] {
            assert!(!says_ready(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn what_is_reported_arrives() {
        let offer = Offer::new().expect("abstract sockets");
        let (_reader, writer) = fd::pipe().expect("pipes");
        // Both datagrams wait in the socket; nobody reads the second, so the barrier stays up.
        let now = Some(clock::monotonic());
        assert_eq!(report(&offer.address, 42, now), Ok(false));
        assert_eq!(offer.wait(&writer, Some(soon())), Ok(News::Ready));
        assert_eq!(offer.wait(&writer, now), Ok(News::TimedOut));
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_wait() {
        let offer = Offer::new().expect("abstract sockets");
        let (reader, writer) = fd::pipe().expect("pipes");
        drop(reader);
        assert_eq!(offer.wait(&writer, Some(soon())), Ok(News::NobodyAsks));
    }

    #[test]
    fn addresses_are_checked() {
        let error = |address: &str| {
            report(OsStr::new(address), 1, Some(soon())).expect_err("no such manager").to_string()
        };
        assert!(error("relative").contains("not an absolute path"));
        assert!(
            error("/no/such/socket").ends_with("\"/no/such/socket\": No such file or directory")
        );
        assert!(error(&"/x".repeat(60)).ends_with("File name too long"));
    }
}
