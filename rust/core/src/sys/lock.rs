//! The locks by which two daemons keep out of each other's way (contract s6 §5.4).
//!
//! The originals use POSIX record locks. We take *open file description* locks: both kinds see
//! each other, but ours are not lost when some other descriptor of the same file is closed.

use super::signals::Alarm;
use super::{cerr, clock};
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everybody whose lock is shared too. Needs the file open for reading.
    Shared,
    /// Nobody. Needs the file open for writing.
    Exclusive,
}

/// How long to wait for whoever holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all.
    None,
    /// Until then.
    Until(Monotonic),
    /// As long as it takes.
    Endless,
}

/// Locks the whole file. `false`: somebody else still holds it. It is the kernel that keeps the
/// queue, also while the time is limited; for programs with one thread, whose SIGALRM that takes.
pub fn lock(fd: impl AsFd, kind: Kind, patience: Patience) -> Result<bool, Errno> {
    let fd = fd.as_fd().as_raw_fd();
    let (how, deadline) = match patience {
        Patience::None => (libc::F_OFD_SETLK, None),
        Patience::Until(deadline) => (libc::F_OFD_SETLKW, Some(deadline)),
        Patience::Endless => (libc::F_OFD_SETLKW, None),
    };
    let left = deadline.map(|deadline| deadline.since(clock::monotonic()));
    let _alarm = left.map(Alarm::after).transpose()?;
    loop {
        match set(fd, how, kind) {
            Ok(()) => return Ok(true),
            Err(Errno(libc::EAGAIN | libc::EACCES)) => return Ok(false),
            Err(Errno(libc::EINTR)) if deadline.is_some_and(|at| at <= clock::monotonic()) => {
                return Ok(false);
            }
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Tries to lock the whole file for writing. `false`: someone else holds it.
pub fn try_exclusive(fd: impl AsFd) -> Result<bool, Errno> {
    lock(fd, Kind::Exclusive, Patience::None)
}

/// Tries to hold a directory against everybody else who does (flock), for as long as the descriptor or a
/// copy of it is open. `false`: someone else holds it.
pub fn try_directory(dir: impl AsFd) -> Result<bool, Errno> {
    let how = libc::LOCK_EX | libc::LOCK_NB;
    // SAFETY: flock takes a descriptor, which is borrowed, and no memory.
    match cerr(unsafe { libc::flock(dir.as_fd().as_raw_fd(), how) }) {
        Ok(_) => Ok(true),
        Err(Errno(libc::EWOULDBLOCK)) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Waits until the whole file is locked for writing. Async-signal-safe.
pub(super) fn wait_exclusive(fd: RawFd) -> Result<(), Errno> {
    loop {
        match set(fd, libc::F_OFD_SETLKW, Kind::Exclusive) {
            Err(Errno(libc::EINTR)) => {}
            result => return result,
        }
    }
}

/// Whether anybody holds a write lock. Needs the file open for reading only.
pub fn is_held(fd: impl AsFd) -> Result<bool, Errno> {
    let mut lock = whole(libc::F_RDLCK as i16);
    // SAFETY: F_OFD_GETLK reads and writes one flock; l_pid is zero as it demands.
    cerr(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

fn set(fd: RawFd, how: libc::c_int, kind: Kind) -> Result<(), Errno> {
    let lock = whole(match kind {
        Kind::Shared => libc::F_RDLCK as i16,
        Kind::Exclusive => libc::F_WRLCK as i16,
    });
    // SAFETY: both setting commands read one flock.
    cerr(unsafe { libc::fcntl(fd, how, &raw const lock) }).map(drop)
}

fn whole(kind: i16) -> libc::flock {
    // SAFETY: flock is plain data, for which all zeroes are valid: offset 0, length 0, pid 0.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind;
    lock.l_whence = libc::SEEK_SET as i16;
    lock
}
