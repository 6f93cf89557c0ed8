//! Blocks that are run as children (contract execline §0.3, §0.4).

use crate::chain::Beside;
use crate::{Failure, Invocation};
use s6x_core::error::{Errno, shown};
use s6x_core::sys::wait::{self, Pid};
use s6x_core::wire::environment::Environment;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use std::ffi::OsString;
use std::path::Path;

/// Starts a block with our descriptors and signal mask.
pub(super) fn start(
    call: &Invocation,
    words: &[OsString],
    environment: &Environment,
) -> Result<Pid, Failure> {
    let started = Beside::plain(words, environment).start(call);
    started.map_err(|errno| Failure::new(111, not_started(words, errno)))
}

/// Why a block's first word could not be executed.
pub(super) fn not_started(words: &[OsString], errno: Errno) -> String {
    let name = words.first().map(|word| shown(Path::new(word))).unwrap_or_default();
    format!("unable to spawn {name}: {errno}")
}

/// Waits for a child of ours, and no other.
pub(super) fn wait(pid: Pid) -> Result<WaitStatus, Failure> {
    let gone = || Failure::new(111, "unable to wait for the child: No child process");
    wait::wait_for(pid).ok_or_else(gone)
}

/// Runs a block to its end; an empty one succeeds.
pub(super) fn run(call: &Invocation, words: &[OsString]) -> Result<WaitStatus, Failure> {
    if words.is_empty() {
        return Ok(WaitStatus::exited(0));
    }
    start(call, words, &call.environment).and_then(wait)
}

/// Runs a block to its end for its code; being killed by a signal is a failure of the command, unless
/// `crashes_count` like other codes (option -X).
pub(super) fn test(
    call: &Invocation,
    words: &[OsString],
    crashes_count: bool,
) -> Result<u8, Failure> {
    let status = run(call, words)?;
    match status.ending() {
        Ending::Killed(signal) if !crashes_count => {
            let number = signal.number();
            Err(Failure::new(128 + number, format!("child crashed with signal {number}")))
        }
        Ending::Killed(_) | Ending::Exited(_) => Ok(status.folded()),
    }
}
