//! Subscriptions to event directories.

use crate::error::{Failure, Result};
use crate::wait;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use s6x_core::run::fifodir;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A subscription to an event directory.
#[pyclass(frozen, module = "s6x._core")]
pub(crate) struct Subscription(Mutex<Option<Arc<fifodir::Subscription>>>);

#[pymethods]
impl Subscription {
    /// Subscribes.
    #[new]
    fn to(path: PathBuf) -> Result<Subscription> {
        let subscription = fifodir::Subscription::to(path)?;
        Ok(Subscription(Mutex::new(Some(Arc::new(subscription)))))
    }

    /// The descriptor that becomes readable with an event.
    fn fileno(&self) -> Result<RawFd> {
        Ok(self.open()?.as_fd().as_raw_fd())
    }

    /// The event letters that have arrived.
    fn take<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.open()?.take()))
    }

    /// Waits for an event.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> Result<bool> {
        let subscription = self.open()?;
        let deadline = wait::deadline(timeout)?;
        wait::readable(py, &[subscription.as_fd()], deadline)
    }

    /// Unsubscribes.
    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Subscription {
    /// Shared, so that a thread that waits keeps the descriptor open when another one closes.
    fn open(&self) -> Result<Arc<fifodir::Subscription>> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clone().ok_or_else(|| Failure::Argument("the subscription is closed".into()))
    }
}
