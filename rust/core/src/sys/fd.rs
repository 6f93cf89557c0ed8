//! Descriptors: reading, writing, pipes.

use super::dir::{self, Dir, Open};
use super::{cerr, poll};
use crate::error::Errno;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads once. 0 is end-of-file; `EAGAIN` on a non-blocking descriptor comes as an error.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let fd = fd.as_fd().as_raw_fd();
    loop {
        // SAFETY: the pointer and length describe `buffer`, which is ours to write.
        let got = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
        match cerr(got) {
            Ok(got) => return Ok(got as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Writes once and returns how much was taken.
pub fn write(fd: impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    let fd = fd.as_fd().as_raw_fd();
    loop {
        // SAFETY: the pointer and length describe `bytes`.
        let put = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match cerr(put) {
            Ok(put) => return Ok(put as usize),
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Writes all of it; for descriptors that block.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    let fd = fd.as_fd();
    while !bytes.is_empty() {
        let put = write(fd, bytes)?;
        bytes = bytes.get(put..).unwrap_or(&[]);
    }
    Ok(())
}

/// Lets the system copy from file to file, at most `limit` bytes from where both are; returns how much
/// it did. 0 is end-of-file, or a file of which the system does not know the size.
pub fn copy_range(from: impl AsFd, to: impl AsFd, limit: usize) -> Result<usize, Errno> {
    let (from, to) = (from.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    let none = std::ptr::null_mut();
    // SAFETY: open descriptors; no places for offsets, so that the descriptors' own are used.
    let got = unsafe { libc::copy_file_range(from, none, to, none, limit, 0) };
    cerr(got).map(|got| got as usize)
}

/// Reads up to `limit` bytes, or to end-of-file.
pub fn read_up_to(fd: impl AsFd, limit: usize) -> Result<Vec<u8>, Errno> {
    let fd = fd.as_fd();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while bytes.len() < limit {
        let room = buffer.len().min(limit - bytes.len());
        let chunk = buffer.get_mut(..room).unwrap_or(&mut []);
        let got = read(fd, chunk)?;
        if got == 0 {
            break;
        }
        bytes.extend_from_slice(chunk.get(..got).unwrap_or(&[]));
    }
    Ok(bytes)
}

/// Writes what the system holds of a file to disk, and waits for it.
pub fn sync(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: an open descriptor.
    cerr(unsafe { libc::fsync(fd.as_fd().as_raw_fd()) }).map(drop)
}

/// A file without a name, in memory.
pub fn memory_file() -> Result<OwnedFd, Errno> {
    // SAFETY: the name is a C string, for people only.
    let fd = cerr(unsafe { libc::memfd_create(c"s6x".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: just opened, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Goes back to the begin of a file.
pub fn rewind(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: lseek takes plain integers.
    cerr(unsafe { libc::lseek(fd.as_fd().as_raw_fd(), 0, libc::SEEK_SET) }).map(drop)
}

/// How many bytes a pipe holds at most; `None` for anything else.
pub fn pipe_size(fd: impl AsFd) -> Option<usize> {
    // SAFETY: F_GETPIPE_SZ only looks.
    cerr(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETPIPE_SZ) })
        .ok()
        .map(|size| size as usize)
}

/// Lets a pipe hold so many bytes, if it holds less and the system lets us. It takes memory for what is in it
/// only.
pub fn enlarge_pipe(fd: impl AsFd, size: usize) {
    if pipe_size(fd.as_fd()).is_some_and(|now| now < size) {
        resize_pipe(fd, size);
    }
}

/// Lets a pipe hold so many bytes, a page or more, if the system lets us and no more are in it.
pub fn resize_pipe(fd: impl AsFd, size: usize) {
    // SAFETY: F_SETPIPE_SZ takes a plain integer, and keeps what is in the pipe.
    unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETPIPE_SZ, size as libc::c_int) };
}

/// A pipe: read end, write end; both blocking.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for the two descriptors.
    cerr(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    let [reader, writer] = ends;
    // SAFETY: pipe2 just opened both, and nobody else knows them.
    Ok(unsafe { (OwnedFd::from_raw_fd(reader), OwnedFd::from_raw_fd(writer)) })
}

/// Makes the open file description (non-)blocking, for everybody who shares it.
pub fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> Result<(), Errno> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: F_GETFL and F_SETFL take and return plain integers.
    let flags = cerr(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    let wanted = if nonblocking { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
    // SAFETY: as above.
    cerr(unsafe { libc::fcntl(fd, libc::F_SETFL, wanted) }).map(drop)
}

/// A close-on-exec duplicate, numbered `at_least` or higher.
pub fn duplicate(fd: impl AsFd, at_least: RawFd) -> Result<OwnedFd, Errno> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: F_DUPFD_CLOEXEC takes an integer and returns a new descriptor.
    let new = cerr(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, at_least) })?;
    // SAFETY: just made, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

/// The same of a descriptor that the caller knows by number only, as hosts in other languages do.
/// `EBADF` when it is not open.
pub fn duplicate_number(number: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: F_DUPFD_CLOEXEC takes an integer, any, and returns a new descriptor.
    let new = cerr(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: just made, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

/// Puts a copy of `fd` on the number `target`, kept across exec: for standard descriptors, and for
/// the number at which a program expects something.
pub fn place(fd: impl AsFd, target: RawFd) -> Result<(), Errno> {
    // SAFETY: dup2 on numbers; what `target` was before is closed, which callers mean.
    cerr(unsafe { libc::dup2(fd.as_fd().as_raw_fd(), target) }).map(drop)
}

/// Lets the program that we become have this descriptor under its number.
pub fn keep_across_exec(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: F_SETFD takes a plain integer.
    cerr(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETFD, 0) }).map(drop)
}

/// Leaves a descriptor open for the rest of this process's life, which is to become another program that
/// knows its number.
pub fn leave_open(fd: OwnedFd) {
    let _: RawFd = fd.into_raw_fd();
}

/// Whether this number is an open descriptor.
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD only looks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

/// Whether this number was open when our program began: what was opened since is close-on-exec, which
/// nothing inherited can be, and so is what [`cover_standard`] puts in the place of closed ones.
pub fn was_inherited(fd: RawFd) -> bool {
    // SAFETY: F_GETFD only looks.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags != -1 && flags & libc::FD_CLOEXEC == 0
}

/// Takes a descriptor that was inherited under this number, and makes it close-on-exec.
/// `EBADF` when it is not open. The caller is the only one in this process to use the number.
pub fn take_inherited(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: F_SETFD takes a plain integer.
    cerr(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: it is open (F_SETFD succeeded), and inherited, so nothing here owns it yet.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// One of the standard descriptors, 0 to 2, which are open after [`sanitize_standard`]. In a program that
/// takes them as they are, it may be closed: then its use fails with `EBADF`.
pub fn standard(fd: RawFd) -> BorrowedFd<'static> {
    debug_assert!((0..=2).contains(&fd), "only 0 to 2 are never closed");
    // SAFETY: descriptors 0 to 2 are closed by nobody who uses them by this; one that was closed before
    // is an error of the system call.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// Leaves what stdin (0) or stdout (1) leads to, so that whoever is at the other end sees that we have
/// gone. A daemon relies on it to end, so it cannot fail: where there is no `/dev/null`, or it is not for
/// us to use, stdin becomes a pipe that nobody writes to, and stdout a copy of stderr.
pub fn leave_standard(number: RawFd) {
    let nothing = dir::open("/dev/null", Open::ReadWrite).or_else(|errno| match number {
        0 => pipe().map(|(reader, _)| reader),
        _ => Err(errno),
    });
    // Both are open, so placing them does not fail.
    let _ = match nothing {
        Ok(nothing) => place(nothing, number),
        Err(_) => place(standard(2), number),
    };
}

/// Puts a copy of descriptor `from`, a number inherited over a fork, on `to`: for a child that has the
/// number but not the object that owns it.
pub fn place_number(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: dup2 on numbers; what `to` was before is closed, which callers mean (0, 1, 2).
    cerr(unsafe { libc::dup2(from, to) }).map(drop)
}

/// Opens `/dev/null` on every standard descriptor that is closed, so that no file of ours can
/// land on one of them. For daemons: their children find all three open.
pub fn sanitize_standard() -> Result<(), Errno> {
    cover_standard()?;
    for fd in 0..=2 {
        // SAFETY: F_SETFD takes a plain integer; a standard descriptor is never close-on-exec
        // but by `cover_standard`.
        cerr(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })?;
    }
    Ok(())
}

/// The same for programs that become another one by exec: that one finds closed again what was
/// closed before.
pub fn cover_standard() -> Result<(), Errno> {
    while let Some(closed) = (0..=2).find(|&fd| !is_open(fd)) {
        let flags = libc::O_RDWR | libc::O_CLOEXEC;
        // SAFETY: the path is a C string.
        let fd = cerr(unsafe { libc::open(c"/dev/null".as_ptr(), flags) })?;
        debug_assert!(fd == closed, "open(2) takes the lowest free number");
    }
    Ok(())
}

/// Takes back what [`cover_standard`] did, as an exec would: before we go on as another program in
/// the same process.
pub fn uncover_standard() {
    for fd in 0..=2 {
        // SAFETY: F_GETFD only looks. What is close-on-exec here is `/dev/null`, opened by
        // `cover_standard`, and an inherited descriptor never is.
        unsafe {
            if libc::fcntl(fd, libc::F_GETFD) == libc::FD_CLOEXEC {
                libc::close(fd);
            }
        }
    }
}

/// Closes a descriptor by its number, in the child side of a fork, where the object that owns it is
/// never used or dropped.
pub fn close_in_child(number: RawFd) {
    // SAFETY: the caller's process has no use for it, and never returns to its owner.
    unsafe { libc::close(number) };
}

/// Whether a standard descriptor was closed, and has been covered since ([`cover_standard`]).
pub fn was_closed(number: RawFd) -> bool {
    // SAFETY: F_GETFD only looks.
    unsafe { libc::fcntl(number, libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
}

/// A standard descriptor to read from or to write to; `EBADF` if it [was closed](was_closed): what somebody
/// wants to have must not be written to `/dev/null` without a word.
pub fn used_standard(number: RawFd) -> Result<BorrowedFd<'static>, Errno> {
    if was_closed(number) { Err(Errno::NOT_OPEN) } else { Ok(standard(number)) }
}

/// Writes to standard output, all of it; `EBADF` if there is something to write and it was closed.
pub fn write_out(bytes: &[u8]) -> Result<(), Errno> {
    if bytes.is_empty() { Ok(()) } else { write_all(used_standard(1)?, bytes) }
}

/// Closes every descriptor above the standard ones, whoever owned it: for the child side of a fork
/// that shares nothing with its parent's objects and ends with `process::exit_now`.
pub fn close_all_but_standard() {
    // SAFETY: the caller's process uses none of them any more, nor the objects that owned them.
    if unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) } == 0 {
        return;
    }
    // A kernel before 5.9, or a seccomp profile that does not know it. Not every possible number: there
    // may be a milliard.
    let listed = Dir::open("/proc/self/fd").and_then(|open| open.names());
    let number = |name: &OsString| name.to_str().and_then(|name| name.parse().ok());
    let open = listed.map(|names| names.iter().filter_map(number).collect::<Vec<RawFd>>());
    let open = open.unwrap_or_else(|_| (3..limit()).collect());
    for fd in open.into_iter().filter(|&fd| fd > 2) {
        // SAFETY: as above; closing a closed one is an error that changes nothing.
        unsafe { libc::close(fd) };
    }
}

/// How many descriptors a process may have: every descriptor's number is below.
pub fn limit() -> RawFd {
    let mut limit = libc::rlimit { rlim_cur: 1024, rlim_max: 1024 };
    // SAFETY: `limit` has room for one rlimit.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    RawFd::try_from(limit.rlim_cur).unwrap_or(RawFd::MAX)
}

/// Whether this is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    // SAFETY: only looks at the descriptor.
    unsafe { libc::isatty(fd.as_fd().as_raw_fd()) == 1 }
}

/// Writes a message to standard error in one call. Whatever fails is ignored: nothing can be
/// done about it, and a supervisor must not end because nobody listens.
pub fn complain(message: &str) {
    if !DROPS_COMPLAINTS.load(Ordering::Relaxed) || poll::is_writable(standard(2)) {
        let _ = write(standard(2), message.as_bytes());
    }
}

/// Whether a complaint that would have to wait for its reader is dropped.
static DROPS_COMPLAINTS: AtomicBool = AtomicBool::new(false);

/// From here on, in this process and those forked from it, complaints that nobody reads are dropped:
/// PID 1 and its supervisors must not stop because the reader of the container's output has.
pub fn drop_unread_complaints() {
    // Asked first: a supervisor has it from its scanner, and a write would cost it a page.
    if !DROPS_COMPLAINTS.load(Ordering::Relaxed) {
        DROPS_COMPLAINTS.store(true, Ordering::Relaxed);
    }
}
