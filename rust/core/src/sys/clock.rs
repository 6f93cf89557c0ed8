//! The clock: monotonic for deadlines, wall for stamps; and what clocks show where we are.

use super::dir::{Dir, Open, open};
use super::{cerr, fd};
use crate::error::Errno;
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::tai64::Tai;
use crate::wire::zone::Zone;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
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

/// The clocks of this place: those of the file or the rule that the variable `TZ` names, else those of
/// `/etc/localtime`; Greenwich's where nothing can be read (tzset(3)).
pub fn zone(environment: &Environment) -> Zone {
    let Some(name) = environment.lookup("TZ") else {
        return zone_file(Path::new("/etc/localtime")).unwrap_or_default();
    };
    let name = name.as_bytes().strip_prefix(b":").unwrap_or(name.as_bytes());
    if name.is_empty() {
        return Zone::default();
    }
    let folder = environment.lookup("TZDIR").unwrap_or(OsStr::new("/usr/share/zoneinfo"));
    let file = Path::new(folder).join(OsStr::from_bytes(name));
    zone_file(&file).or_else(|| Zone::from_rule(name)).unwrap_or_default()
}

fn zone_file(path: &Path) -> Option<Zone> {
    const MOST: usize = 1 << 18; // the largest of the database has 4 kB
    let file = open(path, Open::ReadNow).ok()?;
    Zone::from_file(&fd::read_up_to(file, MOST).ok()?)
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for one timespec. All three clocks exist on every Linux, so the
    // call cannot fail; if it did, `now` would stay zero.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now
}
