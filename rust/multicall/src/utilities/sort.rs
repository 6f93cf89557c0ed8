//! s6-sort: sorts lines.

use super::output::Output;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::{fd, search};
use std::cmp::Ordering;

/// s6-sort.
pub static APPLET: Applet = Applet {
    name: "s6-sort",
    section: Section::Utilities,
    about: "Sort the lines of standard input by their bytes; all of them are in memory at once",
    options: &[
        flag('b', "ignore blanks at the beginning"),
        flag('c', "print nothing: find out whether the lines are sorted"),
        flag('f', "ignore the difference between capitals and small letters"),
        flag('r', "the other way round"),
        flag('u', "only one of lines that are equal"),
        flag('0', "lines end with a NUL, not a newline"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "-c: the lines are not sorted, or with -u, some are equal")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let end = if call.has('0') { 0 } else { b'\n' };
    let order = Order {
        ignores_blanks: call.has('b'),
        ignores_case: call.has('f'),
        is_reverse: call.has('r'),
    };
    let text = read()?;
    let mut lines = split(&text, end);
    if call.has('c') {
        let wrong = if call.has('u') { Ordering::is_ge } else { Ordering::is_gt };
        let mut pairs = lines.iter().zip(lines.iter().skip(1));
        let unsorted = pairs.any(|(one, next)| wrong(order.compare(one, next)));
        return Ok(Exit::Code(unsorted.into()));
    }
    order.sort(&mut lines);
    if call.has('u') {
        lines.dedup_by(|next, one| order.compare(one, next).is_eq());
    }
    let mut output = Output::default();
    for line in &lines {
        output.put(line.text)?;
        output.put(&[end])?;
    }
    output.finish()?;
    Ok(Exit::SUCCESS)
}

/// All of standard input.
fn read() -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let got = fd::read(fd::standard(0), &mut buffer)
            .map_err(|errno| Error::system("read from stdin", errno))?;
        text.extend_from_slice(buffer.get(..got).unwrap_or(&[]));
        if got == 0 {
            return Ok(text);
        }
    }
}

fn split(mut text: &[u8], end: u8) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        let length = search::byte(end, text).unwrap_or(text.len());
        let (line, rest) = text.split_at(length);
        lines.push(Line::of(line));
        text = rest.get(1..).unwrap_or(&[]);
    }
    lines
}

/// A line, and its first eight bytes as a number that sorts like them: most comparisons need no more, and
/// nothing from where the line is.
struct Line<'a> {
    head: u64,
    text: &'a [u8],
}

impl Line<'_> {
    fn of(text: &[u8]) -> Line<'_> {
        let mut head = [0; 8];
        for (place, byte) in head.iter_mut().zip(text) {
            *place = *byte;
        }
        Line { head: u64::from_be_bytes(head), text }
    }
}

/// How lines are compared.
#[derive(Clone, Copy)]
struct Order {
    ignores_blanks: bool,
    ignores_case: bool,
    is_reverse: bool,
}

impl Order {
    fn sort(self, lines: &mut [Line<'_>]) {
        if self.ignores_blanks || self.ignores_case {
            lines.sort_by(|one, other| self.compare(one, other)); // equal ones stay in their order
        } else {
            lines.sort_unstable_by(|one, other| self.compare(one, other));
        }
    }

    fn compare(self, one: &Line<'_>, other: &Line<'_>) -> Ordering {
        let order = if self.ignores_blanks || self.ignores_case {
            self.key(one.text).cmp(self.key(other.text))
        } else {
            one.head.cmp(&other.head).then_with(|| one.text.cmp(other.text))
        };
        if self.is_reverse { order.reverse() } else { order }
    }

    /// What counts of a line.
    fn key(self, text: &[u8]) -> impl Iterator<Item = u8> {
        let blanks = if self.ignores_blanks {
            text.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count()
        } else {
            0
        };
        let ignores_case = self.ignores_case;
        let counted = text.get(blanks..).unwrap_or(&[]).iter();
        counted.map(move |&byte| if ignores_case { byte.to_ascii_lowercase() } else { byte })
    }
}
