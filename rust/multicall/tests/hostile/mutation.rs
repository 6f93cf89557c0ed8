//! Inputs made from other inputs.

/// Inputs do not grow beyond this.
const LONGEST: usize = 64 * 1024;

/// Bytes that mean something to many formats.
const TELLING: &[u8] = b"\0\n\r\t \"#$*,-./0:;=@\\{}\x7f\x80\xc3\xff";

/// Numbers at the edges of what fits.
const EDGES: &[&[u8]] = &[
    b"0",
    b"-1",
    b"00",
    b"255",
    b"256",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"99999999999999999999999999",
];

/// Numbers without surprises: the same seed, the same inputs (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Changes an input in one to eight places.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], words: &[&[u8]], random: &mut Random) {
    for _ in 0..=random.below(8) {
        change(input, other, words, random);
        input.truncate(LONGEST);
    }
}

fn change(input: &mut Vec<u8>, other: &[u8], words: &[&[u8]], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let byte = random.next() as u8;
    match random.below(14) {
        0 if at < input.len() => input[at] ^= 1 << (byte % 8),
        1 if at < input.len() => input[at] = byte,
        2 if at < input.len() => input[at] = TELLING[random.below(TELLING.len())],
        3 => input.insert(at, byte),
        4 => input.insert(at, TELLING[random.below(TELLING.len())]),
        5 | 6 if !words.is_empty() => insert(input, at, random.one_of(words)),
        7 => insert(input, at, random.one_of(EDGES)),
        8 => {
            let end = piece_end(at, input.len(), random);
            input.drain(at..end);
        }
        9 => {
            let piece = input[at..piece_end(at, input.len(), random)].to_vec();
            insert(input, random.below(input.len() + 1), &piece);
        }
        10 => {
            let from = random.below(other.len() + 1);
            insert(input, at, &other[from..piece_end(from, other.len(), random)]);
        }
        11 => input.truncate(at),
        12 if random.below(16) == 0 => {
            let piece = input[at..piece_end(at, input.len(), random)].to_vec();
            let times = 1 << random.below(13);
            let room = LONGEST.saturating_sub(input.len()) / piece.len().max(1);
            insert(input, at, &piece.repeat(times.min(room)));
        }
        _ => {
            // A number among the digits becomes another one.
            let digits = |byte: &u8| byte.is_ascii_digit();
            let Some(start) = input[at..].iter().position(digits).map(|start| at + start) else {
                return;
            };
            let length = input[start..].iter().take_while(|byte| digits(byte)).count();
            input.splice(start..start + length, random.one_of(EDGES).iter().copied());
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

/// Where a piece that begins at `at` may end: mostly soon.
fn piece_end(at: usize, length: usize, random: &mut Random) -> usize {
    let reach = if random.below(4) == 0 { length } else { 16 };
    at + random.below((length - at).min(reach) + 1)
}

/// A shorter input on which `fails` still holds.
pub(crate) fn shrunk(mut input: Vec<u8>, mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut size = input.len().div_ceil(2);
    let mut attempts = 0;
    while size > 0 && attempts < 5000 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + size).min(input.len()));
            attempts += 1;
            if fails(&shorter) {
                input = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    input
}
