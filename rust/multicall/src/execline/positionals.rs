//! dollarat, shift, runblock: the positional parameters as words, and as blocks.

use super::{CHAIN_CODES, go_on};
use crate::invocation::number;
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::shown;
use s6x_core::execline::block;
use s6x_core::execline::frame::{self, NoVariable, Parameters};
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
fn parameters(call: &Invocation) -> Result<Parameters<'_>, Failure> {
    Parameters::of(&call.environment).ok_or_else(|| missing("#"))
}

fn missing(name: &str) -> Failure {
    Failure::new(100, format!("{name} not set"))
}

fn dollarat(call: &Invocation) -> Result<Exit, Failure> {
    let words = parameters(call)?.from(1).map_err(|name| missing(&name))?;
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
    let args = if args.or(blocks).is_none() { 1 } else { args.unwrap_or(0) };
    call.argument(0, "program")?;
    let parameters = parameters(call)?;
    let count = parameters.count;
    if count < args {
        minded(call, || format!("unable to shift {args} arguments: got {count}"))?;
    }
    let mut at = args.min(count);
    for nth in 1..=blocks.unwrap_or(0) {
        let few = || Failure::new(100, format!("unable to shift block {nth}: too few arguments"));
        at = block_behind(call, &parameters, at, nth)?.ok_or_else(few)?.1;
    }
    let environment = parameters.shifted(&call.environment, at);
    Ok(Exit::Exec(Exec::new(call.rest.clone(), environment)))
}

fn runblock(call: &Invocation) -> Result<Exit, Failure> {
    let behind = call.has('r');
    let skipped = call.number('n')?.unwrap_or(0);
    let count = number(call.argument(0, "number")?);
    let count = count.filter(|&count| behind || count > 0);
    let count = count.ok_or_else(|| Failure::usage("the block's number is none"))?;
    let parameters = parameters(call)?;
    let mut argv = call.rest.get(1..).unwrap_or(&[]).to_vec();
    let mut at = skipped;
    for nth in 1..=count {
        let block = block_behind(call, &parameters, at, nth)?;
        let (words, end) = block.ok_or_else(|| Failure::new(100, "too few arguments"))?;
        at = end;
        if nth == count && !behind {
            argv.extend(words);
        }
    }
    if behind {
        let rest = parameters.from(at.saturating_add(1)).map_err(|name| missing(&name))?;
        if rest.is_empty() {
            return Ok(Exit::SUCCESS);
        }
        argv.extend(rest);
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

/// The words of the block behind so many parameters, and how many there are up to its end; strict
/// commands mind words that are not marked as such. `None` if it has no end.
fn block_behind(
    call: &Invocation,
    parameters: &Parameters<'_>,
    at: u32,
    nth: u32,
) -> Result<Option<(Vec<OsString>, u32)>, Failure> {
    let mut words = Vec::new();
    for place in at.saturating_add(1)..=parameters.count {
        let word = parameters.get(place).map_err(|name| missing(&name))?;
        if word.is_empty() {
            return Ok(Some((words, place)));
        }
        if !word.as_bytes().starts_with(b" ") {
            let (word, position) = (shown(Path::new(word)), place - at);
            minded(call, || {
                format!("unquoted positional {word} at block {nth} position {position}")
            })?;
        }
        words.push(block::bare(word));
    }
    Ok(None)
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
