//! From a script's bytes to words (contract execline §1.2, §1.3): one byte at a time, so that a script of
//! any size can be read in pieces.
//!
//! The words are those of an argument list: a word in a block begins with a space for each block that
//! is open around it, and the end of a block is a word of spaces alone, one fewer than its words have.

use super::{Bounded, MOST_BYTES};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;

/// Where something is in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counted from 1.
    pub line: u32,
    /// In bytes, counted from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A quote without end, a backslash at the end, or a number that is no byte.
    Syntax(&'static str),
    /// A `{` that no `}` closes.
    Open,
    /// A `}` without a `{`.
    Close,
    /// More words than any program could be given.
    TooLong,
}

/// A mistake, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong.
    pub mistake: Mistake,
    /// Where it was noticed; for a `{` without end, where that is.
    pub place: Place,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mistake::Syntax(_) => "syntax error",
            Mistake::Open => "unmatched {",
            Mistake::Close => "unmatched }",
            Mistake::TooLong => "too many words",
        })
    }
}

/// The words of a script, and where each begins.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// As an argument list has them.
    pub words: Vec<OsString>,
    /// As many as there are words.
    pub places: Vec<Place>,
}

/// The words of a whole script.
pub fn parse(bytes: &[u8]) -> Result<Script, ScriptError> {
    let mut lexer = Lexer::new();
    lexer.feed(bytes)?;
    lexer.finish()
}

/// Where the lexer is between two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between words.
    Between,
    /// Behind a backslash between words.
    BetweenEscape,
    /// From `#` to the end of the line.
    Comment,
    /// Behind a brace with which a word would begin.
    Brace(u8),
    /// In a word, outside of quotes.
    Word,
    /// Behind a backslash there.
    WordEscape,
    /// Inside of quotes.
    Quoted,
    /// Behind a backslash there.
    QuotedEscape,
    /// Behind `\0`.
    Zero,
    /// Behind `\0x`.
    Hex,
    /// Behind at least one digit of a byte's number.
    Number { base: u32, value: u32, more: u8 },
    /// Behind the last digit it can have: in quotes, but the script may end here.
    Numbered,
    /// Behind a NUL, which ends a script.
    Ended,
}

/// Reads a script piece by piece.
#[derive(Debug)]
pub struct Lexer {
    state: State,
    /// How many blocks are open.
    level: usize,
    /// Where the open blocks began, as far as their number makes sense.
    opened: Vec<Place>,
    word: Vec<u8>,
    began: Place,
    here: Place,
    found: Bounded,
    places: Vec<Place>,
    /// Set when words are not kept any more; mistakes are still looked for.
    full: bool,
}

/// Bytes up to a space separate words, whatever they are.
fn is_blank(byte: u8) -> bool {
    (1..=32).contains(&byte)
}

/// What an escaped letter stands for inside of quotes.
fn escaped(byte: u8) -> u8 {
    match byte {
        b'a' => 7,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'v' => 11,
        b'f' => 12,
        b'r' => 13,
        other => other,
    }
}

fn digit(byte: u8, base: u32) -> Option<u32> {
    char::from(byte).to_digit(base)
}

impl Default for Lexer {
    fn default() -> Lexer {
        Lexer::new()
    }
}

impl Lexer {
    /// At the beginning of a script.
    pub fn new() -> Lexer {
        let start = Place { line: 1, column: 1 };
        Lexer {
            state: State::Between,
            level: 0,
            opened: Vec::new(),
            word: Vec::new(),
            began: start,
            here: start,
            found: Bounded::new(MOST_BYTES),
            places: Vec::new(),
            full: false,
        }
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ScriptError> {
        for &byte in bytes {
            if self.state == State::Ended {
                return Ok(());
            }
            self.state = if byte == 0 { self.end()? } else { self.next(byte)? };
            if byte == b'\n' {
                self.here = Place { line: self.here.line.saturating_add(1), column: 1 };
            } else {
                self.here.column = self.here.column.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The words, behind the last byte.
    pub fn finish(mut self) -> Result<Script, ScriptError> {
        if self.state != State::Ended {
            self.end()?;
        }
        if self.level > 0 {
            let place = self.opened.last().copied().unwrap_or(self.here);
            return Err(ScriptError { mistake: Mistake::Open, place });
        }
        if self.full {
            return Err(ScriptError { mistake: Mistake::TooLong, place: self.began });
        }
        Ok(Script { words: self.found.words, places: self.places })
    }

    /// The first word, for messages about a script that is too long.
    pub fn first_word(&self) -> OsString {
        self.found.words.first().cloned().unwrap_or_default()
    }

    fn next(&mut self, byte: u8) -> Result<State, ScriptError> {
        Ok(match self.state {
            State::Between => self.between(byte),
            State::BetweenEscape if byte == b'\n' => State::Between,
            State::BetweenEscape => self.begin(byte),
            State::Comment if byte == b'\n' => State::Between,
            State::Comment => State::Comment,
            State::Brace(b'{') if is_blank(byte) => self.open(),
            State::Brace(_) if is_blank(byte) => self.close()?,
            State::Brace(brace) => {
                self.begin_at(brace);
                self.in_word(byte)
            }
            State::Word => self.in_word(byte),
            State::WordEscape => self.keep(byte, State::Word),
            State::Quoted | State::Numbered => self.in_quotes(byte),
            State::QuotedEscape => match byte {
                b'\n' => State::Quoted,
                b'0' => State::Zero,
                b'1'..=b'9' => State::Number { base: 10, value: u32::from(byte - b'0'), more: 2 },
                other => self.keep(escaped(other), State::Quoted),
            },
            State::Zero if byte == b'x' => State::Hex,
            State::Zero => match digit(byte, 8) {
                Some(value) => State::Number { base: 8, value, more: 2 },
                None => return Err(self.wrong("\\0 is followed by no octal digit, and by no x")),
            },
            State::Hex => match digit(byte, 16) {
                Some(value) => State::Number { base: 16, value, more: 1 },
                None => return Err(self.wrong("\\0x is followed by no hexadecimal digit")),
            },
            State::Number { base, value, more } => match digit(byte, base) {
                Some(last) if more == 1 => {
                    self.number(value * base + last)?;
                    State::Numbered
                }
                Some(next) => State::Number { base, value: value * base + next, more: more - 1 },
                None => {
                    self.number(value)?;
                    self.in_quotes(byte)
                }
            },
            State::Ended => State::Ended,
        })
    }

    /// The end of the script.
    fn end(&mut self) -> Result<State, ScriptError> {
        match self.state {
            State::Between | State::BetweenEscape | State::Comment | State::Ended => {}
            State::Brace(b'}') => _ = self.close()?,
            State::Brace(_) => return Err(self.wrong("{ is followed by nothing")),
            State::Word | State::Numbered => _ = self.end_word(),
            State::Number { value, .. } => {
                self.number(value)?;
                self.end_word();
            }
            State::WordEscape => return Err(self.wrong("a backslash is followed by nothing")),
            State::Quoted | State::QuotedEscape | State::Zero | State::Hex => {
                return Err(self.wrong("a quote is never closed"));
            }
        }
        Ok(State::Ended)
    }

    fn wrong(&self, how: &'static str) -> ScriptError {
        ScriptError { mistake: Mistake::Syntax(how), place: self.here }
    }

    fn between(&mut self, byte: u8) -> State {
        match byte {
            blank if is_blank(blank) => State::Between,
            b'#' => State::Comment,
            b'\\' => {
                self.began = self.here;
                State::BetweenEscape
            }
            b'{' | b'}' => {
                self.began = self.here;
                State::Brace(byte)
            }
            b'"' => {
                self.began = self.here;
                self.indent();
                State::Quoted
            }
            other => {
                self.began = self.here;
                self.begin(other)
            }
        }
    }

    fn begin(&mut self, byte: u8) -> State {
        self.begin_at(byte);
        State::Word
    }

    fn begin_at(&mut self, byte: u8) {
        self.indent();
        self.keep(byte, State::Word);
    }

    fn in_word(&mut self, byte: u8) -> State {
        match byte {
            blank if is_blank(blank) => self.end_word(),
            b'"' => State::Quoted,
            b'\\' => State::WordEscape,
            other => self.keep(other, State::Word),
        }
    }

    fn in_quotes(&mut self, byte: u8) -> State {
        match byte {
            b'"' => State::Word,
            b'\\' => State::QuotedEscape,
            other => self.keep(other, State::Quoted),
        }
    }

    fn number(&mut self, value: u32) -> Result<(), ScriptError> {
        match u8::try_from(value) {
            Ok(byte) if byte != 0 => {
                self.keep(byte, State::Quoted);
                Ok(())
            }
            Ok(_) | Err(_) => Err(self.wrong("a number stands for no byte: it must be 1 to 255")),
        }
    }

    /// One more byte of the word.
    fn keep(&mut self, byte: u8, then: State) -> State {
        if self.found.fits(self.word.len() + 1) && !self.full {
            self.word.push(byte);
        } else {
            self.full = true;
        }
        then
    }

    /// A space for each open block, with which a word begins.
    fn indent(&mut self) {
        if self.found.fits(self.level) && !self.full {
            self.word.resize(self.level, b' ');
        } else {
            self.full = true;
        }
    }

    fn end_word(&mut self) -> State {
        let word = OsString::from_vec(std::mem::take(&mut self.word));
        if !self.full && self.found.push(word).is_ok() {
            self.places.push(self.began);
        } else {
            self.full = true;
        }
        State::Between
    }

    fn open(&mut self) -> State {
        if self.opened.len() == self.level && self.level < MOST_BYTES / 16 {
            self.opened.push(self.began);
        }
        self.level += 1;
        State::Between
    }

    fn close(&mut self) -> Result<State, ScriptError> {
        let Some(outer) = self.level.checked_sub(1) else {
            return Err(ScriptError { mistake: Mistake::Close, place: self.began });
        };
        self.level = outer;
        self.opened.truncate(outer);
        self.indent();
        Ok(self.end_word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStrExt;

    /// The words, joined by commas.
    fn words(script: &str) -> Result<String, String> {
        let shown = |error: ScriptError| format!("{} at {}", error.mistake, error.place);
        let script = parse(script.as_bytes()).map_err(shown)?;
        assert_eq!(script.words.len(), script.places.len());
        let words: Vec<&str> =
            script.words.iter().map(|word| word.to_str().expect("text")).collect();
        Ok(words.join(","))
    }

    #[test]
    fn words_and_quotes() {
        for (script, expected) in [
            ("a b\t\tc\x01d", "a,b,c,d"),
            ("#!x -P\na #b\n#c", "a"),
            ("a#b \"#\"c", "a#b,#c"),
            (r#"a"b c"d"" "" e"#, "ab cd,,e"),
            ("\"a\\\nb\" c\\\nd \\\n e \\", "ab,c\nd,e"),
            (r#"\a\n "\a\n\q\\\"" "#, "an,\x07\nq\\\""),
            (r#""\0x41\0101\65\0659\1000""#, "AAA59d0"),
            (r#""a\67"#, "aC"),
            (r#""a\067"#, "a7"),
            ("a\0b", "a"),
        ] {
            assert_eq!(words(script).as_deref(), Ok(expected), "{script}");
        }
    }

    #[test]
    fn blocks_indent_their_words() {
        for (script, expected) in [
            ("a { b { c d } \"\" } e", "a, b,  c,  d, , ,,e"),
            ("a { }", "a,"),
            ("{a b} }} {# }x {\"y\" }\"z\"", "{a,b},}},{#,}x,{y,}z"),
            // not as the original has it, which puts in spaces, or joins words
            ("{ {\\x }\\\nb }", " {x, }\nb,"),
        ] {
            assert_eq!(words(script).as_deref(), Ok(expected), "{script}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        for (script, expected) in [
            ("a\n b\\", "syntax error at line 2, column 4"),
            ("a {", "syntax error at line 1, column 4"),
            ("a \"b\nc", "syntax error at line 2, column 2"),
            (r#"a "\08""#, "syntax error at line 1, column 6"),
            (r#"a "\256" b"#, "syntax error at line 1, column 7"),
            (r#"a "\000" b"#, "syntax error at line 1, column 8"),
            (r#"a "\0xz""#, "syntax error at line 1, column 7"),
            ("a\n  } \"", "unmatched } at line 2, column 3"),
            ("a { {\n b } c", "unmatched { at line 1, column 3"),
            ("a { \"", "syntax error at line 1, column 6"),
        ] {
            assert_eq!(words(script), Err(expected.to_owned()), "{script}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut lexer = Lexer::new();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..8 {
            lexer.feed(&piece).expect("an endless word");
        }
        let error = lexer.finish().expect_err("more than a program can have");
        assert_eq!(error.mistake, Mistake::TooLong);
        let mut lexer = Lexer::new();
        for _ in 0..10 {
            lexer.feed(&b"{ ".repeat(1 << 19)).expect("endless blocks");
        }
        lexer.feed(b"a ").expect("a word");
        assert!(lexer.word.capacity() <= MOST_BYTES && lexer.opened.len() <= MOST_BYTES / 16);
        assert_eq!(lexer.finish().expect_err("not closed").mistake, Mistake::Open);
        let mut lexer = Lexer::new();
        for _ in 0..10 {
            lexer.feed(&b"a ".repeat(1 << 19)).expect("endless words");
        }
        assert!(lexer.places.len() <= MOST_BYTES / 10);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read_in_any_pieces(
            script in proptest::collection::vec(
                prop_oneof![
                    4 => proptest::sample::select(b"{}\"\\ \n#0x17ab".to_vec()),
                    1 => any::<u8>(),
                ],
                0..60,
            ),
            cut in 0_usize..60,
        ) {
            let whole = parse(&script);
            let mut lexer = Lexer::new();
            let (first, second) = script.split_at(cut.min(script.len()));
            let pieces = lexer.feed(first).and_then(|()| lexer.feed(second));
            let pieces = pieces.and_then(|()| lexer.finish());
            prop_assert_eq!(&whole, &pieces);
            if let Ok(script) = whole {
                prop_assert_eq!(script.words.len(), script.places.len());
                prop_assert!(script.places.is_sorted());
                // no word has a byte that an argument cannot have
                prop_assert!(script.words.iter().all(|word| !word.as_bytes().contains(&0)));
            }
        }

        #[test]
        fn what_is_quoted_comes_back(words in proptest::collection::vec("[^\0]{0,8}", 0..6)) {
            let quoted: Vec<String> = words
                .iter()
                .map(|word| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            let script = parse(quoted.join(" ").as_bytes()).expect("well-formed");
            prop_assert_eq!(script.words, words.iter().map(OsString::from).collect::<Vec<_>>());
        }
    }
}
