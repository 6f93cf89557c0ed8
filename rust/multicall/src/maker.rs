//! What the makers of services have in common: options for the logger beside a service (contract s6
//! §1.6, §1.9).

use crate::options::{Opt, value};
use crate::{Failure, Invocation};
use s6x_core::run::service_maker::Logging;
use std::ffi::OsStr;

/// Whom the logger runs as.
pub(crate) const LOG_USER: Opt = value('l', "loguser", "run the logger as this user");
/// How it stamps lines.
pub(crate) const STAMPS: Opt =
    value('t', "stamptype", "lines are stamped: 0 no, 1 TAI64N, 2 ISO 8601, 3 both (1)");
/// How much it keeps.
pub(crate) const ARCHIVES: Opt = value('n', "nfiles", "the logger keeps so many archives (10)");
/// In which pieces.
pub(crate) const SIZE: Opt = value('s', "filesize", "of so many bytes (1000000)");
/// And altogether.
pub(crate) const TOTAL: Opt =
    value('S', "maxsize", "and so many in all (0: as many as that makes)");
/// What it puts before lines.
pub(crate) const PREFIX: Opt = value('P', "prefix", "stands before every line");

/// What these options say of a logger that logs into this directory.
pub(crate) fn logging<'a>(
    call: &'a Invocation,
    directory: &'a OsStr,
) -> Result<Logging<'a>, Failure> {
    let stamps = call.number('t')?.unwrap_or(1);
    if stamps > 3 {
        return Err(Failure::new(100, "option -t: the stamp type is 0, 1, 2 or 3"));
    }
    Ok(Logging {
        user: call.value('l'),
        directory,
        stamps,
        archives: call.number('n')?.unwrap_or(10),
        size: call.large_number('s')?.unwrap_or(1_000_000),
        total: call.large_number('S')?.unwrap_or(0),
        prefix: call.value('P'),
    })
}
