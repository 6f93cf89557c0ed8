//! What the standard library's sockets cannot do.

use super::cerr;
use crate::error::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// Sends bytes, and a descriptor with them, through a connected local socket.
pub fn send_with_descriptor(
    socket: impl AsFd,
    bytes: &[u8],
    descriptor: impl AsFd,
) -> Result<(), Errno> {
    let fd = descriptor.as_fd().as_raw_fd();
    let mut content =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = [0_u64; 4]; // aligned for cmsghdr, and longer than one with a descriptor
    // SAFETY: all zeroes are a valid msghdr: nothing in it.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut content;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: `control` has room for the header and one int, which is what the lengths say, so
    // the first header is there and its data can be written.
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(size_of::<i32>() as u32) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<i32>() as u32) as _;
        libc::CMSG_DATA(header).cast::<i32>().write_unaligned(fd);
    }
    loop {
        // SAFETY: `message` points to `content` and `control`, which outlive the call; the kernel
        // only reads what `content` points to.
        let sent = unsafe {
            libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
        };
        match cerr(sent) {
            Ok(_) => return Ok(()),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}
