//! dollarat, shift, runblock: the positional parameters as words, and as blocks.

use super::{CHAIN_CODES, go_on};
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::shown;
use s6x_core::execline::block::{self, Block};
use s6x_core::execline::frame::{self, Frame, NoVariable};
use s6x_core::execline::strict::Strictness;
use s6x_core::execline::value::as_netstrings;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// dollarat.
pub static DOLLARAT: Applet = Applet {
    name: "dollarat",
    section: Section::Execline,
    about: "Print the positional parameters",
    options: &[
        flag('n', "nothing behind the last one"),
        flag('0', "a NUL behind each"),
        value('d', "delimiter", "this behind each (a newline); none: netstrings"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or there are no positional parameters")],
    run: dollarat,
};

/// shift.
pub static SHIFT: Applet = Applet {
    name: "shift",
    section: Section::Execline,
    about: "Drop the first positional parameters and run a program",
    options: &[value('n', "n", "so many (1)"), value('b', "n", "and then so many blocks")],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: CHAIN_CODES,
    run: shift,
};

/// runblock.
pub static RUNBLOCK: Applet = Applet {
    name: "runblock",
    section: Section::Execline,
    about: "Become a block among the positional parameters",
    options: &[
        flag('P', "keep the positional parameters"),
        value('n', "n", "look for blocks behind so many of them"),
        flag('r', "become what is behind the first n blocks, instead of the nth"),
    ],
    arguments: "n prefix...",
    syntax: Syntax::Posix,
    exit_codes: CHAIN_CODES,
    run: runblock,
};

/// The positional parameters that the environment has.
fn parameters(call: &Invocation) -> Result<Vec<OsString>, Failure> {
    let missing = |name: String| Failure::new(100, format!("{name} not set"));
    Frame::words_of(&call.environment).map_err(missing)
}

fn dollarat(call: &Invocation) -> Result<Exit, Failure> {
    let words = parameters(call)?;
    call.warn_of_more_than(0);
    let delimiter: &[u8] = match call.last_of("0d") {
        Some('0') => b"\0",
        Some(_) => {
            let given = call.value('d').map(OsStr::as_bytes).unwrap_or_default();
            given.get(..1).unwrap_or(&[])
        }
        None => b"\n",
    };
    if delimiter.is_empty() {
        call.print(as_netstrings(words.iter().map(OsString::as_os_str)).as_bytes())?;
        return Ok(Exit::SUCCESS);
    }
    let texts: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let mut text = texts.join(delimiter);
    if !call.has('n') && !texts.is_empty() {
        text.extend_from_slice(delimiter);
    }
    call.print(text)?;
    Ok(Exit::SUCCESS)
}

fn shift(call: &Invocation) -> Result<Exit, Failure> {
    let (args, blocks) = (call.number('n')?, call.number('b')?);
    let args = if args.or(blocks).is_none() { 1 } else { args.unwrap_or(0) } as usize;
    call.argument(0, "program")?;
    let words = parameters(call)?;
    if words.len() < args {
        minded(call, || format!("unable to shift {args} arguments: got {}", words.len()))?;
    }
    let mut rest = words.get(args..).unwrap_or(&[]);
    for nth in 1..=blocks.unwrap_or(0) {
        let missing =
            || Failure::new(100, format!("unable to shift block {nth}: too few arguments"));
        rest = block_of(call, rest, nth, missing)?.rest;
    }
    let mut environment = call.environment.clone();
    frame::renumber(&mut environment, words.len(), rest);
    Ok(Exit::Exec(Exec::new(call.rest.clone(), environment)))
}

fn runblock(call: &Invocation) -> Result<Exit, Failure> {
    let behind = call.has('r');
    let skipped = call.number('n')?.unwrap_or(0) as usize;
    let count = crate::invocation::number(call.argument(0, "number")?);
    let count = count.filter(|&count| behind || count > 0);
    let count = count.ok_or_else(|| Failure::usage("the block's number is none"))?;
    let words = parameters(call)?;
    let missing = || Failure::new(100, "too few arguments");
    let mut rest = words.get(skipped..).ok_or_else(missing)?;
    let mut argv = call.rest.get(1..).unwrap_or(&[]).to_vec();
    for nth in 1..=count {
        let block = block_of(call, rest, nth, missing)?;
        rest = block.rest;
        if nth == count && !behind {
            argv.extend(block.words());
        }
    }
    if behind {
        argv.extend_from_slice(rest);
    }
    let environment = if call.has('P') {
        call.environment.clone()
    } else {
        let odd = |NoVariable| {
            let message = "unable to put back the outer positional parameters: the environment has \
                           an entry that begins like one and is no variable";
            Failure::new(111, message)
        };
        frame::pop(&call.environment, frame::POSITIONALS).map_err(odd)?
    };
    Ok(go_on(argv, environment))
}

/// The next block among parameters; strict commands mind words that are not marked as such.
fn block_of<'a>(
    call: &Invocation,
    words: &'a [OsString],
    nth: u32,
    missing: impl Fn() -> Failure,
) -> Result<Block<'a>, Failure> {
    for (position, word) in block::unquoted(words) {
        minded(call, || {
            let word = shown(Path::new(word));
            format!("unquoted positional {word} at block {nth} position {}", position + 1)
        })?;
    }
    Block::first_of(words).ok_or_else(missing)
}

/// Warns, or fails, if the command is strict.
fn minded(call: &Invocation, what: impl Fn() -> String) -> Result<(), Failure> {
    match Strictness::of(&call.environment) {
        Strictness::Silent => Ok(()),
        Strictness::Warns => {
            call.warning(what());
            Ok(())
        }
        Strictness::Fails => Err(Failure::new(100, what())),
    }
}
