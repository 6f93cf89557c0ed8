//! Small utilities for scripts: what an image without coreutils still has (contract execline §5).

pub mod clock;
pub mod echo;
pub mod env;
pub mod expr;
pub mod format_filter;
pub mod freeramdisk;
pub mod hostname;
pub mod logwatch;
pub mod maximumtime;
pub mod mount;
pub mod nice;
pub mod nuke;
pub mod pause;
pub mod ps;
pub mod quote;
pub mod quote_filter;
pub mod rngseed;
pub mod root;
pub mod seekablepipe;
pub mod sleep;
pub mod swap;
pub mod tai64ndiff;
pub mod verdict;
