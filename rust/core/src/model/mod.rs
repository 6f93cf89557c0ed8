//! Run-time directories ⇄ types.

pub mod service_dir;
