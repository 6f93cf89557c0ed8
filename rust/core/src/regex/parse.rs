//! What an expression says, as a tree.

use super::bracket::{self, ByteSet};
use super::{Dialect, Mistake};

/// Groups and repetitions may lie so deep inside each other: who walks the tree calls itself.
const DEEPEST: usize = 200;
/// The most that an interval may say, as in POSIX.
const MOST_TIMES: u32 = 0x7fff;

/// An expression.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: Node,
    /// The sets that it names.
    pub(super) sets: Vec<ByteSet>,
    /// How many groups it has.
    pub(super) groups: usize,
}

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// Matches nothing, everywhere.
    Empty,
    Byte(u8),
    /// One byte of the set of that number.
    Set(u32),
    Assertion(Assertion),
    /// The group of that number; the first one is 1.
    Group(usize, Box<Node>),
    Sequence(Vec<Node>),
    /// Any of these.
    Choice(Vec<Node>),
    Repeat(Box<Node>, Times),
}

/// How often something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) least: u32,
    /// `None`: any number.
    pub(super) most: Option<u32>,
}

impl Times {
    /// Whether this is `*`, `+` or `?`.
    fn is_simple(self) -> bool {
        self.least <= 1 && self.most.is_none_or(|most| most == 1)
    }
}

/// What must hold at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    /// The text begins here.
    Begin,
    /// The text ends here.
    End,
    WordBegin,
    WordEnd,
    /// A word begins or ends.
    Boundary,
    NoBoundary,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Byte(u8),
    Any,
    Bracket,
    Open,
    Close,
    Or,
    Assertion(Assertion),
    /// `\w`, or with `false` all other bytes.
    Word(bool),
    /// The same for `\s`.
    Space(bool),
    Star,
    Plus,
    Question,
    Interval,
    BackReference,
    Backslash,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// What begins at `at`, and how long it is.
    token: (Token, usize),
    dialect: Dialect,
    sets: Vec<ByteSet>,
    groups: usize,
    depth: usize,
}

impl Tree {
    pub(super) fn parse(expression: &[u8], dialect: Dialect) -> Result<Tree, Mistake> {
        let (text, sets) = (expression, Vec::new());
        let token = (Token::End, 0);
        let mut parser = Parser { text, at: 0, token, dialect, sets, groups: 0, depth: 0 };
        parser.look(true);
        let root = parser.choice()?;
        Ok(Tree { root, sets: parser.sets, groups: parser.groups })
    }
}

impl Parser<'_> {
    fn byte(&self, offset: usize) -> Option<u8> {
        self.text.get(self.at + offset).copied()
    }

    fn wrong<T>(at: usize, why: &'static str) -> Result<T, Mistake> {
        Err(Mistake { at, why })
    }

    /// Sees what is next. In a basic expression a caret is an anchor only where something begins.
    fn look(&mut self, begins: bool) {
        self.token = self.token_here(begins);
    }

    fn go_on(&mut self, begins: bool) {
        self.at += self.token.1;
        self.look(begins);
    }

    fn token_here(&self, begins: bool) -> (Token, usize) {
        let Some(byte) = self.byte(0) else { return (Token::End, 0) };
        let basic = self.dialect.basic;
        let token = match byte {
            b'\\' => {
                let Some(next) = self.byte(1) else { return (Token::Backslash, 1) };
                return (self.escaped(next), 2);
            }
            b'.' => Token::Any,
            b'[' => Token::Bracket,
            b'*' => Token::Star,
            b'^' if !basic || begins => Token::Assertion(Assertion::Begin),
            b'$' if !basic || self.ends_after_dollar() => Token::Assertion(Assertion::End),
            b'(' if !basic => Token::Open,
            b')' if !basic => Token::Close,
            b'|' if !basic => Token::Or,
            b'+' if !basic => Token::Plus,
            b'?' if !basic => Token::Question,
            b'{' if !basic => Token::Interval,
            _ => Token::Byte(byte),
        };
        (token, 1)
    }

    /// Whether the dollar here, in a basic expression, is an anchor.
    fn ends_after_dollar(&self) -> bool {
        let rest = self.text.get(self.at + 1..).unwrap_or(&[]);
        rest.is_empty() || rest.starts_with(b"\\)") || rest.starts_with(b"\\|")
    }

    fn escaped(&self, byte: u8) -> Token {
        match byte {
            b'1'..=b'9' => Token::BackReference,
            b'<' => Token::Assertion(Assertion::WordBegin),
            b'>' => Token::Assertion(Assertion::WordEnd),
            b'b' => Token::Assertion(Assertion::Boundary),
            b'B' => Token::Assertion(Assertion::NoBoundary),
            b'`' => Token::Assertion(Assertion::Begin),
            b'\'' => Token::Assertion(Assertion::End),
            b'w' => Token::Word(true),
            b'W' => Token::Word(false),
            b's' => Token::Space(true),
            b'S' => Token::Space(false),
            b'(' if self.dialect.basic => Token::Open,
            b')' if self.dialect.basic => Token::Close,
            b'|' if self.dialect.basic => Token::Or,
            b'+' if self.dialect.basic => Token::Plus,
            b'?' if self.dialect.basic => Token::Question,
            b'{' if self.dialect.basic => Token::Interval,
            _ => Token::Byte(byte),
        }
    }

    /// Branches, with bars between them.
    fn choice(&mut self) -> Result<Node, Mistake> {
        let first = self.sequence()?;
        if self.token.0 != Token::Or {
            return Ok(first);
        }
        let mut branches = vec![first];
        while self.token.0 == Token::Or {
            self.go_on(true);
            branches.push(self.sequence()?);
        }
        Ok(Node::Choice(branches))
    }

    fn sequence(&mut self) -> Result<Node, Mistake> {
        let mut parts = Vec::new();
        loop {
            let token = self.token.0;
            let closes = token == Token::Close && self.depth > 0;
            if closes || token == Token::End || token == Token::Or {
                break;
            }
            parts.push(self.repeated()?);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.pop().unwrap_or(Node::Empty),
            _ => Node::Sequence(parts),
        })
    }

    /// Something, and how often.
    fn repeated(&mut self) -> Result<Node, Mistake> {
        if let Token::Assertion(assertion) = self.token.0 {
            self.go_on(false); // and nothing that repeats it: that is wrong, or a character
            return Ok(Node::Assertion(assertion));
        }
        let mut node = self.atom()?;
        let mut depth = self.depth;
        loop {
            let at = self.at;
            let times = match self.token.0 {
                Token::Star => Times { least: 0, most: None },
                Token::Plus => Times { least: 1, most: None },
                Token::Question => Times { least: 0, most: Some(1) },
                Token::Interval => self.interval()?,
                Token::End
                | Token::Byte(_)
                | Token::Any
                | Token::Bracket
                | Token::Open
                | Token::Close
                | Token::Or
                | Token::Assertion(_)
                | Token::Word(_)
                | Token::Space(_)
                | Token::BackReference
                | Token::Backslash => return Ok(node),
            };
            self.go_on(false);
            if let Node::Repeat(_, before) = &mut node
                && before.is_simple()
                && times.is_simple()
            {
                // Once more `*`, `+` or `?` adds no level.
                let least = before.least * times.least;
                *before = Times { least, most: before.most.and(times.most) };
            } else {
                depth += 1;
                node = Node::Repeat(Box::new(node), times);
            }
            if depth > DEEPEST {
                return Parser::wrong(at, "too much is repeated inside each other");
            }
            if self.dialect.basic && matches!(self.token.0, Token::Star | Token::Interval) {
                return Parser::wrong(self.at, "what is repeated already cannot be repeated again");
            }
        }
    }

    /// From the brace to before its end, which becomes the token.
    fn interval(&mut self) -> Result<Times, Mistake> {
        const WRONG: &str = "an interval is {3}, {3,}, {,5} or {3,5}";
        let begin = self.at;
        self.at += self.token.1;
        let least = self.number();
        let most = if self.byte(0) == Some(b',') {
            self.at += 1;
            self.number()
        } else if least.is_none() {
            return Parser::wrong(begin, WRONG);
        } else {
            least
        };
        let end: &[u8] = if self.dialect.basic { b"\\}" } else { b"}" };
        if !self.text.get(self.at..).unwrap_or(&[]).starts_with(end) {
            return Parser::wrong(begin, WRONG);
        }
        self.token = (Token::End, end.len());
        let least = least.unwrap_or(0);
        if most.is_some_and(|most| most < least) {
            return Parser::wrong(begin, "an interval's second number is not less than its first");
        }
        if most.unwrap_or(least) > MOST_TIMES {
            return Parser::wrong(begin, "an interval's numbers are at most 32767");
        }
        Ok(Times { least, most })
    }

    /// Digits, if there are any. What is too much stays too much.
    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.byte(0) {
            let so_far = number.unwrap_or(0_u32);
            number = Some((so_far * 10 + u32::from(digit - b'0')).min(MOST_TIMES + 1));
            self.at += 1;
        }
        number
    }

    fn atom(&mut self) -> Result<Node, Mistake> {
        let at = self.at;
        let byte = self.byte(self.token.1.saturating_sub(1)).unwrap_or(0);
        let node = match self.token.0 {
            Token::Byte(byte) => self.character(byte),
            Token::Any => self.set(ByteSet::of(|byte| byte != 0)),
            Token::Word(wanted) => self.set(ByteSet::of(|byte| bracket::is_word(byte) == wanted)),
            Token::Space(wanted) => self.set(ByteSet::of(|byte| bracket::is_space(byte) == wanted)),
            Token::Bracket => {
                let (set, end) = bracket::parse(self.text, at, self.dialect.ignores_case)?;
                self.token.1 = end - at;
                self.set(set)
            }
            Token::Open => self.group()?,
            Token::Close if !self.dialect.basic => self.character(byte),
            Token::Close => return Parser::wrong(at, "this parenthesis was never opened"),
            Token::Star | Token::Plus | Token::Question if self.dialect.basic => {
                self.character(byte)
            }
            Token::Star | Token::Plus | Token::Question | Token::Interval => {
                return Parser::wrong(at, "there is nothing here that could be repeated");
            }
            Token::BackReference => {
                return Parser::wrong(
                    at,
                    "references to what a group has matched are not supported",
                );
            }
            Token::Backslash => return Parser::wrong(at, "nothing follows the backslash"),
            Token::End | Token::Or | Token::Assertion(_) => return Ok(Node::Empty),
        };
        self.go_on(false);
        Ok(node)
    }

    /// From the parenthesis to before the one that closes the group, which becomes the token.
    fn group(&mut self) -> Result<Node, Mistake> {
        let begin = self.at;
        if self.depth >= DEEPEST {
            return Parser::wrong(begin, "too many parentheses inside each other");
        }
        self.depth += 1;
        self.groups += 1;
        let number = self.groups;
        self.go_on(true);
        let inner = self.choice()?;
        if self.token.0 != Token::Close {
            return Parser::wrong(begin, "this parenthesis is never closed");
        }
        self.depth -= 1;
        Ok(Node::Group(number, Box::new(inner)))
    }

    fn character(&mut self, byte: u8) -> Node {
        if self.dialect.ignores_case && byte.is_ascii_alphabetic() {
            self.set(ByteSet::of(|other| other.eq_ignore_ascii_case(&byte)))
        } else {
            Node::Byte(byte)
        }
    }

    fn set(&mut self, set: ByteSet) -> Node {
        self.sets.push(set);
        Node::Set(self.sets.len() as u32 - 1)
    }
}
