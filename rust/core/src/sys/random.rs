//! The kernel's random number generator.

use super::dir::{Open, open};
use super::{cerr, fd};
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// When to have random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as nobody can guess them, which may take long after a boot.
    Unguessable,
    /// Now, or not at all (`EAGAIN`).
    UnguessableNow,
    /// Now, whatever they are worth.
    Now,
}

/// Fills a buffer with random bytes.
pub fn fill(mut buffer: &mut [u8], when: When) -> Result<(), Errno> {
    let flags = match when {
        When::Unguessable => 0,
        When::UnguessableNow => libc::GRND_NONBLOCK,
        When::Now => return fill_now(buffer),
    };
    while !buffer.is_empty() {
        // SAFETY: pointer and length describe `buffer`, which is ours to write.
        let got = unsafe { libc::getrandom(buffer.as_mut_ptr().cast(), buffer.len(), flags) };
        match cerr(got) {
            Ok(got) => buffer = buffer.get_mut(got as usize..).unwrap_or(&mut []),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A name of this many random letters, digits, `-` and `_`, which nobody else has or guesses.
pub fn name(length: usize) -> Result<String, Errno> {
    let mut bytes = vec![0; length];
    fill(&mut bytes, When::UnguessableNow).or_else(|_| fill(&mut bytes, When::Now))?;
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte & 63)]);
    Ok(bytes.into_iter().map(letter).collect())
}

/// What random names are made of.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// From `/dev/urandom`, which never keeps anybody waiting.
fn fill_now(mut buffer: &mut [u8]) -> Result<(), Errno> {
    let generator = open("/dev/urandom", Open::Read)?;
    while !buffer.is_empty() {
        match fd::read(&generator, buffer)? {
            0 => return Err(Errno(libc::EIO)), // no such device ends
            got => buffer = buffer.get_mut(got..).unwrap_or(&mut []),
        }
    }
    Ok(())
}

/// The most bytes that [`seed`] takes at once.
pub const SEED_LIMIT: usize = 512;

/// Mixes a seed, of which the first [`SEED_LIMIT`] bytes count, into the pool; with `credit`, the
/// kernel takes all of its bits for unguessable. `generator` is an open `/dev/urandom`.
pub fn seed(generator: impl AsFd, seed: &[u8], credit: bool) -> Result<(), Errno> {
    /// `RNDADDENTROPY`, for a `struct rand_pool_info` of 8 bytes and what follows it.
    const RNDADDENTROPY: libc::Ioctl = 0x4008_5203;
    #[repr(C)]
    struct Request {
        bits: libc::c_int,
        bytes: libc::c_int,
        buffer: [u8; SEED_LIMIT],
    }
    let mut request = Request { bits: 0, bytes: 0, buffer: [0; SEED_LIMIT] };
    let mut count = 0;
    for (place, byte) in request.buffer.iter_mut().zip(seed) {
        *place = *byte;
        count += 1;
    }
    request.bytes = count;
    request.bits = if credit { count * 8 } else { 0 };
    let fd = generator.as_fd().as_raw_fd();
    // SAFETY: the kernel reads two integers and then as many bytes as the second says, which are in
    // `request`.
    cerr(unsafe { libc::ioctl(fd, RNDADDENTROPY, &raw const request) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_are_of_letters() {
        let (one, other) = (name(1000).expect("randomness"), name(1000).expect("randomness"));
        assert_ne!(one, other);
        assert_eq!(one.len(), 1000);
        assert!(LETTERS.iter().all(|&letter| one.contains(char::from(letter))), "{one}");
        assert!(one.bytes().all(|byte| LETTERS.contains(&byte)));
        assert_eq!(name(0), Ok(String::new()));
    }
}
