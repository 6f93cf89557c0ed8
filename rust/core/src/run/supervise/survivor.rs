//! What an earlier supervisor left running when it was killed.
//!
//! The originals start a second copy of the service beside the first (contract s6 §6). We do not:
//! every child, before its exec, writes its own line of `/proc/self/stat` to `supervise/child`. The new
//! supervisor compares that line with the process that has this pid now: same boot of the kernel, same pid
//! and same start time is the same process. (A service directory may live on a disk, and the next boot may
//! start another process with the same pid at the same time.) The lock makes it airtight: a child holds the supervisor's lock until its exec, so
//! nobody can look for a survivor before the record is written.

use super::child::Child;
use crate::machine::supervise::Program;
use crate::sys::dir::Dir;
use crate::sys::wait::{Pid, PidFd};
use crate::wire::status::Status;
use crate::wire::tai64::Tai;
use crate::wire::wait_status::WaitStatus;

/// The record's name below `supervise`.
pub(super) const RECORD: &str = "child";

/// What the record of a program begins with.
pub(super) fn mark(program: Program, boot: &[u8]) -> Vec<u8> {
    let name: &[u8] = match program {
        Program::Run => b"run",
        Program::Finish => b"finish",
    };
    [name, b" ", boot, b"\n"].concat()
}

/// The process that the last supervisor of this service was running, if it still runs, and the
/// status to go on from.
pub(super) fn find(supervise: &Dir, boot: &[u8], now: Tai) -> Option<(Program, Child, Status)> {
    let record = supervise.read(RECORD, 512).ok()?;
    let (program, stat) = [Program::Run, Program::Finish].into_iter().find_map(|program| {
        let stat = record.strip_prefix(mark(program, boot).as_slice())?;
        Some((program, stat))
    })?;
    let recorded = Identity::parse(stat)?;
    let held = PidFd::open(recorded.pid).ok()?;
    // Checked after it is held: from here on the pid cannot come to mean another process.
    let proc = Dir::open(format!("/proc/{}", recorded.pid.number())).ok()?;
    let current = Identity::parse(&proc.read("stat", 512).ok()?)?;
    if current != recorded || held.has_ended() {
        return None;
    }
    let published = supervise.read("status", 64).ok().and_then(|bytes| Status::unpack(&bytes));
    let status = match published {
        Some(status) if status.pid == recorded.pid.number() as u64 => status,
        // Killed between the start and the publication.
        Some(status) => Status { stamp: now, ready: false, paused: false, ..status },
        None => fresh(now),
    };
    Some((program, Child::Adopted(recorded.pid, held), status))
}

/// How a dead process ended that its parent has not reaped yet. Afterwards only its descriptor
/// knows, and only on new kernels.
pub(super) fn zombie_ending(pid: Pid) -> Option<WaitStatus> {
    let stat =
        Dir::open(format!("/proc/{}", pid.number())).and_then(|proc| proc.read("stat", 1024));
    let text = String::from_utf8_lossy(&stat.ok()?).into_owned();
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.trim_end().split(' ');
    let (state, exit_code) = (fields.next()?, fields.nth(52 - 4)?);
    if state == "Z" { exit_code.parse().ok().map(WaitStatus) } else { None }
}

fn fresh(now: Tai) -> Status {
    Status {
        stamp: now,
        ready_stamp: now,
        pid: 0,
        pgid: 0,
        wait_status: WaitStatus(0),
        paused: false,
        finishing: false,
        wanted_up: true,
        ready: false,
    }
}

/// What makes a process that process: its pid, and when it was started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity {
    pid: Pid,
    start_time: u64,
}

impl Identity {
    /// From a line of `/proc/PID/stat`: `pid (name) state …`, start time in the 22nd field. The name
    /// may hold anything, so the fields are counted from the last parenthesis.
    fn parse(stat: &[u8]) -> Option<Identity> {
        let text = String::from_utf8_lossy(stat);
        let (head, rest) = text.rsplit_once(") ")?;
        let pid = head.split(' ').next()?.parse().ok().and_then(Pid::new)?;
        let start_time = rest.split(' ').nth(22 - 3)?.parse().ok()?;
        Some(Identity { pid, start_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_a_line_whatever_the_name() {
        let stat = b"42 (a) b ) S 1 42 42 0 -1 4194304 86 0 0 0 0 0 0 0 20 0 1 0 987654 2560 1\n";
        let identity = Identity::parse(stat).expect("a stat line");
        assert_eq!((identity.pid.number(), identity.start_time), (42, 987_654));
    }

    proptest! {
        #[test]
        fn any_record_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Identity::parse(&bytes);
        }
    }
}
