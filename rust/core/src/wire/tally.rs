//! `supervise/death_tally`: the last deaths of a service, oldest first (contract s6 §5.2).

use super::tai64::Tai;
use super::wait_status::{Ending, WaitStatus};

/// Bytes of one record.
pub const RECORD: usize = 14;
/// No tally is longer than this many records.
pub const MOST: usize = 4096;

/// One death of `run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    /// When; equal to the stamp in the status file.
    pub stamp: Tai,
    /// Exit code; 128 + signal for a process that was killed.
    pub code: u8,
    /// The signal that killed it, or 0.
    pub signal: u8,
}

impl Death {
    /// The record of a death.
    pub fn new(stamp: Tai, status: WaitStatus) -> Death {
        let (code, signal) = match status.ending() {
            Ending::Exited(code) => (code, 0),
            Ending::Killed(signal) => (128 + signal.number(), signal.number()),
        };
        Death { stamp, code, signal }
    }

    /// The 14 bytes on disk.
    pub fn pack(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        let (stamp, rest) = bytes.split_at_mut(12);
        stamp.copy_from_slice(&self.stamp.pack());
        rest.copy_from_slice(&[self.code, self.signal]);
        bytes
    }
}

/// Reads a whole tally. A size that is no multiple of a record counts as an empty tally.
pub fn unpack(bytes: &[u8]) -> Vec<Death> {
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return Vec::new();
    }
    let death = |record: &[u8; RECORD]| {
        let [stamp @ .., code, signal] = *record;
        Death { stamp: Tai::unpack(stamp), code, signal }
    };
    records.iter().map(death).collect()
}

/// The tally after one more death, at most `most` records, as bytes; `old` may be anything.
pub fn appended(old: &[u8], death: Death, most: usize) -> Vec<u8> {
    let most = most.min(MOST);
    let old = if old.len().is_multiple_of(RECORD) { old } else { &[] };
    let surplus = (old.len() + RECORD).saturating_sub(most * RECORD);
    let kept = old.get(surplus..).unwrap_or(&[]);
    let mut bytes = kept.to_vec();
    if most > 0 {
        bytes.extend(death.pack());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::signal::Signal;
    use proptest::prelude::*;

    fn death(second: u64) -> Death {
        Death::new(Tai::from_unix(second, 0), WaitStatus::killed(Signal::SIGKILL))
    }

    #[test]
    fn a_signal_is_recorded_both_ways() {
        assert_eq!(death(0).pack()[12..], [137, 9]);
        assert_eq!(Death::new(Tai::from_unix(0, 0), WaitStatus::exited(3)).pack()[12..], [3, 0]);
    }

    #[test]
    fn the_oldest_go_first() {
        let bytes = (0..5).fold(Vec::new(), |old, second| appended(&old, death(second), 3));
        assert_eq!(unpack(&bytes), vec![death(2), death(3), death(4)]);
        assert_eq!(appended(&bytes, death(9), 0), Vec::<u8>::new());
    }

    proptest! {
        #[test]
        fn any_old_tally_is_survived(
            old in proptest::collection::vec(any::<u8>(), 0..200),
            most in 0_usize..20,
        ) {
            let bytes = appended(&old, death(1), most);
            prop_assert_eq!(bytes.len() % RECORD, 0);
            let deaths = unpack(&bytes);
            prop_assert!(deaths.len() <= most);
            prop_assert_eq!(deaths.last().copied(), (most > 0).then(|| death(1)));
        }
    }
}
