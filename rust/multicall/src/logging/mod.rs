//! Logging: the logger, and filters for log lines.

pub mod log;
pub mod tai64n;
pub mod tai64nlocal;
pub mod ucspilogd;
