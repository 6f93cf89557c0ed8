//! Logging: the logger, and filters for log lines.

pub mod log;
pub mod socklog;
pub mod tai64n;
pub mod tai64nlocal;
pub mod ucspilogd;

use crate::{Failure, Invocation};
use s6x_core::sys::fd;
use std::os::fd::OwnedFd;

/// The descriptor of `-d`.
fn readiness(call: &Invocation) -> Result<Option<OwnedFd>, Failure> {
    let Some(number) = call.number('d')? else { return Ok(None) };
    if number < 3 {
        return Err(Failure::new(100, format!("option -d: {number} is less than 3")));
    }
    let taken = i32::try_from(number).ok().and_then(|number| fd::take_inherited(number).ok());
    let closed = || Failure::new(100, format!("option -d: descriptor {number} is not open"));
    taken.ok_or_else(closed).map(Some)
}
