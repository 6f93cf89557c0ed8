//! Run-time directories ⇄ types.

pub mod access_rules;
pub mod envdir;
pub mod ownership;
pub mod runtime;
pub mod scan_dir;
pub mod service_dir;
