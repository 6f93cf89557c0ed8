//! Quoted text: between two quote characters, with escapes that begin with a backslash (contract
//! execline §5.1, s6-quote and s6-unquote).

use std::fmt;

/// Characters that mean something behind a backslash, and what they stand for.
const ESCAPES: [(u8, u8); 8] =
    [(b'a', 7), (b'b', 8), (b't', 9), (b'n', 10), (b'v', 11), (b'f', 12), (b'r', 13), (b's', b' ')];

/// The characters that quote. None of them means something behind a backslash.
#[derive(Clone, Copy, Debug)]
pub struct Delimiters<'a>(&'a [u8]);

impl Delimiters<'static> {
    /// None: the text stands alone.
    pub const NONE: Delimiters<'static> = Delimiters(b"");
    /// Double quotes.
    pub const DOUBLE: Delimiters<'static> = Delimiters(b"\"");
}

impl<'a> Delimiters<'a> {
    /// These. The error is the one that cannot be.
    pub fn new(bytes: &'a [u8]) -> Result<Delimiters<'a>, u8> {
        let meaningful = |byte: &&u8| {
            matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'x' | b'\\')
                || ESCAPES.iter().any(|(letter, _)| letter == *byte)
        };
        bytes.iter().find(meaningful).map_or(Ok(Delimiters(bytes)), |&byte| Err(byte))
    }

    /// The first: the one to quote with.
    pub fn first(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one.
    pub fn contains(self, byte: u8) -> bool {
        self.0.contains(&byte)
    }
}

/// Adds `text` to `output` in the form that goes between two of the delimiters.
pub fn quote(text: &[u8], delimiters: Delimiters<'_>, output: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            7..=13 => {
                let letter = ESCAPES.iter().find(|(_, meant)| *meant == byte);
                output.extend(letter.map(|(letter, _)| [b'\\', *letter]).into_iter().flatten());
            }
            b'\\' => output.extend_from_slice(b"\\\\"),
            0..=31 | 127.. => output.extend_from_slice(format!("\\0x{byte:02x}").as_bytes()),
            _ if delimiters.contains(byte) => output.extend_from_slice(&[b'\\', byte]),
            _ => output.push(byte),
        }
    }
}

/// Text that was quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unquoted {
    /// What it meant.
    pub text: Vec<u8>,
    /// How many bytes stood before the delimiter at its end; `None` if there was none.
    pub end: Option<usize>,
}

/// An escape that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape {
    /// How many bytes stood before what is wrong.
    pub at: usize,
    /// Whether it breaks off, rather than being something else.
    pub short: bool,
}

impl fmt::Display for BadEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.short {
            "an escape breaks off"
        } else {
            "\\0x needs two digits, 0 to 9 and a to f"
        })
    }
}

/// Reads what [`quote`] wrote, behind the first delimiter, up to the next one or to the end.
pub fn unquote(quoted: &[u8], delimiters: Delimiters<'_>) -> Result<Unquoted, BadEscape> {
    let mut text = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    let at = |rest: &[u8]| quoted.len() - rest.len();
    loop {
        match rest {
            [] => return Ok(Unquoted { text, end: None }),
            [b'\\', b'0', b'x', after @ ..] => {
                let Some((digits, after)) = after.split_first_chunk::<2>() else {
                    let wrong = after.iter().any(|&digit| nibble(digit).is_none());
                    return Err(BadEscape { at: at(after), short: !wrong });
                };
                let value =
                    digits.iter().try_fold(0, |all, &digit| Some(all << 4 | nibble(digit)?));
                let wrong = BadEscape { at: at(after) - digits.len(), short: false };
                text.push(value.ok_or(wrong)?);
                rest = after;
            }
            [b'\\', b'0', after @ ..] => {
                text.push(0);
                rest = after;
            }
            [b'\\', letter, after @ ..] => {
                let meant = ESCAPES.iter().find(|(known, _)| known == letter);
                text.push(meant.map_or(*letter, |(_, meant)| *meant));
                rest = after;
            }
            [b'\\'] => return Err(BadEscape { at: quoted.len(), short: true }),
            [byte, ..] if delimiters.contains(*byte) => {
                return Ok(Unquoted { text, end: Some(at(rest)) });
            }
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// The value of a hexadecimal digit, small letters only.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unquoted(text: &[u8]) -> Result<Unquoted, BadEscape> {
        unquote(text, Delimiters::new(b"\"'").expect("both may quote"))
    }

    #[test]
    fn escapes() {
        for (quoted, text) in [
            (&br#"a\nb\s\\\"\z"#[..], &b"a\nb \\\"z"[..]),
            (br"\0x41\0\00\0y\a\r", b"A\0\x000\0y\x07\r"),
        ] {
            assert_eq!(unquoted(quoted), Ok(Unquoted { text: text.into(), end: None }));
        }
    }

    #[test]
    fn it_ends_at_any_delimiter() {
        assert_eq!(unquoted(b"ab'c\""), Ok(Unquoted { text: b"ab".into(), end: Some(2) }));
        assert_eq!(unquoted(b"\\0\""), Ok(Unquoted { text: b"\0".into(), end: Some(2) }));
    }

    #[test]
    fn mistakes() {
        for (quoted, at, short) in [
            (&b"ab\\"[..], 3, true),
            (b"\\0x", 3, true),
            (b"\\0x4", 3, true),
            (b"\\0x4g", 3, false),
            (b"\\0xAB", 3, false),
            (b"\\0xg", 3, false),
        ] {
            assert_eq!(unquoted(quoted), Err(BadEscape { at, short }), "{}", quoted.escape_ascii());
        }
        for byte in *b"0aefx\\ntsv" {
            assert_eq!(Delimiters::new(&[b'"', byte]).err(), Some(byte));
        }
    }

    proptest! {
        #[test]
        fn quoting_is_undone(text: Vec<u8>) {
            let delimiters = Delimiters::new(b"'%").expect("both may quote");
            let mut quoted = Vec::new();
            quote(&text, delimiters, &mut quoted);
            prop_assert!(quoted.iter().all(|byte| (32..127).contains(byte)));
            let end = Some(quoted.len());
            quoted.extend_from_slice(b"'rest");
            prop_assert_eq!(unquote(&quoted, delimiters), Ok(Unquoted { text, end }));
        }

        #[test]
        fn anything_is_text_or_a_mistake_inside_it(text in proptest::collection::vec(
            prop_oneof![Just(b'\\'), Just(b'0'), Just(b'x'), Just(b'4'), Just(b'"'), any::<u8>()], 0..20)) {
            match unquoted(&text) {
                Ok(found) => prop_assert!(found.end.is_none_or(|end| end < text.len())),
                Err(wrong) => prop_assert!(wrong.at <= text.len()),
            }
        }
    }
}
