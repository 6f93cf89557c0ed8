//! Container boot, and the programs that scripts of s6-overlay use.

pub mod contenv;
pub mod fix_attrs;
pub mod init;
pub mod justc_envdir;
pub mod logutil;
pub mod newfifo;
pub mod with_retries;
