//! File modes, as scripts give them.

use crate::invocation::quoted;
use crate::{Failure, Invocation};
use std::ffi::OsStr;

/// The bits that a mode can have.
const ALL: u32 = 0o7777;

/// A mode in octal digits, which must fill the whole word; `of` says where it stands. What is beyond the
/// bits that a mode can have is dropped.
pub(super) fn octal(of: &str, word: &OsStr) -> Result<u32, Failure> {
    let wrong = || Failure::usage(format!("{of}: {} is not an octal number", quoted(word)));
    let text = word.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let mode = text.and_then(|text| u32::from_str_radix(text, 8).ok());
    Ok(mode.ok_or_else(wrong)? & ALL)
}

/// The value of `-m`.
pub(super) fn option(call: &Invocation) -> Result<Option<u32>, Failure> {
    call.value('m').map(|word| octal("option -m", word)).transpose()
}
