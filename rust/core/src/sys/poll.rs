//! Waiting: for descriptors, and for one deadline.

use super::{cerr, clock};
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Waits until one of `fds` can be read (or was hung up), or `deadline` has passed; `None` waits
/// for ever. Returns, in the same order, which can be read. A signal's interruption is nothing:
/// signals come through their own descriptor.
pub fn readable(fds: &[BorrowedFd<'_>], deadline: Option<Monotonic>) -> Result<Vec<bool>, Errno> {
    either(fds, &[], deadline).map(|(readable, _)| readable)
}

/// The same, or until one of `writers` can be written to (or has lost its reader).
pub fn either(
    readers: &[BorrowedFd<'_>],
    writers: &[BorrowedFd<'_>],
    deadline: Option<Monotonic>,
) -> Result<(Vec<bool>, Vec<bool>), Errno> {
    let readers_first = readers.iter().map(|fd| (*fd, Wish::Read));
    let wishes: Vec<_> = readers_first.chain(writers.iter().map(|fd| (*fd, Wish::Write))).collect();
    let mut ready = any(&wishes, deadline)?;
    let writable = ready.split_off(readers.len());
    Ok((ready, writable))
}

/// What to wait for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It can be read, or was hung up.
    Read,
    /// It can be written to, or nobody reads it any more.
    Write,
    /// Nobody is at its other end any more.
    Break,
}

/// Waits until one of these wishes is fulfilled, and says which are.
pub fn any(
    wishes: &[(BorrowedFd<'_>, Wish)],
    deadline: Option<Monotonic>,
) -> Result<Vec<bool>, Errno> {
    let entry = |(fd, wish): &(BorrowedFd<'_>, Wish)| {
        let events = match wish {
            Wish::Read => libc::POLLIN,
            Wish::Write => libc::POLLOUT,
            Wish::Break => 0, // a hang-up is told in any case
        };
        libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }
    };
    let mut entries: Vec<libc::pollfd> = wishes.iter().map(entry).collect();
    loop {
        let wait = deadline.map(|deadline| deadline.since(clock::monotonic()));
        let wait = wait.map(|wait| libc::timespec {
            tv_sec: wait.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(wait.subsec_nanos()),
        });
        let timeout = wait.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: pointer and length describe `entries`; `timeout` is null or points to `wait`,
        // which outlives the call; no signal mask is given.
        let ready = unsafe {
            libc::ppoll(entries.as_mut_ptr(), entries.len() as _, timeout, std::ptr::null())
        };
        match cerr(ready) {
            Ok(_) => return Ok(entries.iter().map(|entry| entry.revents != 0).collect()),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The same for the loop of a daemon, which looks at everything after each wait. Where even waiting
/// fails, for want of memory or descriptors, it waits for a moment: a failure must neither end a daemon
/// nor have it spin.
pub fn anything(wishes: &[(BorrowedFd<'_>, Wish)], deadline: Option<Monotonic>) {
    /// Short for whoever waits, long for a processor.
    const MOMENT: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    if any(wishes, deadline).is_err() {
        // SAFETY: a valid time; the rest of it is not asked for.
        unsafe { libc::nanosleep(std::ptr::from_ref(&MOMENT), std::ptr::null_mut()) };
    }
}

/// Waits until `fd` can be read, however long it takes; `false`: nobody reads what is written to
/// `output` any more.
pub fn readable_while_read(fd: BorrowedFd<'_>, output: BorrowedFd<'_>) -> Result<bool, Errno> {
    let entry =
        |fd: BorrowedFd<'_>, events| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    let mut entries = [entry(fd, libc::POLLIN), entry(output, 0)]; // errors are always told
    loop {
        // SAFETY: pointer and length describe `entries`; -1 sets no limit.
        match cerr(unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, -1) }) {
            Ok(_) => return Ok(entries.last().is_none_or(|output| output.revents == 0)),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether something can be written there without waiting, asked now.
pub fn is_writable(fd: BorrowedFd<'_>) -> bool {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one entry, and no time to wait.
    let ready = unsafe { libc::poll(&raw mut entry, 1, 0) };
    ready == 1 && entry.revents & libc::POLLOUT != 0
}
