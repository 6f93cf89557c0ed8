//! Local (Unix) sockets by descriptor: making, naming, accepting, connecting, and who is at the other
//! end. The standard library listens whenever it binds, and tells no ids.

use super::cerr;
use crate::error::Errno;
use std::ffi::OsString;
use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The longest name of a socket, in bytes: one less than there is room for, as the originals do.
pub const LONGEST_PATH: usize = 107;

/// What goes through a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stream of bytes.
    Stream,
    /// Messages, each by itself.
    Datagram,
}

/// The other end of a connection, as it was when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// A new socket, without a name.
pub fn socket(kind: Kind) -> Result<OwnedFd, Errno> {
    let kind = match kind {
        Kind::Stream => libc::SOCK_STREAM,
        Kind::Datagram => libc::SOCK_DGRAM,
    };
    // SAFETY: plain integers.
    let fd = cerr(unsafe { libc::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: just made, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives a socket a name, which must be free (`EADDRINUSE`); its mode is 0777 less the umask.
pub fn bind(socket: impl AsFd, path: &Path) -> Result<(), Errno> {
    let (address, length) = address(path)?;
    // SAFETY: `address` is initialised, and `length` is not more than its size.
    cerr(unsafe { libc::bind(socket.as_fd().as_raw_fd(), (&raw const address).cast(), length) })
        .map(drop)
}

/// Lets clients connect; `backlog` of them may wait, as far as the system allows.
pub fn listen(socket: impl AsFd, backlog: u32) -> Result<(), Errno> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    // SAFETY: plain integers.
    cerr(unsafe { libc::listen(socket.as_fd().as_raw_fd(), backlog) }).map(drop)
}

/// Whether clients can connect to a socket.
pub fn listens(socket: impl AsFd) -> Result<bool, Errno> {
    let mut listens: libc::c_int = 0;
    option(socket, libc::SO_ACCEPTCONN, &mut listens)?;
    Ok(listens != 0)
}

/// Connects to the server that listens there. `EINPROGRESS` and `EAGAIN` are for sockets that do not
/// block.
pub fn connect(socket: impl AsFd, path: &Path) -> Result<(), Errno> {
    let (address, length) = address(path)?;
    let fd = socket.as_fd().as_raw_fd();
    loop {
        // SAFETY: `address` is initialised, and `length` is not more than its size.
        match cerr(unsafe { libc::connect(fd, (&raw const address).cast(), length) }) {
            Ok(_) => return Ok(()),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Takes the next client, and the path that its socket is bound to: empty for none, and for a name
/// that is no path (abstract). The connection blocks.
pub fn accept(listener: impl AsFd) -> Result<(OwnedFd, OsString), Errno> {
    let listener = listener.as_fd().as_raw_fd();
    let mut room = Room::new();
    loop {
        let (place, length) = room.place();
        // SAFETY: `place` has room for as many bytes as `length` says.
        let accepted = unsafe { libc::accept4(listener, place, length, libc::SOCK_CLOEXEC) };
        match cerr(accepted) {
            // SAFETY: just made, known to nobody else.
            Ok(fd) => return Ok((unsafe { OwnedFd::from_raw_fd(fd) }, room.path())),
            Err(Errno(libc::EINTR)) => room = Room::new(),
            Err(errno) => return Err(errno),
        }
    }
}

/// The path that a socket is bound to: empty for none, and for a name that is no path. `EINVAL` when
/// it is no local socket at all.
pub fn own_path(socket: impl AsFd) -> Result<OsString, Errno> {
    let mut room = Room::new();
    let (place, length) = room.place();
    // SAFETY: `place` has room for as many bytes as `length` says.
    cerr(unsafe { libc::getsockname(socket.as_fd().as_raw_fd(), place, length) })?;
    if room.is_local() { Ok(room.path()) } else { Err(Errno::INVALID) }
}

/// Who is at the other end of a connection.
pub fn peer(socket: impl AsFd) -> Result<Peer, Errno> {
    let mut ids = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    option(socket, libc::SO_PEERCRED, &mut ids)?;
    Ok(Peer { uid: ids.uid, gid: ids.gid })
}

/// Says that nothing more will be read: whoever writes is told that nobody does.
pub fn end_reading(socket: impl AsFd) -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), libc::SHUT_RD) }).map(drop)
}

/// Says that nothing more will be written: the other end reads end-of-file, and may go on writing.
pub fn end_writing(socket: impl AsFd) -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

/// Reads once from a socket, whether it blocks or not, without waiting (`EAGAIN`). 0 is end-of-file.
pub fn receive_now(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let fd = socket.as_fd().as_raw_fd();
    loop {
        let (place, room) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: `place` and `room` describe `buffer`, which is ours to write.
        match cerr(unsafe { libc::recv(fd, place, room, libc::MSG_DONTWAIT) }) {
            Ok(got) => return Ok(got as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Writes once to a socket, whether it blocks or not, without waiting (`EAGAIN`), and returns how much
/// was taken. `EPIPE` when nobody reads; never a signal.
pub fn send_now(socket: impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    let fd = socket.as_fd().as_raw_fd();
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    loop {
        // SAFETY: the pointer and length describe `bytes`.
        match cerr(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) }) {
            Ok(put) => return Ok(put as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Asks for an option of the socket level, whose value is a `T`.
fn option<T: Copy>(socket: impl AsFd, name: libc::c_int, value: &mut T) -> Result<(), Errno> {
    let fd = socket.as_fd().as_raw_fd();
    let mut length = size_of::<T>() as libc::socklen_t;
    let place = std::ptr::from_mut(value).cast();
    // SAFETY: `place` has room for as many bytes as `length` says; callers know that any bytes are
    // right for their plain integers.
    cerr(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, place, &raw mut length) }).map(drop)
}

/// A path as the kernel wants it, and how many bytes of it count.
fn address(path: &Path) -> Result<(libc::sockaddr_un, libc::socklen_t), Errno> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(Errno::INVALID); // an empty one would be a name of the kernel's choice
    }
    if bytes.len() > LONGEST_PATH {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    let mut address =
        libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
    for (place, &byte) in address.sun_path.iter_mut().zip(bytes) {
        *place = byte as libc::c_char;
    }
    let length = offset_of!(libc::sockaddr_un, sun_path) + bytes.len() + 1;
    Ok((address, length as libc::socklen_t))
}

/// Room for an address that the kernel fills in.
struct Room {
    storage: MaybeUninit<libc::sockaddr_storage>,
    length: libc::socklen_t,
}

impl Room {
    fn new() -> Room {
        let length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        Room { storage: MaybeUninit::zeroed(), length }
    }

    fn place(&mut self) -> (*mut libc::sockaddr, *mut libc::socklen_t) {
        (self.storage.as_mut_ptr().cast(), &raw mut self.length)
    }

    fn bytes(&self) -> &[u8] {
        let length = (self.length as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: zeroed when made, so that every byte of it is initialised.
        unsafe { std::slice::from_raw_parts(self.storage.as_ptr().cast(), length) }
    }

    fn is_local(&self) -> bool {
        let family = (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes();
        self.bytes().starts_with(&family)
    }

    /// What stands before the first NUL: nothing, if it begins with one (abstract). The kernel counts
    /// a NUL behind a name that fills all the room, but leaves it out.
    fn path(&self) -> OsString {
        let name = self.bytes().get(offset_of!(libc::sockaddr_un, sun_path)..).unwrap_or(&[]);
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        OsString::from_vec(name.get(..end).unwrap_or(&[]).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::effective_ids;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

    #[test]
    fn names_that_no_socket_can_have() {
        let socket = socket(Kind::Stream).expect("sockets");
        for (path, errno) in [
            (String::new(), Errno::INVALID),
            ("a\0b".into(), Errno::INVALID),
            ("x".repeat(108), Errno(libc::ENAMETOOLONG)),
        ] {
            assert_eq!(bind(&socket, Path::new(&path)), Err(errno), "{path:?}");
            assert_eq!(connect(&socket, Path::new(&path)), Err(errno), "{path:?}");
        }
        assert_eq!(connect(&socket, Path::new("/no/such")), Err(Errno::NOT_FOUND));
    }

    #[test]
    fn the_other_end_is_known() {
        let (one, two) = UnixStream::pair().expect("sockets");
        let (uid, gid) = effective_ids();
        assert_eq!(peer(&one), Ok(Peer { uid, gid }));
        assert_eq!(own_path(&one), Ok(OsString::new()));
        end_writing(&two).expect("connected");
        assert_eq!(crate::sys::fd::read(&one, &mut [0]), Ok(0));
        assert_eq!(own_path(std::fs::File::open("/dev/null").expect("there")), Err(Errno(88)));
    }

    #[test]
    fn a_name_that_is_no_path_is_none() {
        let name = SocketAddr::from_abstract_name(format!("s6x-{}", std::process::id()));
        let listener = UnixListener::bind_addr(&name.expect("short")).expect("free");
        assert_eq!(own_path(&listener), Ok(OsString::new()));
        let client = socket(Kind::Stream).expect("sockets");
        let address = listener.local_addr().expect("bound");
        let stream = UnixStream::connect_addr(&address).expect("listening");
        let (connection, path) = accept(&listener).expect("waiting");
        assert_eq!(path, OsString::new());
        drop((client, stream, connection));
    }
}
