//! Asking supervisors and scanners for something: control bytes into their FIFOs
//! (contract s6 §5.3). No answer exists: whoever wants to know what came of it watches the service
//! ([`super::observe`]).

use crate::error::{Errno, Error, shown};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::fd;
use crate::wire::control::{Control, ScanControl};
use std::fmt;
use std::path::{Path, PathBuf};

/// Why control bytes did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// No supervisor, or no scanner, runs on this directory.
    NotListening(PathBuf),
    /// Anything else.
    Failed(Error),
}

impl Undelivered {
    /// The exit code of s6 2.11: 100 when nobody listens, 111 when a system call failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Undelivered::NotListening(_) => 100,
            Undelivered::Failed(error) => error.exit_code(),
        }
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undelivered::NotListening(path) => {
                write!(f, "unable to control {}: supervisor not listening", shown(path))
            }
            Undelivered::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Undelivered {}

/// Sends control bytes to the supervisor of a service directory, in one write, so that nothing
/// comes between them. With no bytes, only finds out whether it listens.
pub fn service(service: &Path, controls: &[Control]) -> Result<(), Undelivered> {
    let letters: Vec<u8> = controls.iter().map(|control| control.letter()).collect();
    send(service, "supervise", &letters)
}

/// The same for the scanner of a scan directory.
pub fn scanner(scan_dir: &Path, controls: &[ScanControl]) -> Result<(), Undelivered> {
    let letters: Vec<u8> = controls.iter().map(|control| control.letter()).collect();
    send(scan_dir, ".s6-svscan", &letters)
}

/// Not waiting for a reader that has stopped reading: a full FIFO is `EAGAIN`.
fn send(top: &Path, sub: &str, letters: &[u8]) -> Result<(), Undelivered> {
    let path = top.join(sub).join("control");
    let silent = || Err(Undelivered::NotListening(top.to_owned()));
    let fifo = match dir::open(&path, Open::WriteNow) {
        Ok(fifo) => fifo,
        Err(Errno::NO_READER) => return silent(),
        // Never supervised, unless the directory itself is the problem.
        Err(Errno::NOT_FOUND | Errno(libc::ENOTDIR | libc::EISDIR)) => match Dir::open(top) {
            Ok(_) => return silent(),
            Err(errno) => return Err(Undelivered::Failed(Error::on("open", top, errno))),
        },
        Err(errno) => return Err(Undelivered::Failed(Error::on("open", path, errno))),
    };
    // A regular file in the FIFO's place would take our bytes and tell nobody.
    if !dir::stat(&fifo).is_ok_and(|stat| stat.is_fifo()) {
        return silent();
    }
    match letters {
        [] => Ok(()),
        _ => match fd::write(fifo, letters) {
            Ok(_) => Ok(()),
            Err(Errno(libc::EPIPE)) => silent(),
            Err(errno) => Err(Undelivered::Failed(Error::on("write to", path, errno))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn letters_arrive_and_silence_is_told_from_failure() {
        let top = std::env::temp_dir().join(format!("s6x-control-{}", std::process::id()));
        fs::create_dir_all(&top).expect("the temporary directory is writable");
        let silent = Err(Undelivered::NotListening(top.clone()));
        assert_eq!(service(&top, &[Control::Up]), silent, "never supervised");
        fs::create_dir(top.join("supervise")).expect("writable");
        let supervise = Dir::open(top.join("supervise")).expect("just made");
        supervise.mkfifo("control", 0o600).expect("writable");
        assert_eq!(service(&top, &[Control::Up]), silent, "no reader");
        let reader = supervise.file("control", Open::ReadNow).expect("just made");
        assert_eq!(service(&top, &[]), Ok(()));
        assert_eq!(service(&top, &[Control::Down, Control::Up]), Ok(()));
        let mut buffer = [0; 9];
        assert_eq!(fd::read(&reader, &mut buffer), Ok(2));
        assert_eq!(&buffer[..2], b"du");
        let absent = service(&top.join("absent"), &[Control::Up]).expect_err("not there");
        assert_eq!(absent.exit_code(), 111);
        assert!(absent.to_string().contains("absent: No such file"), "{absent}");
        fs::remove_dir_all(top).expect("ours");
    }
}
