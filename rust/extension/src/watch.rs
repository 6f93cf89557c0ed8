//! Waiting for services to reach a state.

use crate::error::{Failure, Result};
use crate::wait;
use pyo3::prelude::*;
use s6x_core::machine::wait::{Enough, Goal};
use s6x_core::run::observe;
use s6x_core::sys::clock;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Services that are being waited for.
#[pyclass(frozen, module = "s6x._core")]
pub(crate) struct Watch(Mutex<Option<observe::Watch>>);

#[pymethods]
impl Watch {
    /// Starts to watch.
    #[new]
    #[pyo3(signature = (services, goal, *, any=false))]
    fn on(services: Vec<PathBuf>, goal: &str, any: bool) -> Result<Watch> {
        let enough = if any { Enough::Any } else { Enough::All };
        let watch = observe::Watch::on(&services, named(goal)?, enough)?;
        Ok(Watch(Mutex::new(Some(watch))))
    }

    /// The descriptors that become readable with events.
    fn filenos(&self, py: Python<'_>) -> Result<Vec<RawFd>> {
        self.with(py, |watch| Ok(watch.descriptors().iter().map(AsRawFd::as_raw_fd).collect()))
    }

    /// Waits; how many services will never get there, or None when the time is over.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> Result<Option<usize>> {
        let deadline = wait::deadline(timeout)?;
        loop {
            let slice = wait::slice(deadline);
            if let Some(lost) = self.with(py, |watch| Ok(watch.until(Some(slice))?))? {
                return Ok(Some(lost));
            }
            py.check_signals()?;
            if deadline.is_some_and(|deadline| deadline <= clock::monotonic()) {
                return Ok(None);
            }
        }
    }

    /// Ends the subscriptions.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Watch {
    /// Without the GIL from before the lock to after it: two threads can never wait for each other.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mut observe::Watch) -> Result<T> + Send,
    ) -> Result<T> {
        py.detach(|| {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let closed = || Failure::Argument("the watch is closed".into());
            ask(inner.as_mut().ok_or_else(closed)?)
        })
    }
}

fn named(goal: &str) -> Result<Goal> {
    match goal {
        "up" => Ok(Goal::Up),
        "ready" => Ok(Goal::UpReady),
        "down" => Ok(Goal::Down),
        "finished" => Ok(Goal::DownReady),
        "restarted" => Ok(Goal::Restart),
        "ready-again" => Ok(Goal::RestartReady),
        _ => Err(Failure::Argument(format!(
            "{goal:?} is nothing to wait for: use up, ready, down, finished, restarted or ready-again"
        ))),
    }
}
