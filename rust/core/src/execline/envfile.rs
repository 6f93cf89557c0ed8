//! Files of variables (contract execline §3.8): `key = value`, a line each, read byte by byte.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A reader of such a file, which is given its bytes in their order.
#[derive(Debug)]
pub struct Reader {
    state: State,
    line: u32,
    key: Vec<u8>,
    value: Vec<u8>,
    /// How much of the value stays when its line ends: all but the unquoted blanks at its end.
    kept: usize,
    variables: Vec<(OsString, OsString)>,
    /// What the variables cost.
    size: usize,
}

/// A line that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its number, from 1.
    pub line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the begin of a line, or in its first blanks.
    Start,
    Comment,
    Key,
    /// In the blanks between key and `=`.
    Equals,
    /// In the blanks in front of a value.
    Before,
    Value,
    /// Behind a backslash in a value.
    Escape,
    Quoted,
    /// Behind a backslash between quotes.
    QuotedEscape,
    /// Behind `\x`, and its first digit.
    Hex(Option<u8>),
    /// Behind a backslash and this many octal digits of this value.
    Octal(u8, u32),
    /// A NUL has ended the file.
    End,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            state: State::Start,
            line: 1,
            key: Vec::new(),
            value: Vec::new(),
            kept: 0,
            variables: Vec::new(),
            size: 0,
        }
    }
}

impl Reader {
    /// Reads some more; whether there is reason to go on.
    pub fn read(&mut self, bytes: &[u8]) -> Result<bool, Mistake> {
        for &byte in bytes {
            let line = self.line;
            if byte == 0 {
                self.end_of_file()?;
            } else {
                self.state = self.after(byte).ok_or(Mistake { line })?;
            }
            if self.state == State::End {
                return Ok(false);
            }
            if byte == b'\n' {
                self.line = self.line.saturating_add(1);
            }
        }
        Ok(true)
    }

    /// The variables in their order, when the file has ended.
    pub fn finish(mut self) -> Result<Vec<(OsString, OsString)>, Mistake> {
        self.end_of_file()?;
        Ok(self.variables)
    }

    fn end_of_file(&mut self) -> Result<(), Mistake> {
        match self.state {
            State::Start | State::Comment | State::End => {}
            State::Before | State::Value => self.end_of_line(),
            State::Key
            | State::Equals
            | State::Escape
            | State::Quoted
            | State::QuotedEscape
            | State::Hex(_)
            | State::Octal(..) => return Err(Mistake { line: self.line }),
        }
        self.state = State::End;
        Ok(())
    }

    fn end_of_line(&mut self) {
        self.value.truncate(self.kept);
        self.kept = 0;
        let (key, value) = (std::mem::take(&mut self.key), std::mem::take(&mut self.value));
        self.size += key.len() + value.len() + super::COST_OF_A_WORD;
        self.variables.push((OsString::from_vec(key), OsString::from_vec(value)));
    }

    /// The next state, if there may be such a byte here.
    fn after(&mut self, byte: u8) -> Option<State> {
        let state = match self.state {
            State::Start => match byte {
                b'#' => State::Comment,
                b'\n' => State::Start,
                byte if is_blank(byte) => State::Start,
                byte => return self.key_byte(byte),
            },
            State::Comment => {
                if byte == b'\n' {
                    State::Start
                } else {
                    State::Comment
                }
            }
            State::Key => match byte {
                b'=' => State::Before,
                byte if is_blank(byte) => State::Equals,
                byte => return self.key_byte(byte),
            },
            State::Equals => match byte {
                b'=' => State::Before,
                byte if is_blank(byte) => State::Equals,
                _ => return None,
            },
            State::Before if is_blank(byte) => State::Before,
            State::Before | State::Value => self.value_byte(byte),
            State::Escape => match byte {
                b'\n' => State::Value,
                b'\\' | b'"' => self.keep(byte, State::Value),
                byte if is_blank(byte) => self.keep(byte, State::Value),
                _ => return None,
            },
            State::Quoted => return self.quoted_byte(byte),
            State::QuotedEscape => self.escaped_byte(byte),
            State::Hex(first) => {
                let digit = char::from(byte).to_digit(16)? as u8;
                match first {
                    None => State::Hex(Some(digit)),
                    Some(first) => self.number(first << 4 | digit)?,
                }
            }
            State::Octal(2, value) if is_octal(byte) => self.octal(value * 8 + digit(byte))?,
            State::Octal(digits, value) if is_octal(byte) => {
                State::Octal(digits + 1, value * 8 + digit(byte))
            }
            State::Octal(_, value) => {
                self.octal(value)?;
                return self.quoted_byte(byte);
            }
            State::End => State::End,
        };
        Some(state)
    }

    fn key_byte(&mut self, byte: u8) -> Option<State> {
        let forbidden = b"\n=\\\"'?".contains(&byte);
        self.key.push(byte);
        (!forbidden).then_some(State::Key)
    }

    fn value_byte(&mut self, byte: u8) -> State {
        match byte {
            b'\n' => {
                self.end_of_line();
                State::Start
            }
            b'\\' => State::Escape,
            b'"' => {
                self.kept = self.value.len(); // what blanks come before stay
                State::Quoted
            }
            byte if is_blank(byte) => {
                self.value.push(byte);
                State::Value
            }
            byte => self.keep(byte, State::Value),
        }
    }

    fn quoted_byte(&mut self, byte: u8) -> Option<State> {
        Some(match byte {
            b'\n' => return None,
            b'"' => State::Value,
            b'\\' => State::QuotedEscape,
            byte => self.keep(byte, State::Quoted),
        })
    }

    /// Behind a backslash between quotes.
    fn escaped_byte(&mut self, byte: u8) -> State {
        let meant = match byte {
            b'\n' => return State::Quoted,
            b'x' => return State::Hex(None),
            byte if is_octal(byte) => return State::Octal(1, digit(byte)),
            b'a' => 7,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'v' => 11,
            b'f' => 12,
            b'r' => 13,
            byte => byte,
        };
        self.keep(meant, State::Quoted)
    }

    fn octal(&mut self, value: u32) -> Option<State> {
        // Three digits can say more than a byte holds; as in C, its low bits count.
        self.number((value & 0xff) as u8)
    }

    /// A byte given by its number. No variable can hold a NUL.
    fn number(&mut self, byte: u8) -> Option<State> {
        (byte != 0).then(|| self.keep(byte, State::Quoted))
    }

    /// Takes a byte that no end of line trims.
    fn keep(&mut self, byte: u8, state: State) -> State {
        self.value.push(byte);
        self.kept = self.value.len();
        state
    }

    /// How many bytes the variables read so far need in an environment, and the one that is being read.
    pub fn size(&self) -> usize {
        self.size + self.key.len() + self.value.len()
    }
}

/// Reads a whole text.
pub fn read(text: &OsStr) -> Result<Vec<(OsString, OsString)>, Mistake> {
    let mut reader = Reader::default();
    reader.read(text.as_bytes())?;
    reader.finish()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 12)
}

fn is_octal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

fn digit(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Result<String, u32> {
        let variables = read(OsStr::new(text)).map_err(|mistake| mistake.line)?;
        let each =
            variables.iter().map(|(key, value)| format!("{}={}", key.display(), value.display()));
        Ok(each.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn lines_become_variables() {
        for (text, expected) in [
            ("", ""),
            ("# c\n\n \t\n", ""),
            ("A=b", "A=b"),
            (" A = b \t c \r\n", "A=b \t c"),
            ("A=\nB= \n", "A=|B="),
            ("A=a#b='\"$ # \"'\n", "A=a#b='$ # '"),
            ("A#=1\n", "A#=1"),
            ("A=a\\\nb\n", "A=ab"),
            ("A= \\ x\\ \n", "A= x "),
            ("A=\\\\\\\"\n", "A=\\\""),
            ("A=\" x \"y\" \"\n", "A= x y "),
            ("A=x \"y\"\n", "A=x y"),
            ("A=\"\\a\\b\\t\\n\\v\\f\\r\\q\"\n", "A=\x07\x08\t\n\x0b\x0c\rq"),
            ("A=\"\\x41\\101\\1018\\47x\\\ny\"\n", "A=AAA8'xy"),
            ("A=\"\\501\"", "A=A"),
            ("A=1\nA=2\n", "A=1|A=2"),
            ("A=1\0B C", "A=1"),
            ("A=x #\0", "A=x #"),
            ("A=\"\"  \"\" \n", "A=  "),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn mistakes_and_their_lines() {
        for (text, line) in [
            ("A=1\nB C=2\n", 2),
            ("A", 1),
            ("A \n", 1),
            ("=x\n", 1),
            ("'A=x\n", 1),
            ("A?=x\n", 1),
            ("A=\\x\n", 1),
            ("A=\\\nB\\", 2),
            ("A=\"x\ny\"\n", 1),
            ("A=\"x", 1),
            ("A=\"\\xg0\"", 1),
            ("A=\"\\x00\"", 1),
            ("A=\"\\0\"", 1),
            ("A=\"\\400\"", 1),
            ("#\n\n\"\n", 3),
            ("A\0=1", 1),
        ] {
            assert_eq!(shown(text), Err(line), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_can_be_written(value in "[^\\x00]{0,40}") {
            let quoted: Vec<String> = value.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            let quoted = quoted.concat();
            let text = format!("A = \"{quoted}\" \nB=1");
            let read = read(OsStr::new(&text)).expect("well-formed");
            prop_assert_eq!(&read, &[("A".into(), value.into()), ("B".into(), "1".into())]);
        }

        #[test]
        fn any_bytes_are_survived_in_any_pieces(
            text in proptest::collection::vec(
                proptest::sample::select(b"A=\"\\x0 #\n'?\t18g\0".to_vec()), 0..40),
            cut in 0_usize..40,
        ) {
            let whole = read(OsStr::from_bytes(&text));
            let (head, tail) = text.split_at(cut.min(text.len()));
            let mut reader = Reader::default();
            let pieces = reader.read(head).and_then(|more| {
                if more { reader.read(tail)?; }
                reader.finish()
            });
            prop_assert_eq!(whole, pieces);
        }
    }
}
