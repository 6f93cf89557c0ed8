//! Starting programs: one function, so that every child starts equally clean.
//!
//! The child is made with `clone(CLONE_VM | CLONE_VFORK)` on a stack of its own: no page table is
//! copied, the parent sleeps until the exec, and a failed exec reports its reason through shared
//! memory. Not `clone3`: Docker's seccomp profile refuses it. Between clone and exec the child
//! makes system calls and touches nothing but what was prepared for it.
//!
//! The parent sleeps as long as that takes: for ever, if somebody stops the child then, or a disk does not
//! answer. A parent that must not gets a child *apart*: it has a copy of the memory, and reports through a
//! pipe ([`report`]).
//!
//! Clean means: signal mask empty (or ours, if that is asked), handlers default, only the descriptors placed on purpose
//! (everything of ours is close-on-exec), working directory, session and umask as asked.

mod report;

use super::process::pointers;
use super::signals::set_of;
use super::wait::{Pid, PidFd};
use super::{cerr, last, lock};
use crate::error::Errno;
use crate::wire::signal::Signal;
use report::Report;
use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A program to start, and all that it starts with.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Candidates for the executable, tried in turn, as for exec along PATH; a relative one is
    /// taken below `directory`.
    pub paths: &'a [CString],
    /// Its arguments, the name it is called by first.
    pub argv: &'a [CString],
    /// Its environment, `NAME=value` each.
    pub env: &'a [CString],
    /// Its working directory; `None`: ours.
    pub directory: Option<BorrowedFd<'a>>,
    /// Descriptors to place: ours, and the number it gets there. Numbers 0 to 2 not listed are
    /// inherited.
    pub places: &'a [(BorrowedFd<'a>, RawFd)],
    /// Its session, process group and terminal.
    pub session: Session,
    /// A file in which the child writes down who it is before the exec.
    pub record: Option<(BorrowedFd<'a>, &'a [u8])>,
    /// A file, among `places` under this number, that the child locks for itself before the exec,
    /// waiting as long as it takes.
    pub lock: Option<RawFd>,
    /// Make it PID 1 of a new PID namespace.
    pub new_pid_namespace: bool,
    /// Give these signals their default action: those that a host program ignores.
    pub default_signals: &'a [Signal],
    /// Close every descriptor from 3 up that is not placed: a host program's own may lack
    /// close-on-exec.
    pub closed: bool,
    /// Leave the signals blocked that we have blocked; else it starts with none.
    pub keeps_mask: bool,
    /// Do not sleep until its exec. A child that is stopped before, or takes long, counts as started: if it
    /// fails after that, it exits with 126 or 127. The caller reaps whatever child of its dies, also the
    /// one that could not be started.
    pub apart: bool,
}

/// The session of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Ours.
    Inherit,
    /// A new one.
    New,
    /// Our session, a process group of its own, and the terminal's foreground if descriptor 0 is
    /// our terminal.
    Foreground,
}

impl<'a> Launch<'a> {
    /// A plain start: our directory, our descriptors 0 to 2, our session.
    pub fn plain(paths: &'a [CString], argv: &'a [CString], env: &'a [CString]) -> Launch<'a> {
        Launch {
            paths,
            argv,
            env,
            directory: None,
            places: &[],
            session: Session::Inherit,
            record: None,
            lock: None,
            new_pid_namespace: false,
            default_signals: &[],
            closed: false,
            keeps_mask: false,
            apart: false,
        }
    }

    /// Starts it. An error means that no program runs: the reason is that of the exec, or of
    /// what went before it.
    pub fn spawn(&self) -> Result<Pid, Errno> {
        self.start(None)
    }

    /// Starts it and holds it by descriptor, for hosts with other children.
    pub fn spawn_held(&self) -> Result<(Pid, PidFd), Errno> {
        let mut fd = -1;
        let pid = self.start(Some(&mut fd))?;
        // SAFETY: clone stored a new pidfd there, known to nobody else.
        Ok((pid, PidFd::from_clone(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    fn start(&self, pidfd: Option<&mut RawFd>) -> Result<Pid, Errno> {
        let paths = pointers(self.paths);
        let (argv, env) = (pointers(self.argv), pointers(self.env));
        let mut failure = 0;
        // A child that waits for a lock must not keep us asleep meanwhile: it gets memory of its
        // own, and what fails then is seen as its death.
        let own_memory = self.lock.is_some() || self.apart;
        let shared = if own_memory { 0 } else { libc::CLONE_VM | libc::CLONE_VFORK };
        let report =
            if self.apart && self.lock.is_none() { Some(Report::new(self.places)?) } else { None };
        let mut flags = shared | libc::SIGCHLD;
        if self.new_pid_namespace {
            flags |= libc::CLONE_NEWPID;
        }
        let mut no_fd = -1;
        let pidfd: *mut RawFd = match pidfd {
            Some(place) => {
                flags |= libc::CLONE_PIDFD;
                place
            }
            None => &raw mut no_fd,
        };
        let stack = Stack::new()?;
        let old = Mask::block_all();
        let mask = if self.keeps_mask { old.0 } else { set_of(&[]) };
        let failure_place = &raw mut failure;
        let mut task = Task {
            launch: self,
            paths: &paths,
            argv: &argv,
            env: &env,
            mask,
            failure: failure_place,
            report: report.as_ref().map(Report::number),
        };
        let argument = (&raw mut task).cast();
        // SAFETY: the stack is ours and large enough; `task` and all it points to outlive the
        // child's use of it, because with CLONE_VFORK we sleep until the child execs or exits, and
        // without CLONE_VM it has a copy.
        let pid = cerr(unsafe { libc::clone(run, stack.top(), flags, argument, pidfd) });
        old.restore();
        let pid = pid.and_then(|pid| Pid::new(pid).ok_or(Errno(libc::EINVAL)))?;
        if let Some(report) = report {
            return report.await_exec(pid);
        }
        if failure == 0 {
            return Ok(pid);
        }
        super::wait::wait_for(pid);
        Err(Errno(failure))
    }
}

/// Everything that the child reads, prepared by the parent.
struct Task<'a> {
    launch: &'a Launch<'a>,
    paths: &'a [*const libc::c_char],
    argv: &'a [*const libc::c_char],
    env: &'a [*const libc::c_char],
    mask: libc::sigset_t,
    failure: *mut i32,
    report: Option<RawFd>,
}

/// The child. Only async-signal-safe calls, no allocation, no panic.
extern "C" fn run(argument: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the parent passed a pointer to its Task, which is alive (see `start`).
    let task = unsafe { &*argument.cast::<Task<'_>>() };
    let errno = become_program(task);
    // SAFETY: points into the parent's frame, which is alive; only we write it.
    unsafe { *task.failure = errno.0 };
    if let Some(report) = task.report {
        report::tell(report, errno);
    }
    if errno == Errno::NOT_FOUND { 127 } else { 126 }
}

fn become_program(task: &Task<'_>) -> Errno {
    match prepare(task.launch, &task.mask) {
        Ok(()) => {}
        Err(errno) => return errno,
    }
    let mut refused = Errno::NOT_FOUND;
    for path in task.paths {
        if path.is_null() {
            break;
        }
        // SAFETY: C strings and null-terminated arrays of them, prepared by the parent.
        unsafe { libc::execve(*path, task.argv.as_ptr(), task.env.as_ptr()) };
        match last() {
            Errno(libc::ENOENT | libc::ENOTDIR) => {}
            errno @ Errno(libc::EACCES) => refused = errno,
            errno => return errno,
        }
    }
    refused
}

fn prepare(launch: &Launch<'_>, mask: &libc::sigset_t) -> Result<(), Errno> {
    match launch.session {
        Session::Inherit => {}
        // SAFETY: no arguments.
        Session::New => drop(cerr(unsafe { libc::setsid() })?),
        Session::Foreground => {} // below: the terminal is the one on *its* descriptor 0
    }
    if let Some(directory) = launch.directory {
        // SAFETY: an open descriptor.
        cerr(unsafe { libc::fchdir(directory.as_raw_fd()) })?;
    }
    if let Some((file, mark)) = launch.record {
        record(file.as_raw_fd(), mark);
    }
    if launch.closed {
        let all = u32::MAX;
        // SAFETY: plain integers; it marks the child's own descriptors, and closes none now. Where
        // the kernel is older than 5.11, they stay as they are.
        unsafe { libc::syscall(libc::SYS_close_range, 3, all, libc::CLOSE_RANGE_CLOEXEC) };
    }
    place(launch.places)?;
    if launch.session == Session::Foreground {
        take_terminal();
    }
    for signal in launch.default_signals {
        // SAFETY: SIG_DFL runs no code of ours; without CLONE_SIGHAND the table is the child's.
        unsafe { libc::signal(i32::from(signal.number()), libc::SIG_DFL) };
    }
    // SAFETY: `mask` is initialised; the old mask is not asked for.
    cerr(unsafe { libc::sigprocmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) })?;
    match launch.lock {
        // Last of all: whoever waits can be told to end.
        Some(file) => {
            close_all_but(launch.places);
            lock::wait_exclusive(file)
        }
        None => Ok(()),
    }
}

/// First moves every descriptor out of the way of the numbers to fill, then fills them.
fn place(places: &[(BorrowedFd<'_>, RawFd)]) -> Result<(), Errno> {
    const MOST: usize = 8;
    let mut moved = [-1; MOST];
    for (slot, (fd, _)) in moved.iter_mut().zip(places) {
        // Not above them all: that may be above what a process can have.
        while *slot == -1 || places.iter().any(|(_, number)| number == slot) {
            let at_least = *slot + 1;
            // SAFETY: F_DUPFD_CLOEXEC takes an integer and returns a new descriptor.
            *slot = cerr(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, at_least) })?;
        }
    }
    for (fd, (_, number)) in moved.iter().zip(places) {
        // SAFETY: dup2 on numbers; the child means to replace what was there.
        cerr(unsafe { libc::dup2(*fd, *number) })?;
    }
    if places.len() > MOST { Err(Errno(libc::EMFILE)) } else { Ok(()) }
}

/// A child that waits for long must not hold what its parent holds: locks, FIFOs.
fn close_all_but(places: &[(BorrowedFd<'_>, RawFd)]) {
    for fd in 3..super::fd::limit().min(1024) {
        if places.iter().all(|(_, number)| *number != fd) {
            // SAFETY: without CLONE_VM and CLONE_FILES, memory and descriptors are the child's own.
            unsafe { libc::close(fd) };
        }
    }
}

/// Writes `mark` and the child's own line of `/proc/self/stat`, in place, filled up with zeroes.
/// Where that cannot be done, the start goes on: the record only helps after a supervisor was
/// killed.
fn record(file: RawFd, mark: &[u8]) {
    let mut buffer = [0_u8; 512];
    let (head, rest) = buffer.split_at_mut(mark.len().min(512));
    head.copy_from_slice(mark);
    // SAFETY: a C string.
    let stat = unsafe { libc::open(c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    // SAFETY: `stat` may be -1, which read and close refuse; `rest` is ours to write; `buffer` is
    // ours to read.
    unsafe {
        libc::read(stat, rest.as_mut_ptr().cast(), rest.len());
        libc::close(stat);
        libc::pwrite(file, buffer.as_ptr().cast(), buffer.len(), 0);
    }
}

/// A process group of its own in the foreground of the terminal on descriptor 0. Without a
/// terminal that fails, which is fine. SIGTTOU is blocked here like all signals, so the call does
/// not stop us.
fn take_terminal() {
    // SAFETY: plain integers.
    unsafe {
        libc::setpgid(0, 0);
        libc::tcsetpgrp(0, libc::getpid());
    }
}

/// A stack for the child, with nothing below it: running over the end is a fault, not a
/// corruption.
struct Stack(*mut libc::c_void);

impl Stack {
    const SIZE: usize = 64 * 1024;

    fn new() -> Result<Stack, Errno> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), Stack::SIZE, protection, flags, -1, 0) };
        if at == libc::MAP_FAILED { Err(last()) } else { Ok(Stack(at)) }
    }

    fn top(&self) -> *mut libc::c_void {
        self.0.wrapping_byte_add(Stack::SIZE)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`; the child has left it, by exec, by exit, or for a copy.
        unsafe { libc::munmap(self.0, Stack::SIZE) };
    }
}

/// The caller's signal mask, kept while all signals are blocked.
struct Mask(libc::sigset_t);

impl Mask {
    fn block_all() -> Mask {
        let mut all = set_of(&[]);
        let mut old = set_of(&[]);
        // SAFETY: both sets are initialised places for one set each. pthread_sigmask because a
        // Python host has threads.
        unsafe {
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        }
        Mask(old)
    }

    fn restore(&self) {
        // SAFETY: the mask that was in force before.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut());
        }
    }
}
