//! s6x-core: machines, formats and drivers of container init and process supervision.
//!
//! Layers, each using only those above it in this list (`docs/architecture.md`):
//! [`wire`] turns bytes into types and back; [`sys`] is the only place with unsafe code, the
//! clock and raw system calls; [`regex`] matches; [`model`] reads run-time directories; [`machine`] decides, purely;
//! [`run`] waits, feeds a machine and performs what it decided.

pub mod error;
pub mod execline;
pub mod machine;
pub mod model;
pub mod regex;
pub mod run;
pub mod sys;
pub mod wire;

pub use error::{Error, Result};
