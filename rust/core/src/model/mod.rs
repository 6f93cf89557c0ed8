//! Run-time directories ⇄ types.

pub mod envdir;
pub mod scan_dir;
pub mod service_dir;
