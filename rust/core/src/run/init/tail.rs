//! The last lines of what a script wrote, for the report if it fails.
//!
//! Bounded, whatever is written: ten lines, of each the first few hundred bytes. Blank lines say nothing
//! and are passed over.

use std::collections::VecDeque;

/// How many lines are kept.
pub(super) const LINES: usize = 10;
/// How many bytes of a line are kept.
const LONGEST: usize = 240;

/// The last lines of two streams, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Tail {
    finished: VecDeque<Vec<u8>>,
    /// What no newline has ended yet, of each stream.
    unfinished: [Vec<u8>; 2],
}

impl Tail {
    /// Takes what one of the streams (0 or 1) brought.
    pub(super) fn take(&mut self, stream: usize, bytes: &[u8]) {
        let newline = |byte: &u8| *byte == b'\n';
        let Some(end) = bytes.iter().rposition(newline) else { return self.begin(stream, bytes) };
        let (whole, rest) = bytes.split_at(end);
        // A flood is not worth more than its end.
        let mut last: Vec<&[u8]> = whole.rsplit(newline).take(LINES).collect();
        let taken: usize = last.iter().map(|line| line.len() + 1).sum();
        let is_whole = taken > whole.len();
        last.reverse();
        let begun = self.unfinished.get_mut(stream).map(std::mem::take).unwrap_or_default();
        let mut begun = Some(begun).filter(|_| is_whole);
        for line in last {
            let mut all = begun.take().unwrap_or_default();
            keep(&mut all, line);
            self.finish(all);
        }
        self.begin(stream, rest.get(1..).unwrap_or_default());
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Tail::default();
    }

    /// The last lines, at most so many, fit to be shown.
    pub(super) fn last(&self, most: usize) -> Vec<String> {
        let begun = self.unfinished.iter().filter(|line| !line.trim_ascii().is_empty());
        let all: Vec<&Vec<u8>> = self.finished.iter().chain(begun).collect();
        let start = all.len().saturating_sub(most);
        all.iter().skip(start).map(|line| shown(line)).collect()
    }

    fn begin(&mut self, stream: usize, bytes: &[u8]) {
        if let Some(line) = self.unfinished.get_mut(stream) {
            keep(line, bytes);
        }
    }

    fn finish(&mut self, line: Vec<u8>) {
        if line.trim_ascii().is_empty() {
            return;
        }
        if self.finished.len() >= LINES {
            self.finished.pop_front();
        }
        self.finished.push_back(line);
    }
}

/// Adds to a line as much as is kept of it, and one byte that tells that there was more.
fn keep(line: &mut Vec<u8>, bytes: &[u8]) {
    let room = (LONGEST + 1).saturating_sub(line.len());
    line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
}

/// A line without what would do something to a terminal, or look like another line.
fn shown(line: &[u8]) -> String {
    let kept = line.get(..LONGEST).unwrap_or(line);
    let mut text = String::new();
    for character in String::from_utf8_lossy(kept.trim_ascii_end()).chars() {
        if character.is_control() && character != '\t' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if line.len() > LONGEST {
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_of(parts: &[(usize, &str)]) -> Vec<String> {
        let mut tail = Tail::default();
        for (stream, part) in parts {
            tail.take(*stream, part.as_bytes());
        }
        tail.last(LINES)
    }

    #[test]
    fn lines_are_put_together_however_they_come() {
        assert_eq!(last_of(&[]), [""; 0]);
        assert_eq!(last_of(&[(0, "a\nb\n")]), ["a", "b"]);
        assert_eq!(last_of(&[(0, "a"), (1, "x\ny"), (0, "b\n"), (1, "z")]), ["x", "ab", "yz"]);
        assert_eq!(last_of(&[(0, "\n \n a \r\n"), (1, "\n")]), [" a"]);
    }

    #[test]
    fn ten_are_kept_and_long_ones_cut() {
        let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let (many, expected) = (numbers.join("\n") + "\n", &numbers[90..]);
        assert_eq!(last_of(&[(0, &many)]), expected);
        assert_eq!(last_of(&[(0, "begun"), (0, &many)]), expected);
        let parts: Vec<(usize, &str)> = many.split_inclusive('\n').map(|part| (0, part)).collect();
        assert_eq!(last_of(&parts), expected);

        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.take(1, &[b'x'; 4096]);
        }
        assert_eq!(tail.last(3), [format!("{} ...", "x".repeat(LONGEST))]);
        assert!(tail.unfinished.iter().all(|line| line.capacity() <= 2 * LONGEST));
    }

    #[test]
    fn what_is_shown_does_nothing_to_a_terminal() {
        let mut tail = Tail::default();
        tail.take(0, b"\x1b[31mred\x07\t\xff\n");
        assert_eq!(tail.last(1), ["\\u{1b}[31mred\\u{7}\t\u{fffd}"]);
    }
}
