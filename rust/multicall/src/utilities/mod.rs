//! Small utilities for scripts: what an image without coreutils still has (contract execline §5).

mod modes;
mod output;

pub mod cat;
pub mod chmod;
pub mod chown;
pub mod clock;
pub mod echo;
pub mod env;
pub mod expr;
pub mod format_filter;
pub mod hiercopy;
pub mod linkname;
pub mod ls;
pub mod maximumtime;
pub mod mkdir;
pub mod mkfifo;
pub mod names;
pub mod nice;
pub mod nuke;
pub mod pause;
pub mod quote;
pub mod quote_filter;
pub mod rename;
pub mod rmrf;
pub mod seekablepipe;
pub mod seq;
pub mod sleep;
pub mod sync;
pub mod tai64ndiff;
pub mod touch;
pub mod verdict;
