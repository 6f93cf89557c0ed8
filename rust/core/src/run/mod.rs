//! Drivers: wait, feed a machine, perform what it decided.

pub mod channel;
pub mod control;
pub mod fdholder;
pub mod fifodir;
pub mod fix_attrs;
pub mod ftrigrd;
pub mod init;
pub mod linking;
mod listening;
pub mod log;
pub mod notify_socket;
pub mod observe;
pub mod relay;
pub mod scan;
mod script;
pub mod service_maker;
pub mod socklog;
pub mod sudo;
pub mod super_server;
pub mod supervise;
pub mod tree;

use crate::sys::title::Title;
use std::ffi::CString;

/// What a daemon got from whoever started it: kept as values, because showing a title overwrites the
/// memory that they came in, and for the life of the process, because every child uses them.
#[derive(Clone, Copy, Debug)]
pub struct Inheritance {
    /// The environment for services, `NAME=value` each.
    pub env: &'static [CString],
    /// Where `ps` looks for our command line.
    pub title: Option<Title>,
}

impl Inheritance {
    /// Keeps an environment for the life of the process.
    pub fn new(env: Vec<CString>, title: Option<Title>) -> Inheritance {
        Inheritance { env: Vec::leak(env), title }
    }
}
