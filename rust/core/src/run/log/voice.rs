//! What the logger says about itself.

use crate::error::Error;
use crate::sys::fd;

/// How much is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    /// 0: only what is fatal.
    pub(super) verbosity: u32,
}

impl Voice {
    /// A warning.
    pub(super) fn warn(self, message: &str) {
        if self.verbosity > 0 {
            fd::complain(&format!("s6-log: warning: {message}\n"));
        }
    }

    /// A warning of something that could not be done, and is tried again or left.
    pub(super) fn warn_of(self, error: &Error) {
        self.warn(&error.to_string());
    }
}
