//! Event directories: telling subscribers, and subscribing (contract s6 §5.6).

use crate::error::{Errno, Error, Result};
use crate::sys::dir::{Dir, Open, chmod, mkdir, stat};
use crate::sys::{clock, fd, process};
use crate::wire::notice::{FIFO_PREFIX, is_subscriber};
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Writes `bytes` to every subscriber of an event directory, in one write each, and removes the
/// FIFOs of subscribers that have gone. A full FIFO misses the event, as in the originals: the
/// notifier never waits. A missing directory has no subscribers.
///
/// Needs SIGPIPE to be survivable (`sys::signals::survive_broken_pipes`).
pub fn notify(events: &Dir, bytes: &[u8]) -> std::result::Result<(), Errno> {
    events.each_name(|name| {
        if !is_subscriber(name.as_bytes()) {
            return;
        }
        let told = subscriber(events, name).and_then(|fifo| fd::write(fifo, bytes));
        if let Err(Errno::NO_READER | Errno(libc::EPIPE)) = told {
            let _ = events.unlink(name); // another notifier may have been quicker
        }
    })
}

/// Removes the FIFOs of subscribers that have gone.
pub fn clean(events: &Dir) -> std::result::Result<(), Errno> {
    events.each_name(|name| {
        let gone = is_subscriber(name.as_bytes())
            && matches!(subscriber(events, name), Err(Errno::NO_READER));
        if gone {
            let _ = events.unlink(name);
        }
    })
}

/// Opens a subscriber's FIFO. Whoever may subscribe can also make a link of that name, or a file, and a
/// notifier has rights that a subscriber has not: what is no FIFO is not written to.
fn subscriber(events: &Dir, name: &OsStr) -> std::result::Result<OwnedFd, Errno> {
    let fifo = events.file(name, Open::WriteNowUnlinked)?;
    if stat(&fifo)?.is_fifo() { Ok(fifo) } else { Err(Errno::INVALID) }
}

/// Makes an event directory: with a group, only its members may subscribe (03730); without, all
/// may (01733). Whatever the umask.
pub fn make(path: &Path, group: Option<u32>) -> Result<()> {
    mkdir(path, 0o700).map_err(|errno| Error::on("create", path, errno))?;
    restrict(path, group)
}

/// Makes an event directory unless there is one. One that is there must be ours (`EACCES`), and keeps
/// its mode and group unless `force`.
pub fn ensure(path: &Path, group: Option<u32>, force: bool) -> Result<()> {
    match make(path, group) {
        Err(error) if error.errno() == Some(Errno::EXISTS) => {}
        result => return result,
    }
    let failed = |errno| Error::on("use", path, errno);
    let there = Dir::open(path).and_then(|dir| dir.stat(".")).map_err(failed)?;
    let (own_user, _) = process::effective_ids();
    match (there.uid == own_user, force) {
        (false, _) => Err(failed(Errno(libc::EACCES))),
        (true, true) => restrict(path, group),
        (true, false) => Ok(()),
    }
}

/// Gives an existing event directory the mode and group that [`make`] gives a new one.
pub fn restrict(path: &Path, group: Option<u32>) -> Result<()> {
    let dir = Dir::open(path).map_err(|errno| Error::on("open", path, errno))?;
    if let Some(gid) = group {
        crate::sys::dir::chown(&dir, u32::MAX, gid)
            .map_err(|errno| Error::on("change the group of", path, errno))?;
    }
    let mode = if group.is_some() { 0o3730 } else { 0o1733 };
    chmod(&dir, mode).map_err(|errno| Error::on("change the mode of", path, errno))
}

/// A subscription to an event directory. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    events: Dir,
    name: OsString,
    reader: OwnedFd,
    /// Held so that the FIFO never sees its end while we subscribe.
    _writer: OwnedFd,
}

impl Subscription {
    /// Subscribes. From here on no event is missed (up to the capacity of a FIFO): whoever reads the
    /// status *after* this knows the state as of the first event.
    pub fn to(path: impl Into<PathBuf>) -> Result<Subscription> {
        let path = path.into();
        let failed = |errno| Error::on("subscribe to events of", &path, errno);
        let events = Dir::open(&path).map_err(failed)?;
        loop {
            match Subscription::named(&events, &fresh_name()) {
                Ok((name, reader, writer)) => {
                    return Ok(Subscription { events, name, reader, _writer: writer });
                }
                Err(Errno::EXISTS) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }

    /// The FIFO gets its real name last, so that a notifier never meets it without reader, nor with
    /// a mode that the umask made too narrow (which is not ours to change: a Python host has threads).
    fn named(events: &Dir, name: &str) -> std::result::Result<(OsString, OwnedFd, OwnedFd), Errno> {
        let hidden = format!(".{name}");
        events.mkfifo(&hidden, 0o600)?;
        let open = || {
            let reader = events.file(&hidden, Open::ReadNow)?;
            chmod(&reader, 0o622)?; // notifiers of other users must be able to write
            let writer = events.file(&hidden, Open::WriteNow)?;
            events.rename(&hidden, name)?;
            Ok((OsString::from(name), reader, writer))
        };
        open().inspect_err(|_| {
            let _ = events.unlink(&hidden);
        })
    }

    /// The event bytes that have arrived since the last call; empty when there are none.
    pub fn take(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 256];
        while let Ok(got @ 1..) = fd::read(&self.reader, &mut buffer) {
            bytes.extend_from_slice(buffer.get(..got).unwrap_or(&[]));
        }
        bytes
    }

    /// The name of our FIFO.
    pub fn name(&self) -> &OsStr {
        &self.name
    }
}

impl AsFd for Subscription {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _ = self.events.unlink(&self.name); // a notifier may have cleaned up after us
    }
}

/// `ftrig1:`, a label of now, and six letters that differ between processes and calls.
fn fresh_name() -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut seed = (u64::from(calls) << 32) | u64::from(process::own_pid() as u32);
    let prefix = String::from_utf8_lossy(FIFO_PREFIX);
    let mut name = String::new();
    let _ = write!(name, "{}{}:", prefix.trim_end_matches('@'), clock::wall());
    for _ in 0..6 {
        // 36 bits of a number that differs: pid below, counter above, multiplied to mix them.
        seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        let index = (seed & 63) as usize;
        name.push(LETTERS.get(index).map_or('-', |&letter| char::from(letter)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_names_are_subscribers_and_differ() {
        let names: std::collections::BTreeSet<String> = (0..1000).map(|_| fresh_name()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| is_subscriber(name.as_bytes())));
    }

    #[test]
    fn an_event_directory_that_is_there_is_kept_as_it_is_unless_forced() {
        let path = std::env::temp_dir().join(format!("s6x-ensure-{}", process::own_pid()));
        let mode = || Dir::open(&path).and_then(|dir| dir.stat(".")).map(|stat| stat.permissions());
        assert_eq!(ensure(&path, None, false), Ok(()));
        assert_eq!(mode(), Ok(0o1733));
        let (_, own_group) = process::effective_ids();
        assert_eq!(ensure(&path, Some(own_group), false), Ok(()));
        assert_eq!(mode(), Ok(0o1733));
        assert_eq!(ensure(&path, Some(own_group), true), Ok(()));
        assert_eq!(mode(), Ok(0o3730));
        std::fs::remove_dir(&path).expect("empty");
        std::fs::write(&path, "").expect("the temporary directory is writable");
        let error = ensure(&path, None, true).expect_err("a file");
        assert!(error.to_string().contains("Not a directory"), "{error}");
        std::fs::remove_file(&path).expect("ours");
    }

    #[test]
    fn events_reach_subscribers_and_leave_nothing_behind() {
        let path = std::env::temp_dir().join(format!("s6x-fifodir-{}", process::own_pid()));
        make(&path, None).expect("the temporary directory is writable");
        let events = Dir::open(&path).expect("just made");
        let one = Subscription::to(&path).expect("subscribable");
        notify(&events, b"su").expect("readable");
        let two = Subscription::to(&path).expect("subscribable");
        notify(&events, b"U").expect("readable");
        assert_eq!((one.take().as_slice(), two.take().as_slice()), (&b"suU"[..], &b"U"[..]));
        assert_eq!(one.take(), b"");
        drop((one, two));
        let (label, plain) = (clock::wall(), path.join("plain"));
        std::fs::write(&plain, "secret").expect("writable");
        events.symlink(&plain, format!("ftrig1:{label}:linked")).expect("writable");
        std::fs::hard_link(&plain, path.join(format!("ftrig1:{label}:shared"))).expect("writable");
        notify(&events, b"su").expect("readable");
        clean(&events).expect("readable");
        assert_eq!(std::fs::read(&plain).expect("there"), b"secret");
        assert_eq!(events.names().expect("readable").len(), 3, "no FIFOs: nothing of ours");
        for name in events.names().expect("readable") {
            events.unlink(name).expect("ours");
        }
        assert_eq!(events.names().expect("readable"), Vec::<OsString>::new());
        std::fs::remove_dir(&path).expect("empty");
    }
}
