//! What a supervisor publishes: status and death tally.

use crate::error::Result;
use pyo3::prelude::*;
use s6x_core::Error;
use s6x_core::wire::tai64::Tai;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use s6x_core::wire::{status, tally};

/// The content of a status file.
#[pyclass(frozen, eq, get_all, module = "s6x._core")]
#[derive(PartialEq, Debug)]
pub(crate) struct Status {
    stamp_ns: u64,
    ready_stamp_ns: u64,
    pid: Option<u64>,
    pgid: Option<u64>,
    exit_code: Option<u8>,
    signal: Option<u8>,
    up: bool,
    paused: bool,
    finishing: bool,
    wanted_up: bool,
    ready: bool,
    not_started: bool,
}

impl From<status::Status> for Status {
    fn from(status: status::Status) -> Status {
        let (exit_code, signal) = ending(status.wait_status);
        Status {
            stamp_ns: unix_ns(status.stamp),
            ready_stamp_ns: unix_ns(status.ready_stamp),
            pid: Some(status.pid).filter(|&pid| pid != 0),
            pgid: Some(status.pgid).filter(|&pgid| pgid != 0),
            exit_code,
            signal,
            up: status.is_up(),
            paused: status.paused && !status.is_not_started_yet(),
            finishing: status.finishing,
            wanted_up: status.wanted_up,
            ready: status.ready,
            not_started: status.is_not_started_yet(),
        }
    }
}

/// One record of a death tally.
#[pyclass(frozen, eq, get_all, module = "s6x._core")]
#[derive(PartialEq, Debug)]
pub(crate) struct Death {
    stamp_ns: u64,
    exit_code: Option<u8>,
    signal: Option<u8>,
}

impl From<tally::Death> for Death {
    fn from(death: tally::Death) -> Death {
        Death {
            stamp_ns: unix_ns(death.stamp),
            exit_code: (death.signal == 0).then_some(death.code),
            signal: Some(death.signal).filter(|&signal| signal != 0),
        }
    }
}

/// Decodes a status file's bytes.
#[pyfunction]
pub(crate) fn decode_status(content: &[u8]) -> Result<Status> {
    let how = || {
        let size = content.len();
        Error::malformed("decode a status", format!("{size} bytes are no layout that s6 ever had"))
    };
    Ok(status::Status::unpack(content).ok_or_else(how)?.into())
}

/// Decodes a death tally's bytes.
#[pyfunction]
pub(crate) fn decode_tally(content: &[u8]) -> Vec<Death> {
    tally::unpack(content).into_iter().map(Death::from).collect()
}

/// Exit code and signal, one of them.
pub(crate) fn ending(status: WaitStatus) -> (Option<u8>, Option<u8>) {
    match status.ending() {
        Ending::Exited(code) => (Some(code), None),
        Ending::Killed(signal) => (None, Some(signal.number())),
    }
}

/// Nanoseconds of Unix time; they reach to the year 2554.
fn unix_ns(stamp: Tai) -> u64 {
    let (seconds, nanoseconds) = stamp.to_unix();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.into())
}
