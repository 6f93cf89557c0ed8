//! What the standard library's sockets cannot do: descriptors that travel with bytes.

use super::cerr;
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The kernel takes no more descriptors at once.
pub const MOST_DESCRIPTORS: usize = 253;

/// Room for a header and the descriptors behind it, in units that are aligned for a cmsghdr.
const ROOM: usize = 130;

/// A descriptor's number as it travels: of no alignment.
type Number = [u8; size_of::<RawFd>()];

/// Sends bytes through a connected local socket, as many as it takes, and descriptors with the first
/// of them: at least one byte and at most [`MOST_DESCRIPTORS`] (`EINVAL`). `EPIPE` when nobody reads.
pub fn send(
    socket: impl AsFd,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> Result<usize, Errno> {
    let mut content =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = [0_u64; ROOM];
    // SAFETY: all zeroes are a valid msghdr: nothing in it.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut content;
    message.msg_iovlen = 1;
    let length = size_of_val(descriptors) as u32; // both are an int
    if descriptors.len() > MOST_DESCRIPTORS || bytes.is_empty() {
        return Err(Errno::INVALID);
    }
    if !descriptors.is_empty() {
        message.msg_control = control.as_mut_ptr().cast();
        // SAFETY: `control` has room for the header and that many ints, which is what the lengths
        // say, so the first header is there and its data can be written.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(length) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length) as _;
            let place = libc::CMSG_DATA(header).cast::<Number>();
            for (at, descriptor) in descriptors.iter().enumerate() {
                place.add(at).write(descriptor.as_raw_fd().to_ne_bytes());
            }
        }
    }
    loop {
        // SAFETY: `message` points to `content` and `control`, which outlive the call; the kernel
        // only reads what `content` points to.
        let sent = unsafe {
            libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
        };
        match cerr(sent) {
            Ok(sent) => return Ok(sent as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Receives bytes once from a local socket, and the descriptors that came with them. 0 bytes are the
/// end. `EMFILE`: we may not have so many descriptors; some are lost, and so is what follows.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
    let mut content = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = [0_u64; ROOM];
    // SAFETY: all zeroes are a valid msghdr: nothing in it.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut content;
    message.msg_iovlen = 1;
    let got = loop {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        // SAFETY: `message` points to `content`, that is `buffer`, and to `control`, which are ours
        // to write and outlive the call; the lengths are theirs.
        let got = unsafe {
            let flags = libc::MSG_CMSG_CLOEXEC;
            libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags)
        };
        match cerr(got) {
            Ok(got) => break got as usize,
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    };
    let descriptors = taken(&message);
    if message.msg_flags & libc::MSG_CTRUNC != 0 {
        return Err(Errno(libc::EMFILE)); // those that did come are closed
    }
    Ok((got, descriptors))
}

/// The descriptors in a message that recvmsg filled.
fn taken(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    // SAFETY: recvmsg left a valid list of headers, of which each says how long it is; what SCM_RIGHTS
    // brings are descriptors, just made, known to nobody else.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while let Some(its) = header.as_ref() {
            if its.cmsg_level == libc::SOL_SOCKET && its.cmsg_type == libc::SCM_RIGHTS {
                let place = libc::CMSG_DATA(header).cast::<Number>();
                let bytes = its.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
                for at in 0..bytes / size_of::<Number>() {
                    let number = RawFd::from_ne_bytes(place.add(at).read());
                    descriptors.push(OwnedFd::from_raw_fd(number));
                }
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    descriptors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{dir, fd};
    use std::os::unix::net::UnixStream;

    #[test]
    fn descriptors_travel_with_the_first_byte() {
        let (one, two) = UnixStream::pair().expect("sockets");
        let (reader, _writer) = fd::pipe().expect("pipes");
        let identity = |fd: BorrowedFd<'_>| dir::stat(fd).expect("open").identity;
        for count in [0, 1, MOST_DESCRIPTORS] {
            assert_eq!(send(&one, b"hello", &vec![reader.as_fd(); count]), Ok(5));
            let (mut first, mut rest) = ([0; 1], [0; 9]);
            let (got, descriptors) = receive(&two, &mut first).expect("sent");
            assert_eq!((got, descriptors.len(), first), (1, count, *b"h"));
            assert!(descriptors.iter().all(|fd| identity(fd.as_fd()) == identity(reader.as_fd())));
            let (got, more) = receive(&two, &mut rest).expect("sent");
            assert_eq!((got, more.len()), (4, 0));
        }
        assert_eq!(send(&one, b"x", &[reader.as_fd(); 254]), Err(Errno::INVALID));
        assert_eq!(send(&one, b"", &[reader.as_fd()]), Err(Errno::INVALID));
    }

    #[test]
    fn the_ends_of_a_connection() {
        let (one, two) = UnixStream::pair().expect("sockets");
        drop(one);
        assert_eq!(receive(&two, &mut [0; 9]).expect("the end").0, 0);
        assert_eq!(send(&two, b"x", &[]), Err(Errno(libc::EPIPE)));
    }
}
