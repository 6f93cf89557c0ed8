//! The journal of a logger: how far each of its outlets has come in what it has read
//! (`docs/formats.md`).
//!
//! ```text
//! prologue │ slot │ slot │ what was read, as it was read …
//! ```
//!
//! A state is written into the slot that does not hold the last one, so that there is always a whole
//! one, and the one with the higher sequence counts.

/// Bytes before the first slot.
pub const PROLOGUE: usize = 16;

const MAGIC: [u8; 8] = *b"s6x-log1";

/// Words of a slot besides those of outlets: sequence, boot, count, sum.
const FIXED: usize = 4;
const PER_OUTLET: usize = 6;

/// More outlets than this are not believed.
const MOST_OUTLETS: usize = 4096;

/// How far the outlets have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Counts the states.
    pub sequence: u64,
    /// What names the boot of the kernel.
    pub boot: u64,
    /// The logdirs in the order of the script, and at last everything else.
    pub outlets: Vec<Outlet>,
}

/// How far one outlet has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlet {
    /// What names it: of a logdir, its path.
    pub name: u64,
    /// The inode of its `current`; 0: it has none.
    pub inode: u64,
    /// When that was made, in nanoseconds since 1970; 0: unknown.
    pub born: u64,
    /// The size of `current` then, in bytes.
    pub size: u64,
    /// The offset of the first byte whose line it may not have, in what was read.
    pub from: u64,
    /// So many of its lines from there on it has.
    pub lines: u64,
}

/// The number that stands for a name: FNV-1a.
pub fn number_of(name: &[u8]) -> u64 {
    fold(name.iter().map(|&byte| u64::from(byte)))
}

/// Bytes of a slot for so many outlets.
pub fn slot_size(outlets: usize) -> usize {
    8 * (FIXED + PER_OUTLET * outlets)
}

/// Where what was read begins, with so many outlets.
pub fn data_offset(outlets: usize) -> usize {
    PROLOGUE + 2 * slot_size(outlets)
}

/// The first bytes of a journal with so many outlets.
pub fn prologue(outlets: usize) -> [u8; PROLOGUE] {
    let mut bytes = [0; PROLOGUE];
    let (magic, count) = bytes.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    count.copy_from_slice(&(outlets as u64).to_le_bytes());
    bytes
}

/// Reads them: how many outlets there are.
pub fn read_prologue(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let count = usize::try_from(u64::from_le_bytes(*rest.first_chunk()?)).ok()?;
    (count <= MOST_OUTLETS).then_some(count)
}

impl State {
    /// Where its slot begins.
    pub fn offset(&self) -> usize {
        PROLOGUE + (self.sequence & 1) as usize * slot_size(self.outlets.len())
    }

    /// The bytes of its slot.
    pub fn pack(&self, bytes: &mut Vec<u8>) {
        let fixed = [self.sequence, self.boot, self.outlets.len() as u64];
        let outlets = self.outlets.iter().flat_map(|outlet| {
            let Outlet { name, inode, born, size, from, lines } = *outlet;
            [name, inode, born, size, from, lines]
        });
        let words = fixed.into_iter().chain(outlets);
        let sum = fold(words.clone());
        bytes.clear();
        words.chain([sum]).for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    }

    /// Reads a slot; `None`: it holds no whole state.
    pub fn unpack(bytes: &[u8]) -> Option<State> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (&sum, words) = words.split_last()?;
        let (&[sequence, boot, count], outlets) = words.split_first_chunk()?;
        let (outlets, odd) = outlets.as_chunks::<PER_OUTLET>();
        let whole = rest.is_empty()
            && odd.is_empty()
            && outlets.len() as u64 == count
            && sum == fold(words.iter().copied());
        let outlet = |&[name, inode, born, size, from, lines]: &[u64; PER_OUTLET]| Outlet {
            name,
            inode,
            born,
            size,
            from,
            lines,
        };
        whole.then(|| State { sequence, boot, outlets: outlets.iter().map(outlet).collect() })
    }

    /// The state that counts, out of the bytes between prologue and data.
    pub fn latest(slots: &[u8]) -> Option<State> {
        let (first, second) = slots.split_at_checked(slots.len() / 2)?;
        [first, second].into_iter().filter_map(State::unpack).max_by_key(|state| state.sequence)
    }
}

/// FNV-1a over words.
fn fold(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |sum, word| {
        let sum = (sum ^ word).wrapping_mul(0x0100_0000_01b3);
        sum ^ (sum >> 32) // a change of a high bit reaches the low ones
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outlets() -> impl Strategy<Value = Vec<Outlet>> {
        let outlet = any::<[u64; 6]>().prop_map(|[name, inode, born, size, from, lines]| Outlet {
            name,
            inode,
            born,
            size,
            from,
            lines,
        });
        proptest::collection::vec(outlet, 0..5)
    }

    fn packed(state: &State) -> Vec<u8> {
        let mut bytes = Vec::new();
        state.pack(&mut bytes);
        bytes
    }

    #[test]
    fn the_higher_sequence_counts() {
        let state = |sequence| State { sequence, boot: 1, outlets: vec![Outlet::default()] };
        let mut slots = [packed(&state(8)), packed(&state(7))].concat();
        assert_eq!(State::latest(&slots), Some(state(8)));
        slots[3] ^= 1;
        assert_eq!(State::latest(&slots), Some(state(7)), "a torn one does not count");
        slots[slot_size(1) + 3] ^= 1;
        assert_eq!(State::latest(&slots), None);
        assert_ne!(state(8).offset(), state(7).offset());
        assert_eq!(data_offset(1), PROLOGUE + slots.len());
    }

    #[test]
    fn prologues() {
        assert_eq!(read_prologue(&prologue(3)), Some(3));
        assert_eq!(read_prologue(&prologue(1 << 20)), None);
        assert_eq!(read_prologue(b"s6x-log1"), None);
        assert_eq!(read_prologue(b"something else, long enough"), None);
    }

    proptest! {
        #[test]
        fn states_survive(sequence: u64, boot: u64, outlets in outlets(), at: usize, bit in 0_u32..8) {
            let state = State { sequence, boot, outlets };
            let mut bytes = packed(&state);
            prop_assert_eq!(bytes.len(), slot_size(state.outlets.len()));
            prop_assert_eq!(State::unpack(&bytes), Some(state));
            let at = at % bytes.len();
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(State::unpack(&bytes), None, "a changed bit is noticed");
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_prologue(&bytes);
            let _ = State::latest(&bytes);
        }
    }
}
