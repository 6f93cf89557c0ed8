//! s6-quote and s6-unquote: a string between quote characters, and what it was before.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::wire::quoting::{self, Delimiters};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// s6-quote.
pub static QUOTE: Applet = Applet {
    name: "s6-quote",
    section: Section::Utilities,
    about: "Print a string as one that is quoted",
    options: &[
        flag('n', "no newline at the end"),
        flag('u', "without the quote characters at its ends"),
        value('d', "delim", "the quote characters, of which the first is used (a double quote)"),
    ],
    arguments: "string",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: quote,
};

/// s6-unquote.
pub static UNQUOTE: Applet = Applet {
    name: "s6-unquote",
    section: Section::Utilities,
    about: "Print what a quoted string means",
    options: &[
        flag('n', "no newline at the end"),
        value('d', "delim", "the quote characters (a double quote); empty: nothing quotes it"),
    ],
    arguments: "string",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or this is not a quoted string")],
    run: unquote,
};

/// The quote characters that an option asks for.
pub(super) fn delimiters(call: &Invocation) -> Result<Delimiters<'_>, Failure> {
    let word = call.value('d').unwrap_or(OsStr::new("\""));
    Delimiters::new(word.as_bytes()).map_err(|byte| {
        let byte = byte.escape_ascii();
        let message = format!("option -d: {byte} cannot quote, it means something in escapes");
        Failure::usage(message)
    })
}

/// Which quote character goes to the ends of what is quoted.
pub(super) fn ends(call: &Invocation, delimiters: Delimiters<'_>) -> Result<Option<u8>, Failure> {
    if call.has('u') {
        return Ok(None);
    }
    let none = || Failure::usage("option -d: no character to quote with");
    delimiters.first().map(Some).ok_or_else(none)
}

fn quote(call: &Invocation) -> Result<Exit, Failure> {
    let delimiters = delimiters(call)?;
    let ends = ends(call, delimiters)?;
    let string = call.only_argument("string")?;
    let mut text = Vec::new();
    text.extend(ends);
    quoting::quote(string.as_bytes(), delimiters, &mut text);
    text.extend(ends);
    if !call.has('n') {
        text.push(b'\n');
    }
    call.print(text)?;
    Ok(Exit::SUCCESS)
}

fn unquote(call: &Invocation) -> Result<Exit, Failure> {
    let delimiters = delimiters(call)?;
    let string = call.only_argument("string")?.as_bytes();
    let begin = usize::from(!delimiters.is_empty());
    if begin != 0 {
        check_begin(string, delimiters).map_err(|what| Failure::new(100, what))?;
    }
    let inside = string.get(begin..).unwrap_or(&[]);
    let found = quoting::unquote(inside, delimiters).map_err(|wrong| {
        Failure::new(100, format!("unable to unquote at character {}: {wrong}", wrong.at + begin))
    })?;
    match found.end {
        None if begin != 0 => return Err(Failure::new(100, "no ending quote character")),
        Some(end) if end + 1 < inside.len() => call.warning(format!(
            "found ending quote character at position {}/{}; ignoring remainder",
            end + 1,
            inside.len()
        )),
        Some(_) | None => {}
    }
    let mut text = found.text;
    if !call.has('n') {
        text.push(b'\n');
    }
    call.print(text)?;
    Ok(Exit::SUCCESS)
}

/// Whether a string begins with a quote character; the error says what it does instead.
pub(super) fn check_begin(string: &[u8], delimiters: Delimiters<'_>) -> Result<(), &'static str> {
    match string.first() {
        None => Err("the empty string isn't a quoted string"),
        Some(&byte) if delimiters.contains(byte) => Ok(()),
        Some(_) => Err("invalid starting quote character"),
    }
}
