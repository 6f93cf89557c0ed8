//! The control FIFO as the daemon sees it that listens (contract s6 §2.3, §5.3).
//!
//! Somebody may write to it without end. A daemon takes a share of that in each round, and after a whole
//! share it does not look for a moment: signals and deaths do not wait for the end of a flood, and
//! what floods does not get the processor that everybody else needs.

use crate::error::{Errno, Error, Result};
use crate::sys::dir::{Dir, Open};
use crate::sys::{clock, fd};
use crate::wire::clock::Monotonic;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// The most bytes that are taken at once, and that wait: what a flood leaves behind is soon gone.
const SHARE: usize = 4096;
/// How long nothing is taken after that.
const REST: Duration = Duration::from_millis(50);

/// A control FIFO that somebody listens to.
#[derive(Debug)]
pub(crate) struct ControlFifo {
    reader: OwnedFd,
    /// So that it never sees its end.
    _writer: OwnedFd,
    /// Until then nothing is taken.
    rests: Option<Monotonic>,
}

impl ControlFifo {
    /// Opens the FIFO `control` of `dir`, which messages call `path`; makes it if need be.
    pub(crate) fn open(dir: &Dir, path: &Path) -> Result<ControlFifo> {
        let failed = |errno| Error::on("open", path, errno);
        match dir.mkfifo("control", 0o600) {
            Ok(()) | Err(Errno::EXISTS) => {}
            Err(errno) => return Err(Error::on("create", path, errno)),
        }
        if !dir.stat("control").map_err(failed)?.is_fifo() {
            let what = format!("use {}", crate::error::shown(path));
            return Err(Error::malformed(what, "it is not a FIFO; remove it"));
        }
        let reader = dir.file("control", Open::ReadNow).map_err(failed)?;
        let writer = dir.file("control", Open::WriteNow).map_err(failed)?;
        fd::resize_pipe(&writer, SHARE);
        Ok(ControlFifo { reader, _writer: writer, rests: None })
    }

    /// What to wait for, if anything.
    pub(crate) fn awaited(&self) -> Option<BorrowedFd<'_>> {
        self.rests.is_none().then(|| self.reader.as_fd())
    }

    /// When to look again.
    pub(crate) fn deadline(&self) -> Option<Monotonic> {
        self.rests
    }

    /// The bytes that have arrived, up to a share.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.rests.is_some_and(|until| clock::monotonic() < until) {
            return bytes;
        }
        self.rests = None;
        let mut buffer = [0; 256];
        while bytes.len() < SHARE {
            let Ok(got @ 1..) = fd::read(&self.reader, &mut buffer) else { return bytes };
            bytes.extend_from_slice(buffer.get(..got).unwrap_or_default());
        }
        self.rests = Some(clock::monotonic() + REST);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_flood_gets_a_share_and_then_has_to_wait() {
        let top = std::env::temp_dir().join(format!("s6x-listening-{}", std::process::id()));
        fs::create_dir_all(&top).expect("the temporary directory is writable");
        let dir = Dir::open(&top).expect("just made");
        let mut fifo = ControlFifo::open(&dir, &top.join("control")).expect("made");
        assert_eq!((fifo.take(), fifo.deadline()), (Vec::new(), None));
        fs::write(top.join("control"), "du").expect("somebody listens");
        assert_eq!((fifo.take().as_slice(), fifo.deadline()), (&b"du"[..], None));
        fs::write(top.join("control"), vec![b'?'; SHARE]).expect("somebody listens");
        let full = dir.file("control", Open::WriteNow).and_then(|fifo| fd::write(fifo, b"d"));
        assert_eq!(full, Err(Errno::AGAIN), "no more than a share waits");
        assert_eq!(fifo.take().len(), SHARE);
        assert!(fifo.deadline().is_some() && fifo.awaited().is_none());
        fs::write(top.join("control"), "x").expect("somebody listens");
        assert_eq!(fifo.take(), Vec::new(), "too early");
        fifo.rests = Some(clock::monotonic());
        assert_eq!(fifo.take().as_slice(), b"x", "nothing is lost");
        assert!(fifo.deadline().is_none() && fifo.awaited().is_some());
        fs::remove_dir_all(top).expect("ours");
    }
}
