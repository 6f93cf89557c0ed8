//! Files by position: what is read, written and cut there, and what a pipe's content becomes.

use super::cerr;
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// Moves what a pipe holds, at most `limit` bytes, to `offset` of a file, without waiting for more. The
/// bytes leave the pipe in the same call that puts them into the file: whoever kills us finds them in
/// one of both, never in none and never in both. 0: the pipe has ended; `EAGAIN`: it is empty; `EINVAL`:
/// that is no pipe, or the file system cannot do it.
pub fn take_from_pipe(
    pipe: impl AsFd,
    file: impl AsFd,
    offset: u64,
    limit: usize,
) -> Result<usize, Errno> {
    let (pipe, file) = (pipe.as_fd().as_raw_fd(), file.as_fd().as_raw_fd());
    let mut offset = offset_of(offset)?;
    let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE;
    loop {
        // SAFETY: two open descriptors, no position for the pipe, a valid one for the file.
        let moved = unsafe {
            libc::splice(pipe, std::ptr::null_mut(), file, &raw mut offset, limit, flags)
        };
        match cerr(moved) {
            Ok(moved) => return Ok(moved as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Reads once, at `offset`. 0 is the end of the file.
pub fn read_at(file: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let (file, offset) = (file.as_fd().as_raw_fd(), offset_of(offset)?);
    loop {
        // SAFETY: pointer and length describe `buffer`, which is ours to write.
        let got = unsafe { libc::pread(file, buffer.as_mut_ptr().cast(), buffer.len(), offset) };
        match cerr(got) {
            Ok(got) => return Ok(got as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Writes all of it, from `offset` on.
pub fn write_all_at(file: impl AsFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    let file = file.as_fd().as_raw_fd();
    while !bytes.is_empty() {
        // SAFETY: pointer and length describe `bytes`.
        let put =
            unsafe { libc::pwrite(file, bytes.as_ptr().cast(), bytes.len(), offset_of(offset)?) };
        match cerr(put) {
            Ok(put) => {
                bytes = bytes.get(put as usize..).unwrap_or(&[]);
                offset += put as u64;
            }
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Cuts a file to so many bytes, or makes it longer by zeroes.
pub fn set_size(file: impl AsFd, size: u64) -> Result<(), Errno> {
    let size = offset_of(size)?;
    // SAFETY: plain integers.
    cerr(unsafe { libc::ftruncate(file.as_fd().as_raw_fd(), size) }).map(drop)
}

/// When a file was made, in nanoseconds since 1970; 0 where kernel or file system do not tell. Together with
/// device and inode it names a file, also after an inode's number was given to another one.
pub fn born(file: impl AsFd) -> u64 {
    /// `struct statx`: the mask is the first field, the time of birth stands at byte 80.
    const LENGTH: usize = 256;
    const BORN: usize = 80;
    const WANTED: libc::c_uint = 0x800;
    let mut raw = [0_u64; LENGTH / 8];
    let file = file.as_fd().as_raw_fd();
    // SAFETY: an empty path, with the flag that lets it stand for the descriptor; `raw` has the size and
    // the alignment of a statx.
    let done = unsafe {
        libc::syscall(
            libc::SYS_statx,
            file,
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            WANTED,
            raw.as_mut_ptr(),
        )
    };
    let word = |at: usize| raw.get(at / 8).copied().unwrap_or(0);
    let mask = word(0).to_ne_bytes();
    let [a, b, c, d, ..] = mask;
    if done != 0 || u32::from_ne_bytes([a, b, c, d]) & WANTED == 0 {
        return 0;
    }
    let [a, b, c, d, ..] = word(BORN + 8).to_ne_bytes();
    word(BORN).wrapping_mul(1_000_000_000).wrapping_add(u32::from_ne_bytes([a, b, c, d]).into())
}

fn offset_of(offset: u64) -> Result<libc::off_t, Errno> {
    libc::off_t::try_from(offset).map_err(|_| Errno::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::dir::{self, Open};
    use crate::sys::fd;

    #[test]
    fn what_leaves_the_pipe_is_in_the_file() {
        let path = std::env::temp_dir().join(format!("s6x-file-{}", std::process::id()));
        let file = dir::open(&path, Open::Update(0o600)).expect("a file");
        let (reader, writer) = fd::pipe().expect("a pipe");
        fd::write_all(&writer, b"onetwo").expect("written");
        assert_eq!(take_from_pipe(&reader, &file, 2, 3), Ok(3));
        assert_eq!(take_from_pipe(&reader, &file, 5, 9), Ok(3));
        assert_eq!(take_from_pipe(&reader, &file, 8, 9), Err(Errno::AGAIN));
        drop(writer);
        assert_eq!(take_from_pipe(&reader, &file, 8, 9), Ok(0));
        write_all_at(&file, b"->", 0).expect("written");
        set_size(&file, 7).expect("cut");
        let file = dir::open(&path, Open::Read).expect("opened again");
        let mut text = [0; 16];
        assert_eq!(read_at(&file, &mut text, 1), Ok(6));
        assert_eq!(&text[..6], b">onetw");
        std::fs::remove_file(path).expect("removed");
    }

    #[test]
    fn births() {
        let now = crate::sys::clock::unix().0;
        let path = std::env::temp_dir().join(format!("s6x-born-{}", std::process::id()));
        let file = dir::open(&path, Open::Update(0o600)).expect("a file");
        let second = born(&file) / 1_000_000_000;
        assert!(second == 0 || (now.saturating_sub(5)..now + 60).contains(&second), "{second}");
        std::fs::remove_file(path).expect("removed");
    }
}
