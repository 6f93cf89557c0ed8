//! The clock: monotonic for deadlines, wall for stamps.

use crate::wire::clock::Monotonic;
use crate::wire::tai64::Tai;
use std::time::Duration;

/// Now, on the monotonic clock.
pub fn monotonic() -> Monotonic {
    let now = read(libc::CLOCK_MONOTONIC);
    Monotonic::from_start(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
}

/// Now, on the wall clock.
pub fn wall() -> Tai {
    let now = read(libc::CLOCK_REALTIME);
    Tai::from_unix(now.tv_sec.max(0) as u64, now.tv_nsec as u32)
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for one timespec. Both clocks exist on every Linux, so the
    // call cannot fail; if it did, `now` would stay zero.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now
}
