//! The only unsafe code, the only clock, the only raw system calls.
//!
//! Each module wraps one kernel facility in safe types; every unsafe block names the fact it
//! relies on. Descriptors made here are close-on-exec, always: a child gets only what
//! [`spawn::Launch`] places on purpose.
#![allow(unsafe_code)]

pub mod clock;
pub mod credentials;
pub mod dir;
pub mod fd;
pub mod file;
pub mod glob;
pub mod held;
pub mod host;
pub mod inode;
pub mod inotify;
pub mod limits;
pub mod listing;
pub mod local;
pub mod lock;
pub mod mount;
pub mod numbered;
pub mod offspring;
pub mod open;
pub mod path;
pub mod pattern;
pub mod poll;
pub mod process;
pub mod random;
pub mod search;
pub mod signals;
pub mod socket;
pub mod spawn;
pub mod title;
pub mod user;
pub mod wait;

use crate::error::Errno;

/// Turns C's -1 into the error it stands for.
fn cerr<T: PartialOrd + Default>(result: T) -> Result<T, Errno> {
    if result < T::default() { Err(last()) } else { Ok(result) }
}

/// The reason of the system call that just failed.
fn last() -> Errno {
    Errno::of(&std::io::Error::last_os_error())
}
