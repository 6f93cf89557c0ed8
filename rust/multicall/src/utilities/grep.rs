//! s6-grep: picks lines.

use crate::filter;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::regex::{Dialect, Matcher};
use s6x_core::sys::search;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// s6-grep.
pub static APPLET: Applet = Applet {
    name: "s6-grep",
    section: Section::Utilities,
    about: "Print the lines of standard input that match a basic regular expression",
    options: &[
        flag('E', "the pattern is an extended regular expression"),
        flag('F', "the pattern stands for itself"),
        flag('i', "ignore the difference between capitals and small letters"),
        flag('c', "print how many lines match"),
        flag('n', "print the number of each line, a colon, and the line"),
        flag('q', "print nothing"),
        flag('v', "the lines that do not match"),
    ],
    arguments: "pattern",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "there are such lines"), ("1", "there are none")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut pattern = Pattern::new(call, call.only_argument("pattern")?)?;
    let [count, numbers, quiet, inverse] = ['c', 'n', 'q', 'v'].map(|letter| call.has(letter));
    let (mut number, mut found) = (0_u64, 0_u64);
    filter::lines(
        |byte| byte == b'\n',
        |line, output| {
            number += 1;
            // All of the input is read, for the sake of its writer, but need not be looked at.
            if (quiet && found > 0) || pattern.matches(line.text) == inverse {
                return;
            }
            found += 1;
            if quiet || count {
                return;
            }
            if numbers {
                let _ = write!(output, "{number}:"); // into memory: cannot fail
            }
            output.extend_from_slice(line.text);
            output.push(b'\n');
        },
    )?;
    if count && !quiet {
        call.print(format!("{found}\n"))?;
    }
    Ok(Exit::Code((found == 0).into()))
}

enum Pattern {
    Fixed(Vec<u8>),
    /// In small letters; and room for a line in small letters.
    FixedIgnoringCase(Vec<u8>, Vec<u8>),
    Regex(Box<Matcher>),
}

impl Pattern {
    fn new(call: &Invocation, text: &OsStr) -> Result<Pattern, Failure> {
        let ignores_case = call.has('i');
        let bytes = text.as_bytes();
        let is_fixed = call.has('F') || !bytes.iter().any(|byte| b"\\^$.[]*+?{}|()".contains(byte));
        match (is_fixed, ignores_case) {
            (true, false) => Ok(Pattern::Fixed(bytes.to_vec())),
            (true, true) => Ok(Pattern::FixedIgnoringCase(bytes.to_ascii_lowercase(), Vec::new())),
            (false, _) => {
                let failed = |mistake| {
                    let message = format!("unable to compile regular expression: {mistake}");
                    Failure::new(111, message)
                };
                let dialect = Dialect { basic: !call.has('E'), ignores_case };
                Matcher::new(bytes, dialect)
                    .map(|matcher| Pattern::Regex(Box::new(matcher)))
                    .map_err(failed)
            }
        }
    }

    fn matches(&mut self, line: &[u8]) -> bool {
        match self {
            Pattern::Fixed(text) => search::bytes(text, line).is_some(),
            Pattern::FixedIgnoringCase(text, room) => {
                room.clear();
                room.extend(line.iter().map(u8::to_ascii_lowercase));
                search::bytes(text, room).is_some()
            }
            Pattern::Regex(matcher) => matcher.matches(line),
        }
    }
}
