//! The conditions of `eltest` (contract execline §3.7): words to a program of tests and jumps, and its
//! evaluation.
//!
//! A word that equals an operator *is* that operator, wherever it stands; a backslash in front makes it
//! data. The words are first read to their end, because a mistake anywhere is found before any test is
//! made; the tests then are made in their order, and only as far as the result depends on them.
//! Neither half recurses: how deep the words nest is up to strangers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What a condition asks the world.
pub trait Facts {
    /// About the file that a path leads to, or, without `follow`, the link itself.
    fn file(&self, path: &OsStr, follow: bool) -> Option<File>;
    /// Whether our real user may do that with it.
    fn may(&self, path: &OsStr, access: Access) -> bool;
    /// Our effective user and group ids.
    fn effective_ids(&self) -> (u32, u32);
    /// Whether a descriptor is a terminal.
    fn is_terminal(&self, fd: u32) -> bool;
    /// Whether a variable is set.
    fn is_set(&self, variable: &OsStr) -> bool;
    /// Whether an extended regular expression matches somewhere in a text; or why it is none.
    fn matches(&self, text: &OsStr, expression: &OsStr) -> Result<bool, String>;
}

/// What there is to know about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// What it *is*, under whatever name.
    pub identity: (u64, u64),
    /// When its content was changed.
    pub modified: (i64, i64),
    /// When its content was read.
    pub accessed: (i64, i64),
}

/// What may be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is there.
    Exist,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Executing, or passing through.
    Execute,
}

/// A condition, ready to be evaluated.
#[derive(Debug)]
pub struct Condition<'a>(Vec<Step<'a>>);

/// One step; there is one result, that of the last test.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Text(&'a OsStr),
    One(Unary, &'a OsStr),
    Two(&'a OsStr, &'static str, Binary, &'a OsStr),
    Not,
    /// Goes to the step of this number if the result is this.
    Jump(bool, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unary {
    May(Access),
    Type(u32),
    Link,
    Bit(u32),
    Filled,
    ReadSince,
    OwnUser,
    OwnGroup,
    Terminal,
    NotEmpty,
    Empty,
    Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binary {
    Text(Order),
    Number(Order),
    Newer,
    Older,
    Same,
    Matches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    One(Unary),
    Two(Binary),
    Not,
    And,
    Or,
    Open,
    Close,
}

const TOKENS: &[(&str, Token)] = &[
    ("-n", Token::One(Unary::NotEmpty)),
    ("-z", Token::One(Unary::Empty)),
    ("-v", Token::One(Unary::Set)),
    ("-t", Token::One(Unary::Terminal)),
    ("-e", Token::One(Unary::May(Access::Exist))),
    ("-r", Token::One(Unary::May(Access::Read))),
    ("-w", Token::One(Unary::May(Access::Write))),
    ("-x", Token::One(Unary::May(Access::Execute))),
    ("-f", Token::One(Unary::Type(0o100_000))),
    ("-d", Token::One(Unary::Type(0o040_000))),
    ("-b", Token::One(Unary::Type(0o060_000))),
    ("-c", Token::One(Unary::Type(0o020_000))),
    ("-p", Token::One(Unary::Type(0o010_000))),
    ("-S", Token::One(Unary::Type(0o140_000))),
    ("-h", Token::One(Unary::Link)),
    ("-L", Token::One(Unary::Link)),
    ("-u", Token::One(Unary::Bit(0o4000))),
    ("-g", Token::One(Unary::Bit(0o2000))),
    ("-k", Token::One(Unary::Bit(0o1000))),
    ("-s", Token::One(Unary::Filled)),
    ("-N", Token::One(Unary::ReadSince)),
    ("-O", Token::One(Unary::OwnUser)),
    ("-U", Token::One(Unary::OwnUser)),
    ("-G", Token::One(Unary::OwnGroup)),
    ("=", Token::Two(Binary::Text(Order::Equal))),
    ("!=", Token::Two(Binary::Text(Order::Unequal))),
    ("<", Token::Two(Binary::Text(Order::Less))),
    ("<=", Token::Two(Binary::Text(Order::LessOrEqual))),
    (">", Token::Two(Binary::Text(Order::More))),
    (">=", Token::Two(Binary::Text(Order::MoreOrEqual))),
    ("-eq", Token::Two(Binary::Number(Order::Equal))),
    ("-ne", Token::Two(Binary::Number(Order::Unequal))),
    ("-lt", Token::Two(Binary::Number(Order::Less))),
    ("-le", Token::Two(Binary::Number(Order::LessOrEqual))),
    ("-gt", Token::Two(Binary::Number(Order::More))),
    ("-ge", Token::Two(Binary::Number(Order::MoreOrEqual))),
    ("-nt", Token::Two(Binary::Newer)),
    ("-ot", Token::Two(Binary::Older)),
    ("-ef", Token::Two(Binary::Same)),
    ("=~", Token::Two(Binary::Matches)),
    ("!", Token::Not),
    ("-a", Token::And),
    ("-o", Token::Or),
    ("(", Token::Open),
    (")", Token::Close),
];

fn token(word: &OsStr) -> Option<(&'static str, Token)> {
    TOKENS.iter().copied().find(|(text, _)| *text == word)
}

/// What is held back while its right side is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Not,
    /// The jump over the right side, which will be told where to.
    And(usize),
    Or(usize),
    Open,
}

impl<'a> Condition<'a> {
    /// Reads the words, of which there is at least one; the error is a message.
    pub fn parse(words: &'a [OsString]) -> Result<Condition<'a>, String> {
        let mut reader = Reader { words, at: 0, steps: Vec::new(), held: Vec::new() };
        loop {
            reader.operand()?;
            if !reader.operator()? {
                break;
            }
        }
        Ok(Condition(reader.steps))
    }

    /// Makes the tests. The error is a message.
    pub fn holds(&self, facts: &impl Facts) -> Result<bool, String> {
        let (mut result, mut at) = (false, 0);
        while let Some(step) = self.0.get(at) {
            at += 1;
            match *step {
                Step::Text(text) => result = !text.is_empty(),
                Step::One(test, operand) => result = one(test, operand, facts)?,
                Step::Two(left, name, test, right) => result = two(left, name, test, right, facts)?,
                Step::Not => result = !result,
                Step::Jump(when, to) if result == when => at = to,
                Step::Jump(..) => {}
            }
        }
        Ok(result)
    }
}

struct Reader<'a> {
    words: &'a [OsString],
    at: usize,
    steps: Vec<Step<'a>>,
    held: Vec<Held>,
}

impl<'a> Reader<'a> {
    /// Up to the end of a test.
    fn operand(&mut self) -> Result<(), String> {
        loop {
            let Some(word) = self.words.get(self.at) else { return Err(self.mistake()) };
            match token(word) {
                Some((_, Token::Not)) => self.held.push(Held::Not),
                Some((_, Token::Open)) => self.held.push(Held::Open),
                Some((_, Token::One(test))) => {
                    self.at += 1;
                    let operand = self.data()?;
                    self.steps.push(Step::One(test, operand));
                    return Ok(());
                }
                Some((_, Token::Two(_) | Token::And | Token::Or | Token::Close)) => {
                    return Err(self.mistake());
                }
                None => return self.atom(),
            }
            self.at += 1;
        }
    }

    /// Data alone, or compared.
    fn atom(&mut self) -> Result<(), String> {
        let left = self.data()?;
        let next = self.words.get(self.at).and_then(|word| token(word));
        let Some((name, Token::Two(test))) = next else {
            self.steps.push(Step::Text(left));
            return Ok(());
        };
        self.at += 1;
        let right = self.data()?;
        self.steps.push(Step::Two(left, name, test, right));
        Ok(())
    }

    /// A word that is no operator, less the backslash that keeps it from being one.
    fn data(&mut self) -> Result<&'a OsStr, String> {
        let word = self.words.get(self.at).filter(|word| token(word).is_none());
        let bytes = word.ok_or_else(|| self.mistake())?.as_bytes();
        self.at += 1;
        Ok(OsStr::from_bytes(bytes.strip_prefix(b"\\").unwrap_or(bytes)))
    }

    /// What stands behind a test; whether another one follows.
    fn operator(&mut self) -> Result<bool, String> {
        loop {
            self.release(|held| held == Held::Not);
            let Some(word) = self.words.get(self.at) else { break };
            match token(word) {
                Some((_, Token::Close)) => self.close()?,
                Some((_, Token::And)) => {
                    self.release(|held| matches!(held, Held::And(_)));
                    return Ok(self.join(false, Held::And));
                }
                Some((_, Token::Or)) => {
                    self.release(|held| matches!(held, Held::And(_) | Held::Or(_)));
                    return Ok(self.join(true, Held::Or));
                }
                Some((_, Token::One(_) | Token::Two(_) | Token::Not | Token::Open)) | None => {
                    return Err(self.mistake());
                }
            }
        }
        self.release(|held| held != Held::Open);
        if self.held.is_empty() {
            return Ok(false);
        }
        Err("parse error: too many left parentheses".into())
    }

    fn join(&mut self, when: bool, held: fn(usize) -> Held) -> bool {
        self.held.push(held(self.steps.len()));
        self.steps.push(Step::Jump(when, 0));
        self.at += 1;
        true
    }

    fn close(&mut self) -> Result<(), String> {
        self.release(|held| held != Held::Open);
        self.at += 1;
        if self.held.pop().is_some() {
            return Ok(());
        }
        // The original finds out when it looks at the next word, and counts that one.
        let next = self.words.get(self.at).map(|word| token(word).map(|(_, token)| token));
        match next {
            None | Some(Some(Token::Close | Token::And | Token::Or)) => {
                Err(format!("parse error: bad right parenthesis at argument {}", self.at))
            }
            Some(_) => Err(self.mistake()),
        }
    }

    /// Ends what is held back, from the last on, as long as it is of this kind.
    fn release(&mut self, of_kind: impl Fn(Held) -> bool) {
        while let Some(held) = self.held.pop_if(|held| of_kind(*held)) {
            let end = self.steps.len();
            match held {
                Held::Not => self.steps.push(Step::Not),
                Held::And(jump) | Held::Or(jump) => {
                    if let Some(Step::Jump(_, to)) = self.steps.get_mut(jump) {
                        *to = end;
                    }
                }
                Held::Open => {}
            }
        }
    }

    fn mistake(&self) -> String {
        format!("parse error at argument {}", self.at)
    }
}

fn one(test: Unary, operand: &OsStr, facts: &impl Facts) -> Result<bool, String> {
    let file = |about: &dyn Fn(File) -> bool| facts.file(operand, true).is_some_and(about);
    Ok(match test {
        Unary::May(access) => facts.may(operand, access),
        Unary::Type(kind) => file(&|file| file.mode & FILE_TYPE == kind),
        Unary::Link => facts.file(operand, false).is_some_and(|file| file.mode & FILE_TYPE == LINK),
        Unary::Bit(bit) => file(&|file| file.mode & bit != 0),
        Unary::Filled => file(&|file| file.size > 0),
        Unary::ReadSince => file(&|file| file.modified > file.accessed),
        Unary::OwnUser => file(&|file| file.uid == facts.effective_ids().0),
        Unary::OwnGroup => file(&|file| file.gid == facts.effective_ids().1),
        Unary::Terminal => {
            let digits = operand.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            let number = digits.and_then(|text| text.parse().ok());
            facts.is_terminal(number.ok_or("-t requires an integer argument")?)
        }
        Unary::NotEmpty => !operand.is_empty(),
        Unary::Empty => operand.is_empty(),
        Unary::Set => facts.is_set(operand),
    })
}

/// The bits of a mode that tell what kind of file it is, and their value for a link.
const FILE_TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

fn two(
    left: &OsStr,
    name: &str,
    test: Binary,
    right: &OsStr,
    facts: &impl Facts,
) -> Result<bool, String> {
    let files = || (facts.file(left, true), facts.file(right, true));
    Ok(match test {
        Binary::Text(order) => order.holds(left.as_bytes(), right.as_bytes()),
        Binary::Number(order) => {
            let number = |word| integer(word).ok_or(format!("{name} requires integer arguments"));
            order.holds(&number(left)?, &number(right)?)
        }
        Binary::Newer => match files() {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(left), Some(right)) => left.modified > right.modified,
        },
        Binary::Older => match files() {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(left), Some(right)) => left.modified < right.modified,
        },
        Binary::Same => match files() {
            (Some(left), Some(right)) => left.identity == right.identity,
            (None, _) | (_, None) => false,
        },
        Binary::Matches => facts.matches(left, right)?,
    })
}

impl Order {
    fn holds<T: Ord + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Order::Equal => left == right,
            Order::Unequal => left != right,
            Order::Less => left < right,
            Order::LessOrEqual => left <= right,
            Order::More => left > right,
            Order::MoreOrEqual => left >= right,
        }
    }
}

/// A sign or none, digits, and anything behind them; what is too large is the largest there is.
fn integer(word: &OsStr) -> Option<i64> {
    let (negative, digits) = match word.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    digits.first().filter(|digit| digit.is_ascii_digit())?;
    let digits = digits.iter().take_while(|digit| digit.is_ascii_digit());
    Some(digits.fold(0_i64, |number, digit| {
        let (shifted, digit) = (number.saturating_mul(10), i64::from(digit - b'0'));
        if negative { shifted.saturating_sub(digit) } else { shifted.saturating_add(digit) }
    }))
}

#[cfg(test)]
mod tests;
