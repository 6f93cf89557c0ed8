//! s6-tail: the end of a file.

use super::head::{Amount, NTH, amount};
use super::input::{Input, ROOM, behind};
use super::output::{self, Output};
use crate::options::joined;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use std::collections::VecDeque;

/// s6-tail.
pub static APPLET: Applet = Applet {
    name: "s6-tail",
    section: Section::Utilities,
    about: "Print the last lines of a file, or of standard input; ten without options",
    options: &joined::<11>(&[
        &NTH,
        &[
            value('n', "[+]lines", "so many lines; with +, from this line on"),
            value('c', "[+]chars", "so many bytes; with +, from this byte on"),
        ],
    ]),
    arguments: "[ file ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (amount, sign) = amount(call, b"+-")?;
    call.warn_of_more_than(1);
    let input = match call.rest.first() {
        Some(name) => Input::open(name)?,
        None => Input::Standard,
    };
    match sign {
        Some(b'+') => from(&input, amount)?,
        Some(_) | None => last(&input, amount)?,
    }
    Ok(Exit::SUCCESS)
}

/// Prints what is from this line or byte on, the first of them being 1.
fn from(input: &Input<'_>, amount: Amount) -> Result<(), Failure> {
    let mut left = match amount {
        Amount::Lines(nth) => Amount::Lines(nth.saturating_sub(1)),
        Amount::Bytes(nth) => Amount::Bytes(nth.saturating_sub(1)),
    };
    input.blocks(|block| {
        let rest = match left {
            Amount::Lines(0) | Amount::Bytes(0) => block,
            Amount::Lines(count) => {
                let (found, rest) = behind(count, b'\n', block);
                left = Amount::Lines(count - found);
                rest
            }
            Amount::Bytes(count) => {
                let (skipped, rest) = block.split_at(skippable(count, block));
                left = Amount::Bytes(count - skipped.len() as u64);
                rest
            }
        };
        output::write(rest)?;
        Ok(true)
    })
}

/// How much of a block these are.
fn skippable(count: u64, block: &[u8]) -> usize {
    usize::try_from(count).map_or(block.len(), |count| count.min(block.len()))
}

/// What was read last, as much of it as may be wanted.
#[derive(Default)]
struct Kept {
    /// Each with how many newlines it has.
    blocks: VecDeque<(Vec<u8>, u64)>,
    newlines: u64,
    bytes: u64,
}

impl Kept {
    fn add(&mut self, block: &[u8]) {
        let (newlines, _) = behind(u64::MAX, b'\n', block);
        self.newlines += newlines;
        self.bytes += block.len() as u64;
        match self.blocks.back_mut() {
            Some((last, its)) if last.len() + block.len() <= ROOM => {
                last.extend_from_slice(block);
                *its += newlines;
            }
            Some(_) | None => self.blocks.push_back((block.to_vec(), newlines)),
        }
    }

    /// Forgets what is not wanted, even if nothing more comes.
    fn shrink(&mut self, wanted: Amount) {
        while let Some((first, newlines)) = self.blocks.front() {
            let (bytes, newlines) = (first.len() as u64, *newlines);
            let enough = match wanted {
                Amount::Lines(count) => self.newlines - newlines > count,
                Amount::Bytes(count) => self.bytes - bytes >= count,
            };
            if !enough {
                return;
            }
            self.blocks.pop_front();
            self.bytes -= bytes;
            self.newlines -= newlines;
        }
    }
}

/// Prints the last lines or bytes.
fn last(input: &Input<'_>, amount: Amount) -> Result<(), Failure> {
    let mut kept = Kept::default();
    input.blocks(|block| {
        kept.add(block);
        kept.shrink(amount);
        Ok(true)
    })?;
    let last_byte = kept.blocks.back().and_then(|(block, _)| block.last());
    let unfinished = u64::from(last_byte.is_some_and(|&byte| byte != b'\n'));
    let mut surplus = match amount {
        Amount::Lines(count) => (kept.newlines + unfinished).saturating_sub(count),
        Amount::Bytes(count) => kept.bytes.saturating_sub(count),
    };
    if amount == Amount::Lines(0) {
        return Ok(());
    }
    let mut output = Output::default();
    for (block, _) in &kept.blocks {
        let (skipped, rest) = match amount {
            Amount::Lines(_) => behind(surplus, b'\n', block),
            Amount::Bytes(_) => {
                let (skipped, rest) = block.split_at(skippable(surplus, block));
                (skipped.len() as u64, rest)
            }
        };
        surplus -= skipped;
        output.put(rest)?;
    }
    output.finish()
}
