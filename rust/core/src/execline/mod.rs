//! The execline language as text (contract execline §1, §2): from a script's bytes to words, blocks
//! among words, and substitution in them. Pure; commands live in s6x-multicall.

pub mod block;
pub mod codes;
pub mod condition;
pub mod envfile;
pub mod frame;
pub mod getopt;
pub mod mask;
pub mod path;
pub mod quote;
pub mod records;
pub mod script;
pub mod strict;
pub mod substitution;
pub mod value;

use std::ffi::OsString;

/// Bytes that a command line may have before it is no use to keep it: no kernel starts a program with
/// more, whatever the limit of its stack.
pub const MOST_BYTES: usize = 6 * 1024 * 1024;

/// What a word costs on top of its bytes: a NUL, and a pointer to it.
const COST_OF_A_WORD: usize = 9;

/// A list of words that stays below a size, for what hostile input can blow up.
#[derive(Debug)]
struct Bounded {
    words: Vec<OsString>,
    size: usize,
    most: usize,
}

/// There are more words than any program could be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Bounded {
    fn new(most: usize) -> Bounded {
        Bounded { words: Vec::new(), size: 0, most }
    }

    /// Whether a word of that many bytes more still fits.
    fn fits(&self, bytes: usize) -> bool {
        self.size.saturating_add(bytes).saturating_add(COST_OF_A_WORD) <= self.most
    }

    fn push(&mut self, word: OsString) -> Result<(), TooLong> {
        if !self.fits(word.len()) {
            return Err(TooLong);
        }
        self.size += word.len() + COST_OF_A_WORD;
        self.words.push(word);
        Ok(())
    }
}
