//! The clock: monotonic for deadlines, wall for stamps.

use super::cerr;
use super::dir::Dir;
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use crate::wire::tai64::Tai;
use std::fmt;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Now, on the monotonic clock.
pub fn monotonic() -> Monotonic {
    let now = read(libc::CLOCK_MONOTONIC);
    Monotonic::from_start(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
}

/// Now, on the wall clock.
pub fn wall() -> Tai {
    let (seconds, nanoseconds) = unix();
    Tai::from_unix(seconds, nanoseconds)
}

/// The same as seconds since 1970 and nanoseconds, as the system has it.
pub fn unix() -> (u64, u32) {
    let now = read(libc::CLOCK_REALTIME);
    (now.tv_sec.max(0) as u64, now.tv_nsec as u32)
}

/// How long the system has been up, times of sleep included.
pub fn since_boot() -> Duration {
    let now = read(libc::CLOCK_BOOTTIME);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Sets the wall clock.
pub fn set_wall(time: Tai) -> Result<(), Errno> {
    let (seconds, nanoseconds) = time.to_unix();
    let tv_sec = libc::time_t::try_from(seconds).map_err(|_| Errno(libc::EINVAL))?;
    let time = libc::timespec { tv_sec, tv_nsec: nanoseconds.into() };
    // SAFETY: a valid time.
    cerr(unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) }).map(drop)
}

/// What names this boot of the kernel; empty where `/proc` does not tell.
pub fn boot() -> Vec<u8> {
    let random = Dir::open("/proc/sys/kernel/random");
    let mut id = random.and_then(|random| random.read("boot_id", 64)).unwrap_or_default();
    id.retain(|byte| !byte.is_ascii_whitespace());
    id
}

/// Date and time of the day, as a calendar and a clock on the wall show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year, all digits.
    pub year: i64,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, from 0.
    pub hour: u8,
    /// The minute, from 0.
    pub minute: u8,
    /// The second, from 0.
    pub second: u8,
}

impl Civil {
    /// A moment where we are, by the variable `TZ` or `/etc/localtime`. `None`: there is no such
    /// year.
    pub fn local(unix: u64) -> Option<Civil> {
        // SAFETY: nothing of ours changes the environment, which is what it reads.
        Civil::by(unix, |time, place| unsafe { libc::localtime_r(time, place) })
    }

    /// A moment in Greenwich.
    pub fn universal(unix: u64) -> Option<Civil> {
        // SAFETY: see `by`.
        Civil::by(unix, |time, place| unsafe { libc::gmtime_r(time, place) })
    }

    /// `convert` gets valid pointers to one time and to room for one `tm`.
    fn by(
        unix: u64,
        convert: impl Fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm,
    ) -> Option<Civil> {
        let time = libc::time_t::try_from(unix).ok()?;
        let mut place = MaybeUninit::<libc::tm>::uninit();
        if convert(&raw const time, place.as_mut_ptr()).is_null() {
            return None;
        }
        // SAFETY: the conversion succeeded, so it filled the place.
        let tm = unsafe { place.assume_init() };
        Some(Civil {
            year: i64::from(tm.tm_year) + 1900,
            month: tm.tm_mon as u8 + 1,
            day: tm.tm_mday as u8,
            hour: tm.tm_hour as u8,
            minute: tm.tm_min as u8,
            second: tm.tm_sec as u8,
        })
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for one timespec. All three clocks exist on every Linux, so the
    // call cannot fail; if it did, `now` would stay zero.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_usual() {
        let shown = |unix| Civil::universal(unix).map(|civil| civil.to_string());
        assert_eq!(shown(0).as_deref(), Some("1970-01-01 00:00:00"));
        assert_eq!(shown(951_782_399).as_deref(), Some("2000-02-28 23:59:59"));
        assert_eq!(shown(u64::MAX >> 1), None);
    }
}
