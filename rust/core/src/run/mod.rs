//! Drivers: wait, feed a machine, perform what it decided.

pub mod control;
pub mod fifodir;

pub mod fix_attrs;
pub mod linking;
pub mod notify_socket;
pub mod observe;
pub mod scan;
pub mod supervise;
pub mod tree;

use crate::sys::title::Title;
use std::ffi::CString;

/// What a daemon got from whoever started it: kept as a value, because showing a title overwrites
/// the memory that it came in.
#[derive(Debug)]
pub struct Inheritance<'a> {
    /// The environment for services, `NAME=value` each.
    pub env: Vec<CString>,
    /// Where `ps` looks for our command line.
    pub title: Option<&'a Title>,
}
