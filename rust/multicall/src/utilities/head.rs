//! s6-head: the beginning of files.

use super::input::{Input, ROOM, behind};
use super::output;
use crate::invocation::{number, quoted};
use crate::options::{Opt, joined};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// s6-head.
pub static APPLET: Applet = Applet {
    name: "s6-head",
    section: Section::Utilities,
    about: "Print the first lines of files, or of standard input; ten without options",
    options: &joined::<12>(&[
        &[flag('S', "read no more of standard input than is printed")],
        &NTH,
        &[value('n', "lines", "so many lines"), value('c', "chars", "so many bytes")],
    ]),
    arguments: "[ file... ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

/// The options that are their own number of lines.
pub(super) const NTH: [Opt; 9] = [
    flag('1', "one line"),
    flag('2', "two lines"),
    flag('3', "three lines"),
    flag('4', "four lines"),
    flag('5', "five lines"),
    flag('6', "six lines"),
    flag('7', "seven lines"),
    flag('8', "eight lines"),
    flag('9', "nine lines"),
];

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Lines(u64),
    Bytes(u64),
}

/// What the options ask for, and what was in front of the number: `+`, `-` or nothing.
pub(super) fn amount(call: &Invocation, signs: &[u8]) -> Result<(Amount, Option<u8>), Failure> {
    let mut found = None;
    for (letter, word) in call.options.iter().filter(|(letter, _)| *letter != 'S') {
        if found.is_some() {
            return Err(Failure::usage("more than one number of lines or bytes"));
        }
        let digit = letter.to_string();
        let word = word.as_deref().unwrap_or(OsStr::new(&digit));
        let sign = word.as_bytes().first().copied().filter(|byte| signs.contains(byte));
        let digits = word.as_bytes().get(usize::from(sign.is_some())..).unwrap_or(&[]);
        let wrong =
            || Failure::usage(format!("option -{letter}: {} is not a number", quoted(word)));
        let count = number(OsStr::from_bytes(digits)).ok_or_else(wrong)?.into();
        let amount = if *letter == 'c' { Amount::Bytes(count) } else { Amount::Lines(count) };
        found = Some((amount, sign));
    }
    Ok(found.unwrap_or((Amount::Lines(10), None)))
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (amount, _) = amount(call, &[])?;
    if call.rest.is_empty() {
        head(&Input::Standard, amount, call.has('S'))?;
    }
    for (nth, name) in call.rest.iter().enumerate() {
        let input = Input::open(name)?;
        if call.rest.len() > 1 {
            output::write(&title(name, nth == 0))?;
        }
        head(&input, amount, false)?;
    }
    Ok(Exit::SUCCESS)
}

/// What stands above each of several files.
fn title(name: &OsString, is_first: bool) -> Vec<u8> {
    let before: &[u8] = if is_first { b"==> " } else { b"\n==> " };
    [before, name.as_bytes(), b" <==\n"].concat()
}

fn head(input: &Input<'_>, amount: Amount, sparing: bool) -> Result<(), Failure> {
    let mut buffer = vec![0; ROOM];
    let mut left = amount;
    loop {
        let (count, whole_line) = match left {
            Amount::Lines(count) => (count, true),
            Amount::Bytes(count) => (count, false),
        };
        if count == 0 {
            return Ok(());
        }
        // Each line has a byte at least.
        let limit = if whole_line && !sparing { ROOM as u64 } else { count };
        let room = usize::try_from(limit).unwrap_or(ROOM).min(ROOM);
        let block = input.read(buffer.get_mut(..room).unwrap_or(&mut []))?;
        if block.is_empty() {
            return Ok(());
        }
        if whole_line {
            let (found, rest) = behind(count, b'\n', block);
            let wanted = block.get(..block.len() - rest.len()).unwrap_or(block);
            output::write(wanted)?;
            left = Amount::Lines(count - found);
        } else {
            output::write(block)?;
            left = Amount::Bytes(count - block.len() as u64);
        }
    }
}
