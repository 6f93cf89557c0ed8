//! s6-cut: picks bytes or fields from lines.

use super::input::Input;
use super::output;
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::sys::search;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// s6-cut.
pub static APPLET: Applet = Applet {
    name: "s6-cut",
    section: Section::Utilities,
    about: "Print some bytes or fields of each line of files, or of standard input",
    options: &[
        value('b', "list", "these bytes: numbers and ranges (2, 4-6, -3, 7-), commas between"),
        value('c', "list", "the same"),
        value('f', "list", "these fields"),
        value('d', "delim", "what is between two fields, one byte (empty: NUL); a tab else"),
        flag('n', "ignored"),
        flag('s', "leave out lines without any delimiter, rather than print them whole"),
    ],
    arguments: "[ file... ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut lists = call.options.iter().filter(|(letter, _)| "bcf".contains(*letter));
    let (letter, list) = match (lists.next(), lists.next()) {
        (Some((letter, Some(list))), None) => (*letter, list),
        _ => return Err(Failure::usage("one of -b, -c and -f needed")),
    };
    let wrong = || Failure::new(100, format!("invalid list argument: {}", quoted(list)));
    let ranges = ranges(list).ok_or_else(wrong)?;
    if ranges.is_empty() {
        return Err(Failure::usage("an empty list"));
    }
    let delimiter = call.value('d').map_or(b'\t', first_byte);
    let mut cutter = Cutter {
        ranges,
        delimiter: (letter == 'f').then_some(delimiter),
        suppresses: call.has('s'),
        line: Line::default(),
    };
    if call.rest.is_empty() {
        cutter.cut(&Input::Standard)?;
    }
    for name in &call.rest {
        cutter.cut(&Input::open(name)?)?;
    }
    Ok(Exit::SUCCESS)
}

fn first_byte(word: &OsStr) -> u8 {
    word.as_bytes().first().copied().unwrap_or(0)
}

/// First and last byte or field, from 1.
type Range = (u64, u64);

/// The ranges of a list, in their order, none touching another; `None` if it is not a list.
fn ranges(list: &OsStr) -> Option<Vec<Range>> {
    let text = list.to_str()?;
    let text = text.strip_suffix([',', ' ', '\t']).unwrap_or(text);
    let mut found: Vec<Range> = Vec::new();
    for part in text.split([',', ' ', '\t']).filter(|_| !text.is_empty()) {
        let number = |text: &str| {
            if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
        };
        let (first, last) = match part.split_once('-') {
            None => (number(part)?, number(part)?),
            Some((first, last)) => (
                if first.is_empty() { 1 } else { number(first)? },
                if last.is_empty() { u64::MAX } else { number(last)? },
            ),
        };
        if first == 0 || last < first {
            return None;
        }
        found.push((first, last));
    }
    found.sort_unstable();
    found.dedup_by(|next, one| {
        let touches = next.0 <= one.1.saturating_add(1);
        if touches {
            one.1 = one.1.max(next.1);
        }
        touches
    });
    Some(found)
}

struct Cutter {
    ranges: Vec<Range>,
    /// Between fields; `None`: bytes are picked.
    delimiter: Option<u8>,
    suppresses: bool,
    line: Line,
}

/// What is known of the line that is being read. Lines may be of any length: only their first field is
/// kept, until it is clear that it is not the whole line.
#[derive(Default)]
struct Line {
    /// Bytes so far, or delimiters.
    passed: u64,
    /// Ranges that are behind us.
    done: usize,
    first_field: Vec<u8>,
    /// Whether a field was printed.
    printed: bool,
}

impl Cutter {
    fn cut(&mut self, input: &Input<'_>) -> Result<(), Failure> {
        let mut out = Vec::new();
        input.blocks(|mut block| {
            while let Some(end) = search::byte(b'\n', block) {
                let (part, rest) = block.split_at(end);
                self.part(part, &mut out);
                self.end(true, &mut out);
                block = rest.get(1..).unwrap_or(&[]);
            }
            self.part(block, &mut out);
            output::write(&out)?;
            out.clear();
            Ok(true)
        })?;
        self.end(false, &mut out);
        output::write(&out)
    }

    /// More of the line.
    fn part(&mut self, part: &[u8], out: &mut Vec<u8>) {
        match self.delimiter {
            Some(delimiter) => self.fields(delimiter, part, out),
            None => self.bytes(part, out),
        }
    }

    fn bytes(&mut self, part: &[u8], out: &mut Vec<u8>) {
        let (start, end) = (self.line.passed, self.line.passed + part.len() as u64);
        while let Some(&(first, last)) = self.ranges.get(self.line.done) {
            let (from, to) = ((first - 1).clamp(start, end), last.clamp(start, end));
            let picked = part.get((from - start) as usize..(to - start) as usize);
            out.extend_from_slice(picked.unwrap_or(&[]));
            if last > end {
                break;
            }
            self.line.done += 1;
        }
        self.line.passed = end;
    }

    fn fields(&mut self, delimiter: u8, mut part: &[u8], out: &mut Vec<u8>) {
        while self.line.passed == 0 || self.line.done < self.ranges.len() {
            let end = search::byte(delimiter, part);
            let (field, rest) = part.split_at(end.unwrap_or(part.len()));
            if self.line.passed == 0 {
                self.line.first_field.extend_from_slice(field);
            } else if self.is_picked() {
                out.extend_from_slice(field);
            }
            if end.is_none() {
                return;
            }
            part = rest.get(1..).unwrap_or(&[]);
            if self.line.passed == 0 && self.is_picked() {
                out.extend_from_slice(&self.line.first_field);
                self.line.printed = true;
            }
            self.line.passed += 1;
            if self.is_picked() {
                if self.line.printed {
                    out.push(delimiter);
                }
                self.line.printed = true;
            }
        }
    }

    /// Whether the field where we are is wanted.
    fn is_picked(&mut self) -> bool {
        let field = self.line.passed + 1;
        while self.ranges.get(self.line.done).is_some_and(|&(_, last)| last < field) {
            self.line.done += 1;
        }
        self.ranges.get(self.line.done).is_some_and(|&(first, _)| first <= field)
    }

    /// The line is over. The last one of a file may have no newline, and gets none.
    fn end(&mut self, newline: bool, out: &mut Vec<u8>) {
        let is_whole = self.delimiter.is_some() && self.line.passed == 0;
        if is_whole && !self.suppresses {
            out.extend_from_slice(&self.line.first_field);
        }
        if newline && !(is_whole && self.suppresses) {
            out.push(b'\n');
        }
        let mut room = std::mem::take(&mut self.line.first_field);
        room.clear();
        self.line = Line { first_field: room, ..Line::default() };
    }
}
