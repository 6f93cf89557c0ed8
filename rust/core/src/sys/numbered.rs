//! Descriptors by their numbers: for programs whose arguments these are, and which become another
//! program with them.
//!
//! A number is any word of 32 bits; what no descriptor can have is `EBADF`, as one that is not open.

use super::fd;
use crate::error::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

/// Puts a copy of `from` on `to`, kept across exec; what `to` was is closed. `EINVAL` if they are the same.
pub fn copy(from: u32, to: u32) -> Result<(), Errno> {
    if from == to {
        return Err(Errno::INVALID);
    }
    fd::place_number(raw(from)?, raw(to)?)
}

/// The same, and closes `from`. If they are the same, the descriptor, should it be one, is only kept across
/// exec.
pub fn relocate(from: u32, to: u32) -> Result<(), Errno> {
    if from == to {
        return match borrowed(from) {
            Ok(fd) => fd::keep_across_exec(fd),
            Err(_) => Ok(()),
        };
    }
    copy(from, to)?;
    close(from);
    Ok(())
}

/// Closes a descriptor; one that is not open stays so.
pub fn close(number: u32) {
    if let Ok(number) = raw(number) {
        // SAFETY: the program's caller names the descriptor, so it is none of our own objects'.
        unsafe { libc::close(number) };
    }
}

/// Exchanges two descriptors. Both must be open; one with itself is left alone.
pub fn swap(one: u32, other: u32) -> Result<(), Errno> {
    if one == other {
        return Ok(());
    }
    let first = fd::duplicate(borrowed(one)?, 0)?;
    fd::place(borrowed(other)?, raw(one)?)?;
    fd::place(&first, raw(other)?)
}

/// Makes the open file description (non-)blocking, for everybody who shares it.
pub fn set_nonblocking(number: u32, nonblocking: bool) -> Result<(), Errno> {
    fd::set_nonblocking(borrowed(number)?, nonblocking)
}

/// Whether it is a terminal.
pub fn is_terminal(number: u32) -> bool {
    borrowed(number).is_ok_and(fd::is_terminal)
}

/// Gives a descriptor of ours away under this number, kept across exec; what the number was is closed.
pub fn install(fd: OwnedFd, number: u32) -> Result<(), Errno> {
    let number = raw(number)?;
    if fd.as_raw_fd() != number {
        return fd::place(&fd, number);
    }
    fd::keep_across_exec(&fd)?;
    let _ = fd.into_raw_fd(); // the program that we become has it
    Ok(())
}

/// The same with two at once, whatever numbers they have so far.
pub fn install_both(
    one: OwnedFd,
    number: u32,
    other: OwnedFd,
    its_number: u32,
) -> Result<(), Errno> {
    let other = if other.as_raw_fd() == raw(number)? {
        let copy = fd::duplicate(&other, 0)?;
        drop(other); // now: later, the number is not ours any more
        copy
    } else {
        other
    };
    install(one, number)?;
    install(other, its_number)
}

/// The same under the number that it has, which is returned.
pub fn release(fd: OwnedFd) -> Result<RawFd, Errno> {
    fd::keep_across_exec(&fd)?;
    Ok(fd.into_raw_fd())
}

/// The lowest numbers that are free, in their order; `EMFILE` if there are fewer, or more are wanted than
/// any process has unless its kernel was told so.
pub fn lowest_free(count: usize) -> Result<Vec<RawFd>, Errno> {
    const MOST: usize = 1 << 20;
    if count > MOST {
        return Err(Errno(libc::EMFILE));
    }
    let free: Vec<RawFd> = (0..fd::limit()).filter(|&fd| !fd::is_open(fd)).take(count).collect();
    if free.len() < count { Err(Errno(libc::EMFILE)) } else { Ok(free) }
}

fn raw(number: u32) -> Result<RawFd, Errno> {
    RawFd::try_from(number).map_err(|_| Errno(libc::EBADF))
}

/// For one call; `EBADF` unless it is open.
fn borrowed(number: u32) -> Result<BorrowedFd<'static>, Errno> {
    let number = raw(number)?;
    if !fd::is_open(number) {
        return Err(Errno(libc::EBADF));
    }
    // SAFETY: it is open, and nobody closes it during the call: there is one thread.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy at a number that no other test's descriptors get, as those take the lowest.
    fn high(fd: &OwnedFd, number: u32) -> u32 {
        fd::place(fd, number.cast_signed()).expect("a number below the limit");
        number
    }

    #[test]
    fn what_is_moved_is_gone_from_where_it_was() {
        let (reader, writer) = fd::pipe().expect("a pipe");
        let (from, to) = (high(&writer, 900), high(&reader, 901));
        relocate(from, to).expect("both are open");
        assert_eq!(copy(from, to), Err(Errno(libc::EBADF)));
        close(to);
        assert_eq!(relocate(to, to), Ok(()));
        assert_eq!(copy(to, from), Err(Errno(libc::EBADF)));
        assert_eq!(copy(to, to), Err(Errno::INVALID));
    }

    #[test]
    fn two_are_exchanged() {
        let (reader, writer) = fd::pipe().expect("a pipe");
        let (one, other) = (high(&writer, 910), high(&reader, 911));
        swap(one, other).expect("both are open");
        drop((reader, writer));
        let mut byte = [0];
        fd::write_all(borrowed(other).expect("open"), b"x").expect("the writing end");
        assert_eq!(fd::read(borrowed(one).expect("open"), &mut byte), Ok(1));
        close(one);
        close(other);
    }

    #[test]
    fn numbers_that_no_descriptor_can_have() {
        assert_eq!(copy(u32::MAX, 0), Err(Errno(libc::EBADF)));
        assert_eq!(copy(0, 1 << 31), Err(Errno(libc::EBADF)));
        assert_eq!(swap(1, u32::MAX), Err(Errno(libc::EBADF)));
        assert_eq!(set_nonblocking(u32::MAX, true), Err(Errno(libc::EBADF)));
        close(u32::MAX);
    }
}
