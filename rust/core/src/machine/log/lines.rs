//! Where lines end: at a newline, at a NUL, and after so many bytes.

/// Cuts a stream into lines. However the stream is chopped, the lines are the same.
#[derive(Clone, Debug)]
pub struct Splitter {
    limit: usize,
    partial: Vec<u8>,
}

/// The least limit: shorter ones are taken for this.
pub const LEAST_LIMIT: usize = 48;

impl Splitter {
    /// `limit`: a longer line is cut into lines of that many bytes; 0: never, and a line is as long
    /// as memory lasts.
    pub fn new(limit: usize) -> Splitter {
        let limit = if limit == 0 { usize::MAX } else { limit.max(LEAST_LIMIT) };
        Splitter { limit, partial: Vec::new() }
    }

    /// Takes more bytes and calls `each` with every line that is complete, without its end.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        loop {
            let end = end_of_line(bytes);
            let (mut line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if !self.partial.is_empty() {
                let (head, tail) = line.split_at(line.len().min(self.limit - self.partial.len()));
                self.partial.extend_from_slice(head);
                line = tail;
                if end.is_none() && line.is_empty() {
                    return;
                }
                each(&self.partial);
                self.partial.clear();
                if line.is_empty() {
                    bytes = rest.get(1..).unwrap_or(&[]);
                    continue;
                }
            }
            while line.len() > self.limit {
                let (head, tail) = line.split_at(self.limit);
                each(head);
                line = tail;
            }
            if end.is_none() {
                self.partial.extend_from_slice(line);
                return;
            }
            each(line);
            bytes = rest.get(1..).unwrap_or(&[]);
        }
    }

    /// Whether the begin of a line is here whose end is not.
    pub fn has_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// That begin.
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Whether that begin is as long as a line may be.
    pub fn is_full(&self) -> bool {
        self.partial.len() >= self.limit
    }

    /// Ends the line that has no end.
    pub fn finish(&mut self, each: &mut impl FnMut(&[u8])) {
        if self.has_partial() {
            each(&self.partial);
            self.partial = Vec::new();
        }
    }
}

/// The index of the first newline or NUL.
fn end_of_line(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const NEWLINES: u64 = u64::from_ne_bytes([b'\n'; 8]);
    // Eight bytes at once: the lowest high bit that stays set belongs to the first zero byte.
    let zeroes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeroes(word) | zeroes(word ^ NEWLINES);
        if found != 0 {
            return Some(nth * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&byte| byte == b'\n' || byte == 0)?;
    Some(words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lines of chunks, the unfinished one after them.
    fn lines(limit: usize, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut splitter = Splitter::new(limit);
        for chunk in chunks {
            splitter.feed(chunk, &mut |line| found.push(line.to_vec()));
        }
        splitter.finish(&mut |line| found.push(line.to_vec()));
        found
    }

    #[test]
    fn newlines_and_nuls() {
        assert_eq!(lines(0, &[b"a\nb\0\n\nc"]), [&b"a"[..], b"b", b"", b"", b"c"]);
        assert_eq!(lines(0, &[b"a", b"b\n", b"", b"\nc\n"]), [&b"ab"[..], b"", b"c"]);
        assert!(lines(0, &[b""]).is_empty());
    }

    #[test]
    fn long_lines_are_cut() {
        let long = [b'x'; 100];
        assert_eq!(lines(1, &[&long]), [&long[..48], &long[..48], &long[..4]]);
        assert_eq!(lines(100, &[&long, b"\n", b"y\n"]), [&long[..], b"y"]);
        assert_eq!(lines(99, &[&long, b"\ny"]), [&long[..99], b"x", b"y"]);
        assert_eq!(lines(50, &[&long, b"\n"]), [&long[..50], &long[..50]]);
    }

    proptest! {
        #[test]
        fn any_chunks_give_the_same_lines(
            text in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(0), Just(b'a'), Just(0x80), Just(0x0b), any::<u8>()], 0..400),
            cuts in proptest::collection::vec(0_usize..400, 0..12),
            limit in prop_oneof![Just(0_usize), 48_usize..90],
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|two| &text[two[0]..two[1]]).collect();
            let mut expected = Vec::new();
            let ends = |byte: &u8| *byte == b'\n' || *byte == 0;
            let mut parts: Vec<&[u8]> = text.split(ends).collect();
            if parts.last().is_some_and(|last| last.is_empty()) {
                parts.pop();
            }
            for part in parts {
                let most = if limit == 0 { usize::MAX } else { limit };
                match part.chunks(most) {
                    pieces if part.len() > most => expected.extend(pieces.map(<[u8]>::to_vec)),
                    _ => expected.push(part.to_vec()),
                }
            }
            prop_assert_eq!(lines(limit, &chunks), expected);
        }
    }
}
