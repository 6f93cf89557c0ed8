//! POSIX regular expressions, extended and basic, in time proportional to expression times text, whatever either is.
//!
//! An expression becomes an automaton of bounded size ([`program`]), which is followed in all its states at
//! once ([`threads`]); who asks often gets a table of what was found out before ([`Matcher`]). Nothing goes
//! back in the text, so nothing is tried twice. The language is that of glibc in the C locale: bytes, ranges by
//! their values, classes of ASCII, the operators of GNU (`\w \W \s \S \b \B \< \> \` \'`, and in basic
//! expressions `\+ \? \|`). Back-references are refused: no bounded way to match them is known.

mod bracket;
mod groups;
mod parse;
mod program;
mod table;
mod threads;

use self::parse::Tree;
use self::program::Program;
use std::fmt;
use std::ops::Range;

pub use self::table::Matcher;

/// What the characters of an expression mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialect {
    /// As in basic expressions, where `\(` begins a group, rather than in extended ones.
    pub basic: bool,
    /// Capitals are as good as small letters.
    pub ignores_case: bool,
}

/// Why something is no expression that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in bytes from the begin of the expression.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.at + 1, self.why)
    }
}

/// An expression, ready to be matched.
#[derive(Debug)]
pub struct Regex {
    tree: Tree,
    program: Program,
}

impl Regex {
    /// Compiles an extended expression.
    pub fn new(expression: &[u8]) -> Result<Regex, Mistake> {
        Regex::in_dialect(expression, Dialect::default())
    }

    /// Compiles an expression in one of the dialects.
    pub fn in_dialect(expression: &[u8], dialect: Dialect) -> Result<Regex, Mistake> {
        let tree = Tree::parse(expression, dialect)?;
        let program = Program::of(&tree)?;
        Ok(Regex { tree, program })
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        threads::is_match(&self.program, text)
    }

    /// Where it matches: as far to the left as it can, and there as long as it can.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        threads::find(&self.program, text)
    }

    /// The same, and then what each group matches, which is a part in parentheses; `None` for one that takes no part.
    /// As POSIX has it, what begins earlier is as long as it can be. In time that may grow with the
    /// square of the text's length.
    pub fn find_groups(&self, text: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        let whole = self.find(text)?;
        Some(groups::find(&self.tree, text, whole))
    }
}

#[cfg(test)]
mod tests;
