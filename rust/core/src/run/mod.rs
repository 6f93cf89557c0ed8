//! Drivers: wait, feed a machine, perform what it decided.

pub mod fifodir;
pub mod observe;
