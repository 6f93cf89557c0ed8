//! A stream of bytes in records, for `forstdin` (contract execline §3.3): each ends with a delimiter, or is a
//! netstring.

use super::MOST_BYTES;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;

/// What a stream consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The bytes that end a record; none: records are netstrings.
    pub delimiters: Vec<u8>,
    /// A record has its delimiter with it; so a last one may have none.
    pub whole: bool,
    /// A record of nothing but its delimiter is none.
    pub crunch: bool,
}

/// A reader of records, which is given the stream piece by piece, and keeps what is not a record yet.
#[derive(Debug)]
pub struct Records {
    form: Form,
    bytes: Vec<u8>,
    /// Where the next record begins.
    at: usize,
    /// Up to where there is no delimiter.
    seen: usize,
}

/// Why a stream has no more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// What should be a netstring is none.
    Netstring,
    /// It ends inside a netstring.
    Cut,
    /// A record is longer than anything a program can be given.
    TooLong,
}

impl Records {
    /// Of a stream that has just begun.
    pub fn new(form: Form) -> Records {
        Records { form, bytes: Vec::new(), at: 0, seen: 0 }
    }

    /// Takes the next piece of the stream.
    pub fn feed(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.at);
        self.seen -= self.at;
        self.at = 0;
        self.bytes.extend(piece);
    }

    /// The next record; `None` as long as there is no whole one.
    pub fn record(&mut self) -> Result<Option<OsString>, Broken> {
        if self.form.delimiters.is_empty() {
            return self.netstring();
        }
        loop {
            let unseen = self.bytes.get(self.seen..).unwrap_or(&[]);
            let Some(length) = unseen.iter().position(|byte| self.form.delimiters.contains(byte))
            else {
                self.seen = self.bytes.len();
                let is_too_long = self.seen - self.at > MOST_BYTES;
                return if is_too_long { Err(Broken::TooLong) } else { Ok(None) };
            };
            let end = self.seen + length;
            let record = if self.form.whole { self.at..end + 1 } else { self.at..end };
            let is_empty = end == self.at;
            let value = value(self.bytes.get(record).unwrap_or(&[]));
            (self.at, self.seen) = (end + 1, end + 1);
            if !(is_empty && self.form.crunch) {
                return Ok(Some(value));
            }
        }
    }

    /// The last record, when the stream has ended and [`Records::record`] has no more.
    pub fn last(&self) -> Result<Option<OsString>, Broken> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty());
        match rest {
            Some(_) if self.form.delimiters.is_empty() => Err(Broken::Cut),
            Some(rest) if self.form.whole => Ok(Some(value(rest))),
            Some(_) | None => Ok(None),
        }
    }

    fn netstring(&mut self) -> Result<Option<OsString>, Broken> {
        /// As many digits as the longest record's length has, and some zeroes.
        const DIGITS: usize = 20;
        let bytes = self.bytes.get(self.at..).unwrap_or(&[]);
        let digits = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
        let (length, rest) = bytes.split_at_checked(digits).ok_or(Broken::Netstring)?;
        match rest.first() {
            None if digits <= DIGITS => return Ok(None),
            Some(b':') if (1..=DIGITS).contains(&digits) => {}
            Some(_) | None => return Err(Broken::Netstring),
        }
        let length = str::from_utf8(length).ok().and_then(|digits| digits.parse::<usize>().ok());
        let length = length.filter(|&length| length <= MOST_BYTES).ok_or(Broken::TooLong)?;
        match (rest.get(1..=length), rest.get(length + 1)) {
            (Some(content), Some(b',')) => {
                let value = value(content);
                self.at += digits + length + 2;
                self.seen = self.at;
                Ok(Some(value))
            }
            (_, Some(_)) => Err(Broken::Netstring),
            (_, None) => Ok(None),
        }
    }
}

/// A record as a variable's value, which ends where a NUL is.
fn value(record: &[u8]) -> OsString {
    OsString::from_vec(record.split(|&byte| byte == 0).next().unwrap_or(&[]).to_vec())
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Netstring => "it is no netstring",
            Broken::Cut => "the input ends inside a netstring",
            Broken::TooLong => "it is longer than anything a program can be given",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The records of a stream that comes in pieces of this length.
    fn records(form: &Form, stream: &[u8], piece: usize) -> (Vec<OsString>, Result<(), Broken>) {
        let (mut records, mut found) = (Records::new(form.clone()), Vec::new());
        let mut all = || {
            for piece in stream.chunks(piece) {
                records.feed(piece);
                while let Some(record) = records.record()? {
                    found.push(record);
                }
            }
            found.extend(records.last()?);
            Ok(())
        };
        let end = all();
        (found, end)
    }

    fn shown(delimiters: &str, whole: bool, crunch: bool, stream: &str) -> String {
        let form = Form { delimiters: delimiters.into(), whole, crunch };
        let (records, end) = records(&form, stream.as_bytes(), 3);
        let mut shown: Vec<String> = records.iter().map(|r| r.display().to_string()).collect();
        shown.extend(end.err().map(|broken| format!("{broken:?}")));
        shown.join("|")
    }

    #[test]
    fn records_end_with_delimiters() {
        for (whole, crunch, stream, expected) in [
            (false, false, "a\n\nb\nc", "a||b"),
            (false, true, "\n\na\n\n\nb\n", "a|b"),
            (true, false, "a\n\nb", "a\n|\n|b"),
            (true, true, "\n\na\n\nb", "a\n|b"),
            (true, true, "\n\n", ""),
            (false, false, "a\0b\nc\n", "a|c"),
            (false, false, "", ""),
        ] {
            assert_eq!(shown("\n", whole, crunch, stream), expected, "{stream:?}");
        }
        assert_eq!(shown(":,", false, false, "a:b,c:"), "a|b|c");
        assert_eq!(shown("\0", false, false, "a\0\0b\0"), "a||b");
    }

    #[test]
    fn netstrings() {
        for (stream, expected) in [
            ("1:a,3:b\nc,", "a|b\nc"),
            ("0:,01:x,", "|x"),
            ("1:a", "Cut"),
            ("1:a,2", "a|Cut"),
            ("1:a,x", "a|Netstring"),
            (":,", "Netstring"),
            ("2:abc,", "Netstring"),
            ("99999999:x", "TooLong"),
            ("999999999999999999999999999999", "Netstring"),
        ] {
            assert_eq!(shown("", false, false, stream), expected, "{stream:?}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_make_no_difference(
            stream in proptest::collection::vec(proptest::sample::select(b"ab\n:,01\0".to_vec()), 0..40),
            netstrings: bool, whole: bool, crunch: bool, piece in 1_usize..9,
        ) {
            let delimiters = if netstrings { vec![] } else { vec![b'\n', b','] };
            let form = Form { delimiters, whole, crunch };
            prop_assert_eq!(records(&form, &stream, piece), records(&form, &stream, 1000));
        }
    }
}
