//! s6-format-filter: puts each line into a text.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, filter};
use std::os::unix::ffi::OsStrExt;

/// s6-format-filter.
pub static APPLET: Applet = Applet {
    name: "s6-format-filter",
    section: Section::Utilities,
    about: "Print the format for each line of stdin, with that line in the place of %s",
    options: &[],
    arguments: "format [ args... ]",
    syntax: Syntax::Raw,
    exit_codes: &[("111", "the format asks for something that there is not")],
    run,
};

/// A part of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a [u8]),
    Line,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let format = call.argument(0, "format")?.as_bytes();
    let arguments = call.rest.iter().skip(1).take(9).map(|word| word.as_bytes());
    let words: Vec<&[u8]> = [call.applet.name.as_bytes()].into_iter().chain(arguments).collect();
    let parts = compiled(format, &words)
        .map_err(|what| Failure::new(111, format!("unable to compile format: {what}")))?;
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            for part in &parts {
                output.extend_from_slice(match part {
                    Part::Text(text) => text,
                    Part::Line => line.text,
                });
            }
            if line.ended {
                output.push(b'\n');
            }
        },
    )?;
    Ok(Exit::SUCCESS)
}

/// A format, with `words` in the places of `%0` and so on; the error says what is wrong with it.
fn compiled<'a>(format: &'a [u8], words: &[&'a [u8]]) -> Result<Vec<Part<'a>>, String> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(percent) = rest.iter().position(|&byte| byte == b'%') {
        let (text, after) = rest.split_at(percent);
        parts.push(Part::Text(text));
        parts.push(match after.get(1) {
            Some(b'%') => Part::Text(b"%"),
            Some(b's') => Part::Line,
            Some(digit @ b'0'..=b'9') => {
                let word = words.get(usize::from(digit - b'0')).copied();
                let missing = || format!("%{} has no argument", digit.escape_ascii());
                Part::Text(word.ok_or_else(missing)?)
            }
            Some(letter) => return Err(format!("%{} means nothing", letter.escape_ascii())),
            None => return Err("it ends with a single %".to_owned()),
        });
        rest = after.get(2..).unwrap_or(&[]);
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}
