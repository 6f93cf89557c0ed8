//! Waiting without the GIL, and without keeping Python's signal handlers waiting.

use crate::error::{Failure, Result};
use pyo3::Python;
use s6x_core::Error;
use s6x_core::sys::{clock, poll};
use s6x_core::wire::clock::Monotonic;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How long a signal's Python handler may have to wait for us.
const SLICE: Duration = Duration::from_millis(100);

/// The deadline that lies `timeout` seconds ahead; `None`: none.
pub(crate) fn deadline(timeout: Option<f64>) -> Result<Option<Monotonic>> {
    let Some(seconds) = timeout else { return Ok(None) };
    let wrong = |_| Failure::Argument(format!("a timeout of {seconds} seconds makes no sense"));
    let delay = Duration::try_from_secs_f64(seconds).map_err(wrong)?;
    Ok(Some(clock::monotonic() + delay))
}

/// Until when to wait before Python is asked whether a signal has come.
pub(crate) fn slice(deadline: Option<Monotonic>) -> Monotonic {
    let slice = clock::monotonic() + SLICE;
    deadline.map_or(slice, |deadline| deadline.min(slice))
}

/// Waits until one of `fds` can be read (`true`) or the deadline has passed (`false`). Raises what
/// a signal handler raises.
pub(crate) fn readable(
    py: Python<'_>,
    fds: &[BorrowedFd<'_>],
    deadline: Option<Monotonic>,
) -> Result<bool> {
    loop {
        let slice = slice(deadline);
        let ready = py
            .detach(|| poll::readable(fds, Some(slice)))
            .map_err(|errno| Failure::Core(Error::system("wait", errno)))?;
        if ready.contains(&true) {
            return Ok(true);
        }
        py.check_signals()?;
        if deadline.is_some_and(|deadline| deadline <= clock::monotonic()) {
            return Ok(false);
        }
    }
}
