//! s6-quote-filter and s6-unquote-filter: the same for each line of a text.

use super::quote::{check_begin, delimiters, ends};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, filter, flag, value};
use s6x_core::error::shown;
use s6x_core::wire::quoting::{self, Delimiters};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-quote-filter.
pub static QUOTE: Applet = Applet {
    name: "s6-quote-filter",
    section: Section::Utilities,
    about: "Quote each line from stdin to stdout",
    options: &[
        flag('u', "without the quote characters at its ends"),
        value('d', "delim", "the quote characters, of which the first is used (a double quote)"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: quote,
};

/// s6-unquote-filter.
pub static UNQUOTE: Applet = Applet {
    name: "s6-unquote-filter",
    section: Section::Utilities,
    about: "Unquote each line from stdin to stdout; a line that is not quoted stays as it is",
    options: &[
        flag('q', "say nothing about lines that are not quoted"),
        flag('Q', "warn of them (default)"),
        flag('v', "warn of them, and show their beginning"),
        flag('w', "end at the first of them"),
        value('d', "delim", "the quote characters (a double quote); empty: nothing quotes a line"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("100", "wrong usage, or with -w: a line is not quoted")],
    run: unquote,
};

/// How much of a line a warning shows.
const SHOWN: usize = 36;

fn quote(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let delimiters = delimiters(call)?;
    let ends = ends(call, delimiters)?;
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            output.extend(ends);
            quoting::quote(line.text, delimiters, output);
            output.extend(ends);
            if line.ended {
                output.push(b'\n');
            }
        },
    )?;
    Ok(Exit::SUCCESS)
}

fn unquote(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let delimiters = delimiters(call)?;
    let strictness = call.last_of("qQvw").unwrap_or('Q');
    let complain = |what: String, line: &[u8]| match strictness {
        'q' => Ok(()),
        'w' => Err(Failure::new(100, what)),
        'v' => {
            call.warning(format!("{what} in line: {}", beginning(line)));
            Ok(())
        }
        _ => {
            call.warning(what);
            Ok(())
        }
    };
    filter::checked_lines(
        |byte| byte == b'\n',
        |line, output| {
            match meaning(line.text, delimiters) {
                Ok((text, rest)) => {
                    output.extend_from_slice(&text);
                    if rest != 0 && matches!(strictness, 'v' | 'w') {
                        call.warning(format!(
                            "ignoring {rest} bytes behind the ending quote character in line: {}",
                            beginning(line.text)
                        ));
                    }
                }
                Err(what) => {
                    complain(what, line.text)?;
                    output.extend_from_slice(line.text);
                }
            }
            if line.ended {
                output.push(b'\n');
            }
            Ok(())
        },
    )?;
    Ok(Exit::SUCCESS)
}

/// What a quoted line means, and how many bytes follow the quote character at its end.
fn meaning(line: &[u8], delimiters: Delimiters<'_>) -> Result<(Vec<u8>, usize), String> {
    let begin = usize::from(!delimiters.is_empty());
    if begin != 0 {
        let what = |what| if line.is_empty() { "empty line" } else { what };
        check_begin(line, delimiters).map_err(|problem| what(problem).to_owned())?;
    }
    let inside = line.get(begin..).unwrap_or(&[]);
    let found = quoting::unquote(inside, delimiters)
        .map_err(|wrong| format!("unable to unquote: {wrong}"))?;
    match found.end {
        None if begin != 0 => Err("unable to unquote: no ending quote character".to_owned()),
        None => Ok((found.text, 0)),
        Some(end) => Ok((found.text, inside.len() - end - 1)),
    }
}

/// The beginning of a line, for messages.
fn beginning(line: &[u8]) -> String {
    let text = |bytes| shown(Path::new(OsStr::from_bytes(bytes)));
    match line.split_at_checked(SHOWN) {
        Some((begin, rest)) if rest.len() > 3 => format!("{}...", text(begin)),
        Some(_) | None => text(line),
    }
}
