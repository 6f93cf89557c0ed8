//! Words as a script can hold them.

use crate::wire::quoting::{Delimiters, quote};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A word between double quotes, which execlineb reads as exactly these bytes; as the original makers
/// of scripts write it.
pub fn quoted(word: &OsStr) -> Vec<u8> {
    let mut text = vec![b'"'];
    quote(word.as_bytes(), Delimiters::DOUBLE, &mut text);
    text.push(b'"');
    text
}

/// Bytes as people and scripts can read them: without quotes around them, so without blanks' meaning.
pub fn readable(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    quote(bytes, Delimiters::NONE, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_execline() {
        for (word, text) in [
            (&b"/run/logs"[..], &b"\"/run/logs\""[..]),
            (b"a b", b"\"a b\""),
            (b"\"\\\n\t", b"\"\\\"\\\\\\n\\t\""),
            (b"$x*", b"\"$x*\""),
            (b"\x01\xc3\xa4\x7f", b"\"\\0x01\\0xc3\\0xa4\\0x7f\""),
            (b"", b"\"\""),
        ] {
            assert_eq!(quoted(OsStr::from_bytes(word)), text);
        }
        assert_eq!(readable(b"a \"b\"\\\n"), b"a \"b\"\\\\\\n");
    }
}
