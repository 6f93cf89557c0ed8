//! The one error type of the core: what was tried, on what, and why it failed.

use std::fmt;
use std::path::Path;

/// A system's reason for a failure: an `errno` value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// The reason of an `io::Error`; errors that carry none count as `EIO`.
    pub fn of(error: &std::io::Error) -> Errno {
        Errno(error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// `ENOENT`: there is no such thing.
    pub const NOT_FOUND: Errno = Errno(libc::ENOENT);
    /// `ENXIO`: a FIFO that nobody reads.
    pub const NO_READER: Errno = Errno(libc::ENXIO);
    /// `ESRCH`: no process has this number.
    pub const NO_PROCESS: Errno = Errno(libc::ESRCH);
    /// `EEXIST`.
    pub const EXISTS: Errno = Errno(libc::EEXIST);
    /// `EAGAIN`: not now.
    pub const AGAIN: Errno = Errno(libc::EAGAIN);
    /// `ENOTDIR`.
    pub const NOT_A_DIRECTORY: Errno = Errno(libc::ENOTDIR);
    /// `EISDIR`.
    pub const IS_A_DIRECTORY: Errno = Errno(libc::EISDIR);
    /// `ENOTEMPTY`: a directory.
    pub const NOT_EMPTY: Errno = Errno(libc::ENOTEMPTY);
    /// `EBUSY`: in use.
    pub const BUSY: Errno = Errno(libc::EBUSY);
    /// `ENOSPC`: the disk is full.
    pub const NO_SPACE: Errno = Errno(libc::ENOSPC);
    /// `E2BIG`: more words, or longer ones, than a program can be given.
    pub const TOO_LONG: Errno = Errno(libc::E2BIG);
    /// `EACCES`: we may not.
    pub const REFUSED: Errno = Errno(libc::EACCES);
    /// `EINVAL`.
    pub const INVALID: Errno = Errno(libc::EINVAL);
    /// `EPERM`.
    pub const NOT_PERMITTED: Errno = Errno(libc::EPERM);
    /// `ENFILE`: there is no room for more open files.
    pub const TOO_MANY_FILES: Errno = Errno(libc::ENFILE);
    /// `EBADF`: a descriptor that is not open.
    pub const NOT_OPEN: Errno = Errno(libc::EBADF);
    /// `EMFILE`: this process may not have more descriptors.
    pub const TOO_MANY_DESCRIPTORS: Errno = Errno(libc::EMFILE);
    /// `ENAMETOOLONG`.
    pub const NAME_TOO_LONG: Errno = Errno(libc::ENAMETOOLONG);
    /// `EPROTO`: the other end does not speak as it should.
    pub const PROTOCOL: Errno = Errno(libc::EPROTO);
    /// `EPIPE`: the other end has gone.
    pub const BROKEN_PIPE: Errno = Errno(libc::EPIPE);
    /// `ETIMEDOUT`.
    pub const TIMED_OUT: Errno = Errno(libc::ETIMEDOUT);
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // std adds " (os error 2)", which the originals' users have never seen.
        let text = std::io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({}: {self})", self.0)
    }
}

/// What was tried, on what, and why it failed; displayed as one sentence,
/// `unable to open /run/x/status: Permission denied`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was tried and on what, beginning with a verb: `open /run/x/status`.
    pub what: String,
    /// Why it failed.
    pub why: Why,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The system said so.
    System(Errno),
    /// Another process holds the lock: a second daemon on the same directory.
    Busy,
    /// The data is not what it should be; the text says how.
    Malformed(String),
}

/// The result of everything in the core that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failed system call on a path: `Error::on("open", path, errno)`.
    pub fn on(verb: &str, path: impl AsRef<Path>, errno: Errno) -> Error {
        Error { what: format!("{verb} {}", shown(path.as_ref())), why: Why::System(errno) }
    }

    /// A failed system call that concerns no path.
    pub fn system(what: impl Into<String>, errno: Errno) -> Error {
        Error { what: what.into(), why: Why::System(errno) }
    }

    /// Data that cannot be understood.
    pub fn malformed(what: impl Into<String>, how: impl Into<String>) -> Error {
        Error { what: what.into(), why: Why::Malformed(how.into()) }
    }

    /// The system's reason, when it is one.
    pub fn errno(&self) -> Option<Errno> {
        match &self.why {
            Why::System(errno) => Some(*errno),
            Why::Busy | Why::Malformed(_) => None,
        }
    }

    /// The originals' exit code for this failure: 100 for what will not go away by itself,
    /// 111 for a failed system call (contract s6 §0).
    pub fn exit_code(&self) -> u8 {
        match self.why {
            Why::System(_) => 111,
            Why::Busy | Why::Malformed(_) => 100,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::System(errno) => write!(f, "unable to {}: {errno}", self.what),
            Why::Busy => write!(f, "unable to {}: another process holds it", self.what),
            Why::Malformed(how) => write!(f, "unable to {}: {how}", self.what),
        }
    }
}

impl std::error::Error for Error {}

/// A path as shown in messages: control characters escaped, so that a name with a newline
/// cannot forge a log line.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_like_sentences() {
        let error = Error::on("open", "/run/x/status", Errno(libc::EACCES));
        assert_eq!(error.to_string(), "unable to open /run/x/status: Permission denied");
        assert_eq!(error.exit_code(), 111);
    }

    #[test]
    fn names_cannot_forge_lines() {
        let error = Error::on("open", "a\nfatal: b", Errno::NOT_FOUND);
        assert_eq!(error.to_string().lines().count(), 1);
    }
}
