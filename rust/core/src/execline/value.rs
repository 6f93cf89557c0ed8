//! What a substituted value goes through before it is put into words (contract execline §2.4): delimiters
//! squeezed, the last one taken off, and the value split.

use super::{Bounded, MOST_BYTES, TooLong};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Bytes that delimit unless others are given.
pub const DELIMITERS: &[u8] = b" \n\r\t";

/// What to do with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transformation {
    /// Each of these bytes ends a word; none: values are netstrings.
    pub delimiters: Vec<u8>,
    /// Each run of delimiters becomes its first one.
    pub crunch: bool,
    /// A delimiter at the end goes.
    pub chomp: bool,
    /// The value becomes a list of words.
    pub split: bool,
}

impl Default for Transformation {
    fn default() -> Transformation {
        Transformation {
            delimiters: DELIMITERS.to_vec(),
            crunch: false,
            chomp: false,
            split: false,
        }
    }
}

/// Why a value cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsplit {
    /// It is no sequence of netstrings.
    NoNetstrings,
    /// It has more words than any program could be given.
    TooLong,
}

impl fmt::Display for Unsplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsplit::NoNetstrings => "the value is no sequence of netstrings: Invalid argument",
            Unsplit::TooLong => "the value has too many words",
        })
    }
}

impl From<TooLong> for Unsplit {
    fn from(_: TooLong) -> Unsplit {
        Unsplit::TooLong
    }
}

impl Transformation {
    /// The words that a value becomes; without splitting, one.
    pub fn apply(&self, value: &OsStr) -> Result<Vec<OsString>, Unsplit> {
        if self.delimiters.is_empty() {
            return if self.split {
                netstrings(value.as_bytes())
            } else {
                Ok(vec![value.to_owned()])
            };
        }
        let mut bytes = value.as_bytes().to_vec();
        if self.crunch {
            let mut after = false;
            bytes.retain(|byte| {
                let delimits = self.delimits(*byte);
                !(std::mem::replace(&mut after, delimits) && delimits)
            });
        }
        let chomped = self.chomp && bytes.last().is_some_and(|&byte| self.delimits(byte));
        if chomped {
            bytes.pop();
        }
        if !self.split {
            return Ok(vec![OsString::from_vec(bytes)]);
        }
        let mut words = Bounded::new(MOST_BYTES);
        let mut parts = bytes.split(|&byte| self.delimits(byte)).peekable();
        while let Some(part) = parts.next() {
            // Behind the last delimiter there is a word only if there is something; and with -n, only
            // if its own delimiter has just been taken off.
            let unterminated = parts.peek().is_none();
            if unterminated && (part.is_empty() || (self.chomp && !chomped)) {
                break;
            }
            words.push(OsStr::from_bytes(part).to_owned())?;
        }
        Ok(words.words)
    }

    fn delimits(&self, byte: u8) -> bool {
        self.delimiters.contains(&byte)
    }
}

/// The strings of `LENGTH:BYTES,` again and again.
pub fn netstrings(mut bytes: &[u8]) -> Result<Vec<OsString>, Unsplit> {
    let mut words = Bounded::new(MOST_BYTES);
    while !bytes.is_empty() {
        let (string, rest) = netstring(bytes).ok_or(Unsplit::NoNetstrings)?;
        words.push(OsStr::from_bytes(string).to_owned())?;
        bytes = rest;
    }
    Ok(words.words)
}

fn netstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|&byte| byte == b':')?;
    let (digits, string) = (bytes.get(..colon)?, bytes.get(colon + 1..)?);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length: usize = str::from_utf8(digits).ok()?.parse().ok()?;
    let (string, rest) = string.split_at_checked(length)?;
    Some((string, rest.strip_prefix(b",")?))
}

/// These words as netstrings, one behind the other.
pub fn as_netstrings<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> OsString {
    let mut bytes = Vec::new();
    for word in words {
        bytes.extend_from_slice(word.len().to_string().as_bytes());
        bytes.push(b':');
        bytes.extend_from_slice(word.as_bytes());
        bytes.push(b',');
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Letters as for the commands: s, n, C; the value's words joined by `|`.
    fn words(letters: &str, delimiters: &str, value: &str) -> String {
        let transformation = Transformation {
            delimiters: delimiters.as_bytes().to_vec(),
            crunch: letters.contains('C'),
            chomp: letters.contains('n'),
            split: letters.contains('s'),
        };
        match transformation.apply(OsStr::new(value)) {
            Ok(words) => {
                let words: Vec<&str> =
                    words.iter().map(|word| word.to_str().expect("text")).collect();
                format!("{}:{}", words.len(), words.join("|"))
            }
            Err(unsplit) => unsplit.to_string(),
        }
    }

    #[test]
    fn every_combination() {
        for (letters, value, expected) in [
            ("", "a b ", "1:a b "),
            ("n", "a b  ", "1:a b "),
            ("n", "", "1:"),
            ("C", "a \n b\t", "1:a b\t"),
            ("Cn", "a\n\n", "1:a"),
            ("s", " a  b ", "4:|a||b"),
            ("s", "a b", "2:a|b"),
            ("s", "", "0:"),
            ("s", " ", "1:"),
            ("sC", "  a  ", "2:|a"),
            ("sn", "a b ", "2:a|b"),
            ("sn", "a b", "1:a"),
            ("sn", " ", "0:"),
            ("sn", "a", "0:"),
            ("snC", "a   b   ", "2:a|b"),
        ] {
            assert_eq!(words(letters, " \n\t", value), expected, "{letters} {value:?}");
        }
        assert_eq!(words("s", ":,", "a:b,c"), "3:a|b|c");
    }

    #[test]
    fn strings_that_tell_their_length() {
        for (value, expected) in [
            ("1:a,0:,5:b c,d,", "3:a||b c,d"),
            ("", "0:"),
            ("01:a,", "1:a"),
            ("3:ab,", "the value is no sequence of netstrings: Invalid argument"),
            ("1:ab", "the value is no sequence of netstrings: Invalid argument"),
            (":,", "the value is no sequence of netstrings: Invalid argument"),
            ("+1:a,", "the value is no sequence of netstrings: Invalid argument"),
            ("99999999999999999999:a,", "the value is no sequence of netstrings: Invalid argument"),
        ] {
            assert_eq!(words("snC", "", value), expected, "{value}");
            assert_eq!(words("nC", "", value), format!("1:{value}"));
        }
    }

    #[test]
    fn a_value_of_delimiters_alone_has_a_limit() {
        let value = " ".repeat(MOST_BYTES);
        assert_eq!(words("s", " ", &value), "the value has too many words");
        assert_eq!(
            words("s", "", &"0:,".repeat(MOST_BYTES / 9 + 1)),
            "the value has too many words"
        );
    }

    proptest! {
        #[test]
        fn netstrings_come_back(words in proptest::collection::vec(any::<Vec<u8>>(), 0..5)) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
            let joined = as_netstrings(words.iter().map(OsString::as_os_str));
            prop_assert_eq!(netstrings(joined.as_bytes()), Ok(words));
        }

        #[test]
        fn splitting_loses_delimiters_alone(value in "[ab ,]{0,12}") {
            let whole = words("s", " ,", &value);
            let kept: String = whole.chars().filter(|c| c.is_alphabetic()).collect();
            let before: String = value.chars().filter(|c| c.is_alphabetic()).collect();
            prop_assert_eq!(kept, before);
        }
    }
}
