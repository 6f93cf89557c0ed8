//! Everything that is left: all of the container for PID 1, else our own descendants.
//!
//! Not being PID 1 (`docker --init`, a shared PID namespace, a shell), we are the child subreaper: whatever
//! was started below us stays below us. It is found by walking `/proc`, and nothing else is touched.

use crate::error::Errno;
use crate::machine::init::{BETWEEN_KILLS, KILLS};
use crate::sys::dir::Dir;
use crate::sys::wait::{self, Pid, PidFd};
use crate::sys::{clock, poll, process};
use crate::wire::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How often to look whether what was killed is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Sends a signal to everything left but ourselves.
pub(super) fn signal_everything(signal: Signal) {
    if process::own_pid() == 1 {
        let _ = process::kill_everything(signal); // nobody left: nobody to tell
        return;
    }
    let Ok(proc) = Dir::open("/proc") else { return };
    // A process may fork while we look: whoever is new in the next look gets it, too.
    let mut told = BTreeSet::new();
    for _ in 0..16 {
        let mut news = false;
        for (pid, start) in descendants(&proc) {
            if told.insert((pid, start)) {
                news = true;
                tell(&proc, pid, start, signal);
            }
        }
        if !news {
            return;
        }
    }
}

/// Kills everything left, and waits for its end: as long as the init machine would.
pub(super) fn end_everything() {
    for _ in 0..KILLS {
        signal_everything(Signal::SIGKILL);
        let soon = clock::monotonic() + BETWEEN_KILLS;
        while clock::monotonic() < soon {
            while wait::next_dead().is_some() {}
            if !wait::has_children() {
                return;
            }
            let _ = poll::readable(&[], Some(clock::monotonic() + LOOK_AGAIN));
        }
    }
}

/// Signals exactly this process: the pid is held before it is looked at again.
fn tell(proc: &Dir, pid: i32, start: u64, signal: Signal) {
    let Some(pid) = Pid::new(pid) else { return };
    match PidFd::open(pid) {
        Ok(held) => {
            if look(proc, pid.number()).is_some_and(|(_, found)| found == start) {
                let _ = held.kill(signal); // it may be gone by now
            }
        }
        // A kernel or a seccomp profile without pidfds.
        Err(Errno(libc::ENOSYS | libc::EPERM)) => drop(pid.kill(signal)),
        Err(_) => {}
    }
}

/// All processes below us: pid, and when it started.
fn descendants(proc: &Dir) -> Vec<(i32, u64)> {
    let mut all = BTreeMap::new();
    for name in proc.names().unwrap_or_default() {
        let number = std::str::from_utf8(name.as_bytes()).ok().and_then(|name| name.parse().ok());
        if let Some((pid, seen)) = number.and_then(|pid| Some((pid, look(proc, pid)?))) {
            all.insert(pid, seen);
        }
    }
    let own = process::own_pid();
    let is_below = |pid: i32| {
        let mut at = pid;
        // The chain of parents has no circle, but it was read while it changed.
        for _ in 0..all.len() {
            match all.get(&at) {
                Some(&(parent, _)) if parent == own => return true,
                Some(&(parent, _)) => at = parent,
                None => return false,
            }
        }
        false
    };
    all.iter().filter(|(pid, _)| is_below(**pid)).map(|(pid, (_, start))| (*pid, *start)).collect()
}

/// Parent and start time of a process.
fn look(proc: &Dir, pid: i32) -> Option<(i32, u64)> {
    let stat = proc.read(format!("{pid}/stat"), 4096).ok()?;
    parse(&stat)
}

/// Of `pid (name) state ppid … starttime`; the name may hold anything, so count from its last bracket.
fn parse(stat: &[u8]) -> Option<(i32, u64)> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(17)?.parse().ok()?;
    Some((parent, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        let stat = b"12 (a) b) (c) S 7 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99887 1 1";
        assert_eq!(parse(stat), Some((7, 99887)));
        assert_eq!(parse(b"12 (a"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn our_own_line_is_read() {
        let proc = Dir::open("/proc").expect("mounted");
        let (parent, _) = look(&proc, process::own_pid()).expect("we are there");
        assert_eq!(parent, process::parent_pid());
    }
}
