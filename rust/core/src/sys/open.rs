//! Opening files, and asking what may be done with them, as somebody else's words say: other than
//! [`super::dir`], whose ways to open are those of our own files.

use super::cerr;
use super::dir::terminated;
use crate::error::Errno;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// It can be read from; so it can if neither this nor `write` is said.
    pub read: bool,
    /// It can be written to.
    pub write: bool,
    /// It is made if it is not there, with mode 0666 less the umask.
    pub create: bool,
    /// What is written goes to its end.
    pub append: bool,
    /// Its content is dropped.
    pub truncate: bool,
    /// With `create`: it must not be there (`EEXIST`).
    pub exclusive: bool,
    /// Nothing waits, not even the opening of a FIFO.
    pub nonblocking: bool,
}

impl Opening {
    /// Opens a file. The descriptor is close-on-exec; a terminal may become that of our session, as with any
    /// plain open(2).
    pub fn open(self, path: impl AsRef<Path>) -> Result<OwnedFd, Errno> {
        let path = terminated(path.as_ref().as_os_str())?;
        let flags = self.flags();
        loop {
            // SAFETY: a C string; a mode is always given.
            match cerr(unsafe { libc::open(path.as_ptr(), flags, 0o666) }) {
                // SAFETY: just opened, known to nobody else.
                Ok(fd) => return Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
                Err(Errno(libc::EINTR)) => {} // while it waited for a FIFO's other side
                Err(errno) => return Err(errno),
            }
        }
    }

    fn flags(self) -> i32 {
        let access = match (self.read, self.write) {
            (true, true) => libc::O_RDWR,
            (false, true) => libc::O_WRONLY,
            (_, false) => libc::O_RDONLY,
        };
        let others = [
            (self.create, libc::O_CREAT),
            (self.append, libc::O_APPEND),
            (self.truncate, libc::O_TRUNC),
            (self.exclusive, libc::O_EXCL),
            (self.nonblocking, libc::O_NONBLOCK),
        ];
        let said = others.iter().filter(|(said, _)| *said).map(|(_, flag)| flag);
        said.fold(access | libc::O_CLOEXEC, |flags, flag| flags | flag)
    }
}

/// What access(2) can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// That it is there.
    Exist,
    /// To read it.
    Read,
    /// To write to it.
    Write,
    /// To execute it, or to pass through it.
    Execute,
}

/// Whether our *real* user may do that, links followed.
pub fn is_allowed(path: impl AsRef<Path>, access: Access) -> bool {
    let mode = match access {
        Access::Exist => libc::F_OK,
        Access::Read => libc::R_OK,
        Access::Write => libc::W_OK,
        Access::Execute => libc::X_OK,
    };
    let Ok(path) = terminated(path.as_ref().as_os_str()) else { return false };
    // SAFETY: a C string.
    unsafe { libc::access(path.as_ptr(), mode) == 0 }
}
