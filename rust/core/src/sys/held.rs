//! Signals that wait until they are asked for, for programs whose business they are, and which may then go
//! on as another program.
//!
//! Other than with [`super::signals::SignalFd`], there is no descriptor that somebody could see, and all is
//! put back as it was.

use super::signals::set_of;
use super::{cerr, clock};
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use crate::wire::signal::Signal;
use std::ptr;

/// Signals held back, also those that whoever started us ignored. Children must be given another mask.
pub struct HeldSignals {
    set: libc::sigset_t,
    mask: libc::sigset_t,
    actions: Vec<(Signal, libc::sigaction)>,
}

impl HeldSignals {
    /// Holds these back, beside what is held back already, until it is dropped.
    pub fn new(signals: &[Signal]) -> HeldSignals {
        let (set, mut mask) = (set_of(signals), set_of(&[]));
        // SAFETY: `set` is initialised, and `mask` has room for the old one.
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut mask) };
        let actions = signals.iter().map(|&signal| (signal, make_default(signal))).collect();
        HeldSignals { set, mask, actions }
    }

    /// The next one; waits until the deadline, which may have passed already. `None`: there was none.
    pub fn next(&self, deadline: Option<Monotonic>) -> Option<Signal> {
        loop {
            let wait = deadline.map(|deadline| deadline.since(clock::monotonic()));
            let wait = wait.map(|wait| libc::timespec {
                tv_sec: wait.as_secs() as libc::time_t,
                tv_nsec: libc::c_long::from(wait.subsec_nanos()),
            });
            let timeout = wait.as_ref().map_or(ptr::null(), ptr::from_ref);
            // SAFETY: the set is initialised, `timeout` is null or points to `wait`, which outlives the
            // call; nothing but the number is asked for.
            let taken =
                unsafe { libc::sigtimedwait(&raw const self.set, ptr::null_mut(), timeout) };
            match cerr(taken) {
                Ok(number) => return Signal::new(u8::try_from(number).ok()?),
                Err(Errno(libc::EINTR)) => {} // stopped and continued, or traced
                Err(_) => return None,        // EAGAIN: the time is over
            }
        }
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        for (signal, action) in &self.actions {
            let number = i32::from(signal.number());
            // SAFETY: the action that was in force before.
            unsafe { libc::sigaction(number, &raw const *action, ptr::null_mut()) };
        }
        // SAFETY: the mask that was in force before.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.mask, ptr::null_mut()) };
    }
}

/// Gives a signal its default action, and returns the one it had.
fn make_default(signal: Signal) -> libc::sigaction {
    // SAFETY: all zeroes are a valid sigaction: SIG_DFL, no flags, empty mask.
    let action: libc::sigaction = unsafe { std::mem::zeroed() };
    let mut old = action;
    // SAFETY: SIG_DFL runs no code of ours, and `old` has room for what was in force. The two signals that
    // have no other action are refused, and stay as they are.
    unsafe { libc::sigaction(signal.number().into(), &raw const action, &raw mut old) };
    old
}
