//! Blocks among words (contract execline §1.5): each word in a block carries a space in front, and an
//! empty word ends it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A block at the beginning of some words, and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its words as they stand, with their spaces.
    quoted: &'a [OsString],
    /// What follows its end.
    pub rest: &'a [OsString],
}

impl<'a> Block<'a> {
    /// The block up to the first empty word; `None` if there is none.
    pub fn first_of(words: &'a [OsString]) -> Option<Block<'a>> {
        let end = words.iter().position(|word| word.is_empty())?;
        let (quoted, rest) = words.split_at(end);
        Some(Block { quoted, rest: rest.get(1..).unwrap_or(&[]) })
    }

    /// Its words, each without the space in front.
    pub fn words(&self) -> Vec<OsString> {
        self.quoted.iter().map(|word| bare(word)).collect()
    }
}

/// A word of a block without the one space in front; as it is if there is none.
pub fn bare(word: &OsStr) -> OsString {
    let bytes = word.as_bytes();
    OsStr::from_bytes(bytes.strip_prefix(b" ").unwrap_or(bytes)).to_owned()
}

/// The words of the first block, or of all if it has no end, that have no space in front, each with its
/// position: what a strict command minds.
pub fn unquoted(words: &[OsString]) -> impl Iterator<Item = (usize, &OsStr)> {
    let inside = words.iter().take_while(|word| !word.is_empty()).enumerate();
    inside
        .filter(|(_, word)| !word.as_bytes().starts_with(b" "))
        .map(|(position, word)| (position, word.as_os_str()))
}

/// The words up to the first empty one, bare, and what follows. `None` if there is no empty word.
pub fn split(words: &[OsString]) -> Option<(Vec<OsString>, &[OsString])> {
    Block::first_of(words).map(|block| (block.words(), block.rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_or_not() {
        let words = ["a", " b", "  c", "", "prog", ""].map(OsString::from);
        let (inside, after) = split(&words).expect("terminated");
        assert_eq!(inside, ["a", "b", " c"]);
        assert_eq!(after, ["prog", ""]);
        assert_eq!(split(&words[4..5]), None);
        assert_eq!(unquoted(&words).collect::<Vec<_>>(), [(0, OsStr::new("a"))]);
    }
}
