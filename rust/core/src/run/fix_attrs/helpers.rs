//! Other processes that go through a part of a long tree.
//!
//! Where the disk has to be asked, a second walk asks while the first one waits. There are no threads: a helper is a fork that
//! takes half of the directories that are waiting in a level, tells in the end how many files it has
//! looked at, and never comes back. Short trees have none.

use super::report::{Counts, Report};
use crate::error::Errno;
use crate::sys::process::{self, Side};
use crate::sys::wait::{self, Pid};
use crate::sys::{clock, fd, host, poll};
use crate::wire::wait_status::{Ending, WaitStatus};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// How long a rule takes before it is worth a fork.
const LONG: Duration = Duration::from_millis(100);
/// More processes than this only stand in each other's way.
const MOST: usize = 4;
/// How often to speak of progress while nothing is left but to wait.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many helpers there are processors for.
pub fn spare_processors() -> usize {
    host::processors().min(MOST) - 1
}

/// The helpers of a walk.
pub(super) struct Helpers {
    most: usize,
    after: Duration,
    running: Vec<(Pid, OwnedFd)>,
    /// How many there have been.
    pub(super) started: usize,
}

/// On which side of a fork we are.
pub(super) enum Half {
    /// The walk that was, without what it gave away.
    Ours,
    /// The helper, and whom it tells in the end.
    Theirs(OwnedFd),
}

impl Helpers {
    /// So many at once.
    pub(super) fn new(most: usize) -> Helpers {
        Helpers { most, after: LONG, running: Vec::new(), started: 0 }
    }

    /// Whether somebody could take a part. Those who are done are heard first.
    pub(super) fn are_wanted(&mut self, report: &mut Report<'_>) -> bool {
        if self.most == 0 || report.passed() < self.after {
            return false;
        }
        if self.running.len() == self.most {
            let done = |(pid, _): &(Pid, OwnedFd)| wait::reap(*pid);
            let ended =
                self.running.iter().enumerate().find_map(|(at, one)| Some((at, done(one)?)));
            let Some((at, status)) = ended else { return false };
            let (_, told) = self.running.swap_remove(at);
            hear(&told, status, report);
        }
        true
    }

    /// Forks a helper.
    pub(super) fn fork(&mut self) -> Result<Half, Errno> {
        let (told, telling) = fd::pipe()?;
        match process::fork()? {
            Side::Parent(pid) => {
                self.running.push((pid, told));
                self.started += 1;
                Ok(Half::Ours)
            }
            Side::Child => {
                process::die_with_parent();
                *self = Helpers::new(0);
                Ok(Half::Theirs(telling))
            }
        }
    }

    /// Waits for all of them.
    pub(super) fn join(&mut self, report: &mut Report<'_>) {
        while let Some((pid, told)) = self.running.pop() {
            let ended = || poll::readable(&[told.as_fd()], Some(clock::monotonic() + LOOK_AGAIN));
            while ended().is_ok_and(|ready| !ready.contains(&true)) {
                report.went_on();
            }
            if let Some(status) = wait::wait_for(pid) {
                hear(&told, status, report);
            }
        }
    }
}

/// The last words of a helper.
pub(super) fn tell(counts: Counts, telling: &OwnedFd) -> ! {
    let told = fd::write_all(telling, &counts.to_bytes());
    process::exit_now(u8::from(told.is_err()))
}

fn hear(told: &OwnedFd, status: WaitStatus, report: &mut Report<'_>) {
    let said = fd::read_up_to(told, Counts::SIZE).ok();
    match (status.ending(), said.as_deref().and_then(Counts::from_bytes)) {
        (Ending::Exited(0), Some(counts)) => report.add(counts),
        (Ending::Exited(_) | Ending::Killed(_), _) => {
            report.problem_of_rule(
                "a process that went through a part of it did not come to its end: run it again",
            );
        }
    }
}

#[cfg(test)]
impl Helpers {
    /// So many at once, and at once.
    pub(super) fn impatient(most: usize) -> Helpers {
        Helpers { after: Duration::ZERO, ..Helpers::new(most) }
    }
}
