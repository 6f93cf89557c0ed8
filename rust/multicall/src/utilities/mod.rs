//! Small utilities for scripts: what an image without coreutils still has (contract execline §5).

pub mod echo;
