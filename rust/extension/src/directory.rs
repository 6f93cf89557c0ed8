//! Service and scan directories by path: reading, asking, commanding.

use crate::error::{Failure, Result};
use crate::status::{Death, Status};
use pyo3::prelude::*;
use s6x_core::error::Errno;
use s6x_core::model::scan_dir;
use s6x_core::run::{control, fifodir, observe};
use s6x_core::sys::process;
use s6x_core::wire::control::{Control, ScanControl};
use std::ffi::OsString;
use std::path::PathBuf;

/// Reads and decodes the status of a service directory.
#[pyfunction]
pub(crate) fn read_status(service: PathBuf) -> Result<Status> {
    Ok(observe::status(&service)?.into())
}

/// Reads and decodes the death tally of a service directory.
#[pyfunction]
pub(crate) fn read_tally(service: PathBuf) -> Result<Vec<Death>> {
    Ok(observe::deaths(&service)?.into_iter().map(Death::from).collect())
}

/// Whether a supervisor holds a service directory.
#[pyfunction]
pub(crate) fn is_supervised(service: PathBuf) -> Result<bool> {
    Ok(observe::is_supervised(&service)?)
}

/// Whether a scanner holds a scan directory.
#[pyfunction]
pub(crate) fn is_scanned(scandir: PathBuf) -> Result<bool> {
    Ok(observe::is_scanned(&scandir)?)
}

/// Where to look for the running scan directory, best first.
#[pyfunction]
pub(crate) fn scandir_places() -> Vec<OsString> {
    let environment = std::env::vars_os().collect();
    scan_dir::places(&environment).map(PathBuf::into_os_string).collect()
}

/// Sends control letters to a supervisor.
#[pyfunction]
pub(crate) fn send(service: PathBuf, letters: &str) -> Result<()> {
    let controls = each(letters, "a supervisor", Control::from_letter)?;
    Ok(control::service(&service, &controls)?)
}

/// Sends control letters to a scanner.
#[pyfunction]
pub(crate) fn send_scanner(scandir: PathBuf, letters: &str) -> Result<()> {
    let controls = each(letters, "a scanner", ScanControl::from_letter)?;
    Ok(control::scanner(&scandir, &controls)?)
}

/// Makes the event directory of a service that was never supervised.
#[pyfunction]
pub(crate) fn make_events(service: PathBuf) -> Result<()> {
    let (_, group) = process::effective_ids();
    match fifodir::make(&service.join("event"), Some(group)) {
        Err(error) if error.errno() == Some(Errno::EXISTS) => Ok(()),
        result => Ok(result?),
    }
}

fn each<T>(letters: &str, whom: &str, known: fn(u8) -> Option<T>) -> Result<Vec<T>> {
    let control = |letter: char| {
        let control = u8::try_from(letter).ok().and_then(known);
        control.ok_or_else(|| Failure::Argument(format!("{letter:?} asks {whom} for nothing")))
    };
    letters.chars().map(control).collect()
}
