//! Words as a script can hold them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A word between double quotes, which execlineb reads as exactly these bytes; as the original makers
/// of scripts write it.
pub fn quoted(word: &OsStr) -> Vec<u8> {
    [b"\"", escaped(word.as_bytes(), b"\"\\").as_slice(), b"\""].concat()
}

/// Bytes as people and scripts can read them: without quotes around them, so without blanks' meaning.
pub fn readable(bytes: &[u8]) -> Vec<u8> {
    escaped(bytes, b"\\")
}

/// Bytes with a backslash in front of some, and names or numbers for those that cannot be shown.
fn escaped(bytes: &[u8], marked: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            _ if marked.contains(&byte) => text.extend([b'\\', byte]),
            7..=13 => {
                let letter = b"abtnvfr".get(usize::from(byte - 7)).copied().unwrap_or(b'n');
                text.extend([b'\\', letter]);
            }
            b' '..=b'~' => text.push(byte),
            _ => text.extend(format!("\\0x{byte:02x}").into_bytes()),
        }
    }
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
