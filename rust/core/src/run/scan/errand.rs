//! Forking supervisors from the scanner.

use crate::error::{Errno, Why, shown};
use crate::machine::scan::SUPERVISED_ALREADY;
use crate::run::Inheritance;
use crate::run::supervise::{Mission, supervise};
use crate::sys::wait::Pid;
use crate::sys::{fd, offspring, process};
use std::ffi::{CString, OsStr};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many supervisors are forked in one go.
pub(super) const BATCH: usize = 64;

/// Forks one supervisor for each errand. Between two forks nothing is written but this frame, which the
/// children give back: whatever else the scanner wrote, each child would keep an old copy of for
/// itself, where now a whole batch shares one.
pub(super) fn fork_all(
    errands: &[Result<Errand, Errno>],
    stack_end: Option<usize>,
) -> [Result<Pid, Errno>; BATCH] {
    let mut forked = [Err(Errno::NOT_FOUND); BATCH];
    for (result, errand) in forked.iter_mut().zip(errands) {
        *result = match errand {
            Ok(errand) => offspring::spawn(errand, stack_end, be_supervisor),
            Err(errno) => Err(*errno),
        };
    }
    forked
}

/// What a forked supervisor is to do.
#[derive(Clone)]
pub(super) struct Errand {
    /// `foo` or `foo/log`.
    pub(super) argument: Vec<u8>,
    pub(super) mission: Mission,
    /// The scanner's descriptors that become standard ones.
    pub(super) places: [Option<(RawFd, RawFd)>; 2],
    pub(super) inheritance: Inheritance,
}

/// The life of a supervisor forked from the scanner. It shares memory pages with it, and nothing
/// else: descriptors, signals and title become its own.
#[expect(clippy::needless_pass_by_value, reason = "the life of its owner")]
fn be_supervisor(errand: Errand) -> ! {
    for (from, to) in errand.places.into_iter().flatten() {
        let _ = fd::place_number(from, to);
    }
    fd::close_all_but_standard();
    if let Some(title) = errand.inheritance.title {
        title.set(&[b"s6-supervise", &errand.argument]);
    }
    let path = Path::new(OsStr::from_bytes(&errand.argument));
    let name = CString::new(errand.argument.as_slice()).unwrap_or_default();
    let code = match supervise(path, name, errand.inheritance.env, errand.mission) {
        Ok(()) => 0,
        Err(error) => {
            let shown = shown(path);
            fd::complain(&format!("s6-supervise {shown}: fatal: {error}\n"));
            if error.why == Why::Busy { SUPERVISED_ALREADY } else { 111 }
        }
    };
    process::exit_now(code)
}
