//! What decides: pure state machines, `(state, now, event) → actions`.
//!
//! No system calls, no clock, no files, no logging. Time comes in as a value, deeds go out as
//! values; the drivers in [`crate::run`] do them. A machine that is wrong can be caught by a test that
//! needs no process.

pub mod connections;
pub mod fdholder;
pub mod init;
pub mod log;
pub mod scan;
pub mod supervise;
pub mod wait;
