//! Run-time directories ⇄ types.

pub mod scan_dir;
pub mod service_dir;
