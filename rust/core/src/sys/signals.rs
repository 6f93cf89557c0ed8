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
use std::time::Duration;

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
            notice_children(); // other signals arrive even if ignored, because they are blocked
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
    answer_with_nothing(libc::SIGPIPE, libc::SA_RESTART);
}

/// Gives a signal a handler that does nothing, and returns what it had.
fn answer_with_nothing(signal: libc::c_int, flags: libc::c_int) -> libc::sigaction {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeroes are a valid sigaction: no flags, empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let mut old = action;
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = flags;
    // SAFETY: `action` is initialised and its handler does nothing, which is safe at any time; `old`
    // has room for what was in force.
    unsafe { libc::sigaction(signal, &raw const action, &raw mut old) };
    old
}

/// Interrupts (`EINTR`) whatever waits in the kernel when some time has passed, and again and again
/// after that, so that a wait that begins just then is interrupted as well. Until it is dropped.
pub(super) struct Alarm {
    action: libc::sigaction,
    mask: libc::sigset_t,
}

impl Alarm {
    /// How often it rings once the time has passed.
    const AGAIN: Duration = Duration::from_millis(10);

    pub(super) fn after(time: Duration) -> Result<Alarm, Errno> {
        let action = answer_with_nothing(libc::SIGALRM, 0);
        let (set, mut mask) = (set_of(&[Signal::SIGALRM]), set_of(&[]));
        // SAFETY: `set` is initialised, and `mask` has room for the old one.
        unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, &raw mut mask) };
        let alarm = Alarm { action, mask };
        let soon = Duration::from_micros(1); // zero would mean never
        ring(time.max(soon), Alarm::AGAIN)?;
        Ok(alarm)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let _ = ring(Duration::ZERO, Duration::ZERO); // silences it, and cannot fail
        // SAFETY: the action and the mask that were in force before.
        unsafe {
            libc::sigaction(libc::SIGALRM, &raw const self.action, std::ptr::null_mut());
            libc::sigprocmask(libc::SIG_SETMASK, &raw const self.mask, std::ptr::null_mut());
        }
    }
}

fn ring(first: Duration, again: Duration) -> Result<(), Errno> {
    let part = |time: Duration| libc::timeval {
        tv_sec: time.as_secs() as libc::time_t,
        tv_usec: time.subsec_micros().into(),
    };
    let timer = libc::itimerval { it_value: part(first), it_interval: part(again) };
    // SAFETY: the call reads one itimerval; the old one is not asked for.
    cerr(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) })
        .map(drop)
}

/// Does something while a signal is held back.
pub fn holding_back<T>(signal: Signal, act: impl FnOnce() -> T) -> T {
    let (set, mut old) = (set_of(&[signal]), set_of(&[]));
    // SAFETY: `set` is initialised, and `old` has room for the old mask.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut old) };
    let result = act();
    // SAFETY: the mask that was in force before.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const old, std::ptr::null_mut()) };
    result
}

/// Takes note of children's deaths even if whoever started us ignored SIGCHLD: for a process that
/// does, the kernel reaps, and nobody learns how a child ended.
pub fn notice_children() {
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Ignores a signal from now on, which programs that this process becomes or starts inherit.
/// `EINVAL`: nobody can ignore that one.
pub fn ignore(signal: Signal) -> Result<(), Errno> {
    // SAFETY: SIG_IGN runs no code of ours.
    let old = unsafe { libc::signal(signal.number().into(), libc::SIG_IGN) };
    if old == libc::SIG_ERR { Err(super::last()) } else { Ok(()) }
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
