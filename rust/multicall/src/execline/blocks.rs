//! The blocks among a command's words, and what a strict command minds about them (contract execline
//! §1.5).

use crate::{Failure, Invocation};
use s6x_core::error::shown;
use s6x_core::execline::block::{self, Block};
use s6x_core::execline::strict::Strictness;
use std::ffi::OsString;
use std::path::Path;

/// The words of a command, from which blocks are taken one after the other.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    call: &'a Invocation,
    strictness: Strictness,
    rest: &'a [OsString],
    count: usize,
}

impl<'a> Blocks<'a> {
    /// The words behind a command's options and first arguments.
    pub(super) fn of(call: &'a Invocation, words: &'a [OsString]) -> Blocks<'a> {
        let strictness = Strictness::of(&call.environment);
        Blocks { call, strictness, rest: words, count: 0 }
    }

    /// The words of the next block; `None` if it has no end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<OsString>>, Failure> {
        self.count += 1;
        if self.strictness != Strictness::Silent {
            for (position, word) in block::unquoted(self.rest) {
                let (word, count) = (shown(Path::new(word)), self.count);
                let what = format!("unquoted argument {word} at block {count} position {position}");
                if self.strictness == Strictness::Fails {
                    return Err(Failure::new(100, what));
                }
                self.call.warning(what);
            }
        }
        let Some(block) = Block::first_of(self.rest) else { return Ok(None) };
        self.rest = block.rest;
        Ok(Some(block.words()))
    }

    /// The same where a block must be; `missing` says what there is instead.
    pub(super) fn need(&mut self, missing: &str) -> Result<Vec<OsString>, Failure> {
        self.next()?.ok_or_else(|| Failure::new(100, missing))
    }

    /// Whose words these are.
    pub(super) fn call(&self) -> &'a Invocation {
        self.call
    }

    /// Goes on behind words that are no block.
    pub(super) fn go_to(&mut self, words: &'a [OsString]) {
        self.rest = words;
    }

    /// The blocks in a block's words: they are counted with those outside.
    pub(super) fn within<'b>(&self, words: &'b [OsString]) -> Blocks<'b>
    where
        'a: 'b,
    {
        Blocks { call: self.call, strictness: self.strictness, rest: words, count: self.count }
    }

    /// The same where the block must not be empty.
    pub(super) fn filled(&mut self, missing: &str) -> Result<Vec<OsString>, Failure> {
        let block = self.need(missing)?;
        if block.is_empty() { Err(Failure::new(100, "empty block")) } else { Ok(block) }
    }

    /// The words behind the blocks taken so far.
    pub(super) fn rest(&self) -> &'a [OsString] {
        self.rest
    }
}
