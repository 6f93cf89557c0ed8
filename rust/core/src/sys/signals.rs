//! Signals as a descriptor to read, for processes of our own.
//!
//! They are blocked, and read from a signalfd: no handler runs anywhere, so no code of ours has to
//! be async-signal-safe. What is blocked would stay blocked in children, therefore
//! [`super::spawn`] hands every child an empty mask. SIGPIPE gets a handler that does nothing
//! rather than SIG_IGN, which children would inherit.

use super::{cerr, fd};
use crate::error::Errno;
use crate::wire::signal::Signal;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// Blocked signals, readable one by one.
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    /// Blocks these signals in this process, and no others, and opens a descriptor for them.
    pub fn new(signals: &[Signal]) -> Result<SignalFd, Errno> {
        let set = set_of(signals);
        // SAFETY: `set` is initialised; the old mask is not asked for.
        cerr(unsafe {
            libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut())
        })?;
        if signals.contains(&Signal::SIGCHLD) {
            // Whoever started us may ignore it, and for a process that does the kernel reaps. Other
            // signals arrive here even so, because they are blocked.
            // SAFETY: SIG_DFL runs no code of ours.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        }
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        let fd = cerr(unsafe { libc::signalfd(-1, &raw const set, flags) })?;
        // SAFETY: just made, known to nobody else.
        Ok(SignalFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal that has arrived, if any.
    pub fn take(&self) -> Option<Signal> {
        let mut info = [0_u8; size_of::<libc::signalfd_siginfo>()];
        let got = fd::read(&self.0, &mut info).ok()?;
        let [a, b, c, d, ..] = info; // ssi_signo is the first member
        let number = u32::from_ne_bytes([a, b, c, d]);
        if got == info.len() { Signal::new(u8::try_from(number).ok()?) } else { None }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Unblocks every signal of this process: before it becomes another program by exec.
pub fn unblock_all() {
    let set = set_of(&[]);
    // SAFETY: `set` is initialised; the old mask is not asked for. Cannot fail with SIG_SETMASK.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
}

/// Makes writing to a pipe without reader an error (`EPIPE`) instead of this process's end,
/// without children inheriting it: exec turns the handler back into the default.
pub fn survive_broken_pipes() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeroes are a valid sigaction: no flags, empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `action` is initialised and its handler does nothing, which is safe at any time.
    unsafe { libc::sigaction(libc::SIGPIPE, &raw const action, std::ptr::null_mut()) };
}

/// Whether this process ignores a signal: whoever started us wanted it so.
pub fn is_ignored(signal: Signal) -> bool {
    // SAFETY: all zeroes are a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: nothing is set, and `action` has room for what is in force.
    unsafe { libc::sigaction(signal.number().into(), std::ptr::null(), &raw mut action) };
    action.sa_sigaction == libc::SIG_IGN
}

/// Ends this process by a signal, as if it had not been held back.
pub fn die_of(signal: Signal) -> ! {
    let number = i32::from(signal.number());
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_DFL) };
    unblock_all();
    // SAFETY: plain integer.
    unsafe { libc::raise(number) };
    super::process::exit_now(128 + signal.number()) // a signal that does not end processes
}

/// The set of these signals, for sigprocmask and signalfd.
pub(super) fn set_of(signals: &[Signal]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: initialised above; the number is a signal's.
        unsafe { libc::sigaddset(set.as_mut_ptr(), i32::from(signal.number())) };
    }
    // SAFETY: initialised above.
    unsafe { set.assume_init() }
}
