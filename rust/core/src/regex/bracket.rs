//! Bracket expressions: `[a-z_]`, `[^[:space:]]`.

use super::Mistake;
use crate::sys::pattern;

/// Some of all bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) fn of(is_in: impl Fn(u8) -> bool) -> ByteSet {
        let mut set = ByteSet([0; 4]);
        (0..=u8::MAX).filter(|&byte| is_in(byte)).for_each(|byte| set.add(byte));
        set
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|bits| bits >> (byte % 64) & 1 == 1)
    }

    fn add(&mut self, byte: u8) {
        if let Some(bits) = self.0.get_mut(usize::from(byte / 64)) {
            *bits |= 1 << (byte % 64);
        }
    }
}

/// What a word is made of.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The class `space`.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

const UNCLOSED: &str = "this bracket is never closed";

/// What a member of a bracket expression is.
enum Member {
    Byte(u8),
    /// `[.a.]`, `[=a=]`: a byte, too, but of the latter no range begins.
    Equivalent(u8),
    Class(fn(u8) -> bool),
}

struct Bracket<'a> {
    text: &'a [u8],
    begin: usize,
    at: usize,
    folds: bool,
}

/// The set that the bracket expression at `begin` describes, and where it ends.
pub(super) fn parse(text: &[u8], begin: usize, folds: bool) -> Result<(ByteSet, usize), Mistake> {
    let mut bracket = Bracket { text, begin, at: begin + 1, folds };
    let negated = bracket.peek(0) == Some(b'^');
    bracket.at += usize::from(negated);
    let mut set = ByteSet([0; 4]);
    let mut first = true;
    while first || bracket.peek(0) != Some(b']') {
        bracket.add_member(&mut set, first)?;
        first = false;
    }
    let is_in = |byte: u8| {
        let meant = if folds { byte.to_ascii_uppercase() } else { byte };
        set.contains(meant) != negated
    };
    Ok((ByteSet::of(is_in), bracket.at + 1))
}

impl Bracket<'_> {
    /// As a capital, where these are as good as small letters: it is their values that ranges count.
    fn peek(&self, offset: usize) -> Option<u8> {
        let byte = self.text.get(self.at + offset).copied();
        if self.folds { byte.map(|byte| byte.to_ascii_uppercase()) } else { byte }
    }

    fn unclosed(&self) -> Mistake {
        Mistake { at: self.begin, why: UNCLOSED }
    }

    fn is_hyphen(&self) -> bool {
        self.peek(0) == Some(b'-')
    }

    /// A byte, a class or a range.
    fn add_member(&mut self, set: &mut ByteSet, first: bool) -> Result<(), Mistake> {
        let at = self.at;
        if !first && self.is_hyphen() && self.peek(1) != Some(b']') {
            let why = "a hyphen for itself is the first or the last in a bracket";
            return Err(Mistake { at, why });
        }
        let begin = match self.member()? {
            Member::Class(class) => {
                (0..=u8::MAX).filter(|&byte| class(byte)).for_each(|byte| set.add(byte));
                return Ok(());
            }
            Member::Equivalent(byte) => {
                set.add(byte);
                return Ok(());
            }
            Member::Byte(byte) => byte,
        };
        if !self.is_hyphen() || self.peek(1) == Some(b']') {
            set.add(begin);
            return Ok(());
        }
        self.at += 1;
        match self.member()? {
            Member::Byte(end) if begin <= end => (begin..=end).for_each(|byte| set.add(byte)),
            Member::Byte(_) => return Err(Mistake { at, why: "this range ends before it begins" }),
            Member::Equivalent(_) | Member::Class(_) => {
                return Err(Mistake { at, why: "a class is no end of a range" });
            }
        }
        Ok(())
    }

    fn member(&mut self) -> Result<Member, Mistake> {
        let byte = self.peek(0).ok_or_else(|| self.unclosed())?;
        if let (b'[', Some(kind @ (b':' | b'.' | b'='))) = (byte, self.peek(1)) {
            return self.named(kind);
        }
        self.at += 1;
        Ok(Member::Byte(byte))
    }

    /// `[:alpha:]`, `[.a.]`, `[=a=]`.
    fn named(&mut self, kind: u8) -> Result<Member, Mistake> {
        let at = self.at;
        let rest = self.text.get(at + 2..).unwrap_or(&[]);
        let length = rest.windows(2).position(|pair| pair == [kind, b']']);
        let length = length.ok_or_else(|| self.unclosed())?;
        let name = rest.get(..length).unwrap_or(&[]);
        self.at += length + 4;
        if kind == b':' {
            let why = "no class of characters has this name";
            return class(name, self.folds).map(Member::Class).ok_or(Mistake { at, why });
        }
        let &[byte] = name else {
            return Err(Mistake { at, why: "here each character collates alone" });
        };
        let byte = if self.folds { byte.to_ascii_uppercase() } else { byte };
        Ok(if kind == b'.' { Member::Byte(byte) } else { Member::Equivalent(byte) })
    }
}

fn class(name: &[u8], folds: bool) -> Option<fn(u8) -> bool> {
    match name {
        b"upper" | b"lower" if folds => Some(|byte| byte.is_ascii_alphabetic()),
        name => pattern::class(name),
    }
}
