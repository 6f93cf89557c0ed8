//! Bytes ⇄ types: every format on disk and on the wire. No files, no clock, no system calls.

pub mod access_rules;
pub mod bencode;
pub mod blake2s;
pub mod cdb;
pub mod clock;
pub mod control;
pub mod environment;
pub mod fdholder;
pub mod fix_attrs;
pub mod ftrigr;
pub mod log_journal;
pub mod log_script;
pub mod message;
pub mod mount;
pub mod notice;
pub mod plan;
pub mod process_stat;
pub mod quoting;
pub mod signal;
pub mod status;
pub mod sudo;
pub mod syslog;
pub mod tai64;
pub mod tally;
pub mod wait_status;
pub mod zone;
