//! File modes, as scripts give them.

use crate::invocation::{self, quoted};
use crate::{Failure, Invocation};
use std::ffi::OsStr;

/// The bits that a mode can have.
const ALL: u32 = 0o7777;

/// A mode in octal digits, which must fill the whole word; `of` says where it stands. What is beyond the
/// bits that a mode can have is dropped.
pub(super) fn octal(of: &str, word: &OsStr) -> Result<u32, Failure> {
    let wrong = || Failure::usage(format!("{of}: {} is not an octal number", quoted(word)));
    Ok(invocation::octal(word).ok_or_else(wrong)? & ALL)
}

/// The value of `-m`.
pub(super) fn option(call: &Invocation) -> Result<Option<u32>, Failure> {
    call.value('m').map(|word| octal("option -m", word)).transpose()
}
