//! BLAKE2s (RFC 7693) without key, 32 bytes of output: what a saved random seed is mixed with.

/// How many bytes are mixed in at once.
const BLOCK: usize = 64;

/// Where the state begins: SHA-256's.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// In which order each of the ten rounds takes the words of a block.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Which four words of the state each step of a round mixes: columns, then diagonals.
const STEPS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// The hash of these bytes.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut state = START;
    state[0] ^= 0x0101_0020; // no key, 32 bytes of output
    let mut length = 0_u64;
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK));
        let last = after.is_empty();
        length += block.len() as u64;
        mix(&mut state, block, length, last);
        if last {
            break;
        }
        rest = after;
    }
    let mut output = [0; 32];
    for (place, word) in output.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    output
}

/// Mixes one block, filled up with zeroes, into the state; `length` counts all bytes up to its end.
fn mix(state: &mut [u32; 8], block: &[u8], length: u64, last: bool) {
    let mut words = [0_u32; 16];
    for (nth, &byte) in block.iter().enumerate().take(BLOCK) {
        words[nth / 4] |= u32::from(byte) << (8 * (nth % 4));
    }
    let mut v = [0_u32; 16];
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&START);
    v[12] ^= length as u32;
    v[13] ^= (length >> 32) as u32;
    if last {
        v[14] = !v[14];
    }
    for order in &ORDER {
        for (step, [a, b, c, d]) in STEPS.into_iter().enumerate() {
            let (x, y) = (words[order[2 * step]], words[order[2 * step + 1]]);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
            v[d] = (v[d] ^ v[a]).rotate_right(16);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(12);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
            v[d] = (v[d] ^ v[a]).rotate_right(8);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(7);
        }
    }
    for (nth, word) in state.iter_mut().enumerate() {
        *word ^= v[nth] ^ v[nth + 8];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn hex(bytes: &[u8]) -> String {
        hash(bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn published_values() {
        for (bytes, expected) in [
            (&b""[..], "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"),
            (b"abc", "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"),
        ] {
            assert_eq!(hex(bytes), expected);
        }
    }

    #[test]
    fn blocks_end_where_they_end() {
        // As Python's hashlib has them.
        let bytes: Vec<u8> = (0..=255).collect();
        for (length, expected) in LENGTHS {
            assert_eq!(hex(bytes.get(..length).expect("up to 256")), expected, "{length}");
        }
    }

    const LENGTHS: [(usize, &str); 4] = [
        (63, "e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3"),
        (64, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e"),
        (65, "1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472"),
        (256, "5fdeb59f681d975f52c8e69c5502e02a12a3afcc5836ba58f42784c439228781"),
    ];
}
