//! Bytes that wait to be written.

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    start: usize,
}

/// What an empty queue may keep of its memory.
const KEPT: usize = 1 << 18;

impl Queue {
    /// Adds to the end.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What waits.
    pub(super) fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }

    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// So many bytes from the front are written.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.bytes.len() {
            self.clear();
        } else if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_or_written_twice() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        for nth in 0..200_u8 {
            queue.push(&[nth; 3]);
            let count = queue.len().min(usize::from(nth % 5));
            out.extend_from_slice(&queue.pending()[..count]);
            queue.consume(count);
        }
        out.extend_from_slice(queue.pending());
        let expected: Vec<u8> = (0..200).flat_map(|nth| [nth; 3]).collect();
        assert_eq!(out, expected);
    }
}
