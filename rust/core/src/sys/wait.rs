//! Processes by number and by descriptor: signalling and reaping them.

use super::cerr;
use crate::error::Errno;
use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use std::num::NonZeroI32;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A process id. It names a process for sure only as long as that process is our own child and
/// not yet reaped; anything else is a number that may have been given to another process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pid(NonZeroI32);

impl Pid {
    /// From the kernel's number; 0 and below are no process.
    pub fn new(number: i32) -> Option<Pid> {
        NonZeroI32::new(number).filter(|n| n.get() > 0).map(Pid)
    }

    /// The number.
    pub fn number(self) -> i32 {
        self.0.get()
    }

    /// Sends a signal.
    pub fn kill(self, signal: Signal) -> Result<(), Errno> {
        // SAFETY: plain integers; the number is positive, so one process is meant.
        cerr(unsafe { libc::kill(self.number(), i32::from(signal.number())) }).map(drop)
    }

    /// Sends a signal to the process group that this process leads.
    pub fn kill_group(self, signal: Signal) -> Result<(), Errno> {
        if self.number() == 1 {
            return self.kill(signal); // -1 would mean every process
        }
        // SAFETY: plain integers; below -1, one group is meant.
        cerr(unsafe { libc::kill(-self.number(), i32::from(signal.number())) }).map(drop)
    }
}

/// Reaps one dead child, any. `None`: none is dead now, or there is none at all.
pub fn next_dead() -> Option<(Pid, WaitStatus)> {
    wait(-1, libc::WNOHANG)
}

/// Reaps this child if it is dead.
pub fn reap(child: Pid) -> Option<WaitStatus> {
    wait(child.number(), libc::WNOHANG).map(|(_, status)| status)
}

/// Waits for this child's death, however long it takes. For programs that have nothing else to
/// do; never for a supervisor.
pub fn wait_for(child: Pid) -> Option<WaitStatus> {
    wait(child.number(), 0).map(|(_, status)| status)
}

/// Waits for the death of any child, however long it takes. `None`: there is none.
pub fn wait_for_any() -> Option<(Pid, WaitStatus)> {
    wait(-1, 0)
}

/// Whether this process has any child, dead or alive.
pub fn has_children() -> bool {
    // SAFETY: all zeroes are a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` has room for one siginfo; WNOWAIT leaves the child as it is.
    unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, flags) == 0 }
}

/// Whether this child is stopped, as by SIGSTOP.
pub fn is_stopped(child: Pid) -> bool {
    // SAFETY: all zeroes are a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (id, flags) =
        (child.number() as libc::id_t, libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT);
    // SAFETY: `info` has room for one siginfo; WNOWAIT leaves the child as it is.
    let result = unsafe { libc::waitid(libc::P_PID, id, &raw mut info, flags) };
    // SAFETY: waitid fills the field that si_pid reads; it is zero if nothing is to be told.
    result == 0 && unsafe { info.si_pid() } != 0
}

fn wait(which: i32, flags: i32) -> Option<(Pid, WaitStatus)> {
    let mut status = 0;
    loop {
        // SAFETY: `status` has room for one int.
        match cerr(unsafe { libc::waitpid(which, &raw mut status, flags) }) {
            Ok(pid) => return Pid::new(pid).map(|pid| (pid, WaitStatus(status as u16))),
            Err(Errno(libc::EINTR)) => {}
            Err(_) => return None, // ECHILD: no such child
        }
    }
}

/// A process held by descriptor: readable when it has ended, and never another process.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Holds a process by its number. For a process that is not our child, the caller checks
    /// *afterwards* that it is the one it meant.
    pub fn open(pid: Pid) -> Result<PidFd, Errno> {
        // SAFETY: plain integers.
        let fd = cerr(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.number(), 0) })?;
        // SAFETY: just made, known to nobody else. The kernel made it close-on-exec.
        Ok(PidFd(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// A descriptor that clone(2) made.
    pub(super) fn from_clone(fd: OwnedFd) -> PidFd {
        PidFd(fd)
    }

    /// Sends a signal; `ESRCH` when it has ended.
    pub fn kill(&self, signal: Signal) -> Result<(), Errno> {
        let (fd, number) = (self.0.as_raw_fd(), i32::from(signal.number()));
        let no_info = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: the descriptor is a pidfd; no siginfo is given.
        cerr(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, number, no_info, 0) })
            .map(drop)
    }

    /// Reaps our own child without touching any other. `None`: it still runs, or is not ours.
    pub fn reap(&self) -> Option<WaitStatus> {
        // SAFETY: all zeroes are a valid siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let (id, flags) = (self.0.as_raw_fd() as libc::id_t, libc::WEXITED | libc::WNOHANG);
        // SAFETY: `info` has room for one siginfo, and the descriptor is a pidfd.
        let result = unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, flags) };
        // SAFETY: for a dead child, waitid fills the fields that si_pid and si_status read; for
        // none, si_pid is zero.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        if result != 0 || pid == 0 {
            return None;
        }
        if info.si_code == libc::CLD_EXITED {
            return Some(WaitStatus::exited(status as u8));
        }
        let core = if info.si_code == libc::CLD_DUMPED { 0x80 } else { 0 };
        Some(WaitStatus((status as u16 & 0x7f) | core))
    }

    /// Whether the process has ended (asked now, without waiting).
    pub fn has_ended(&self) -> bool {
        let now = super::clock::monotonic();
        super::poll::readable(&[self.as_fd()], Some(now)).is_ok_and(|ready| ready == [true])
    }

    /// How a process that is not our child ended, where the kernel tells (6.15 and later).
    pub fn ending_of_stranger(&self) -> Option<WaitStatus> {
        /// `PIDFD_GET_INFO`, for a `struct pidfd_info` of 64 bytes.
        const PIDFD_GET_INFO: libc::Ioctl = 0xC040_FF0B;
        const PIDFD_INFO_EXIT: u64 = 1 << 3;
        let mut info = [PIDFD_INFO_EXIT, 0, 0, 0, 0, 0, 0, 0];
        let (fd, place) = (self.0.as_raw_fd(), info.as_mut_ptr());
        // SAFETY: the number's size field says 64 bytes, which `info` has.
        let result = unsafe { libc::ioctl(fd, PIDFD_GET_INFO, place) };
        let [given, .., last] = info;
        if result != 0 || given & PIDFD_INFO_EXIT == 0 {
            return None;
        }
        let [_, _, _, _, code @ ..] = last.to_ne_bytes(); // exit_code is the last 32 bits
        Some(WaitStatus(i32::from_ne_bytes(code) as u16))
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
