//! TAI64N: the originals' stamps, 12 bytes each (contract s6 §0).

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// Seconds of TAI that lie before 1970-01-01 in TAI64's count.
const BASE: u64 = 1 << 62;

/// Seconds that mean "never".
const INFINITE: u64 = 1 << 61;

/// When each leap second since 1972 had been inserted: Unix seconds of the first second after it.
/// The list has been complete since 2017; a new one means a new line here.
const LEAPS: [u64; 27] = [
    78_796_800,
    94_694_400,
    126_230_400,
    157_766_400,
    189_302_400,
    220_924_800,
    252_460_800,
    283_996_800,
    315_532_800,
    362_793_600,
    394_329_600,
    425_865_600,
    489_024_000,
    567_993_600,
    631_152_000,
    662_688_000,
    709_948_800,
    741_484_800,
    773_020_800,
    820_454_400,
    867_715_200,
    915_148_800,
    1_136_073_600,
    1_230_768_000,
    1_341_100_800,
    1_435_708_800,
    1_483_228_800,
];

/// A stamp of the wall clock, in International Atomic Time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tai {
    seconds: u64,
    nanoseconds: u32,
}

impl Tai {
    /// From Unix time; `nanoseconds` below 10⁹.
    pub fn from_unix(seconds: u64, nanoseconds: u32) -> Tai {
        let leaps = LEAPS.iter().filter(|&&leap| leap <= seconds).count() as u64;
        Tai { seconds: BASE + seconds + 10 + leaps, nanoseconds }
    }

    /// Seconds and nanoseconds of Unix time; stamps before 1970 count as 1970.
    pub fn to_unix(self) -> (u64, u32) {
        let tai = self.seconds.saturating_sub(BASE + 10);
        let leaps = LEAPS.iter().zip(1..).filter(|&(&leap, nth)| leap + nth <= tai).count() as u64;
        (tai.saturating_sub(leaps), self.nanoseconds)
    }

    /// Whole seconds from `earlier` to here; zero if `earlier` is later (a clock set back).
    pub fn seconds_since(self, earlier: Tai) -> u64 {
        let borrow = u64::from(self.nanoseconds < earlier.nanoseconds);
        self.seconds.saturating_sub(earlier.seconds).saturating_sub(borrow)
    }

    /// How long it is from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Tai) -> Duration {
        let at = |tai: Tai| Duration::new(tai.seconds, tai.nanoseconds);
        at(self).saturating_sub(at(earlier))
    }

    /// What stands for "never" where a stamp is the end of something, said at this moment.
    #[must_use]
    pub fn never(self) -> Tai {
        Tai { seconds: self.seconds.saturating_add(INFINITE), ..self }
    }

    /// Whether it is so late, seen from a moment, that "never" was meant.
    pub fn is_never(self, now: Tai) -> bool {
        self >= Tai { seconds: now.seconds.saturating_add(INFINITE / 2), ..now }
    }

    /// The time from `earlier` to here: whole seconds, less than zero if `earlier` is later, and the
    /// nanoseconds beyond these.
    pub fn difference(self, earlier: Tai) -> (i128, u32) {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        match self.nanoseconds.checked_sub(earlier.nanoseconds) {
            Some(nanoseconds) => (seconds, nanoseconds),
            None => (seconds - 1, 1_000_000_000 + self.nanoseconds - earlier.nanoseconds),
        }
    }

    /// The 12 bytes on disk.
    pub fn pack(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (seconds, nanoseconds) = bytes.split_at_mut(8);
        seconds.copy_from_slice(&self.seconds.to_be_bytes());
        nanoseconds.copy_from_slice(&self.nanoseconds.to_be_bytes());
        bytes
    }

    /// Reads 12 bytes; nanoseconds beyond 999 999 999 are taken for 999 999 999, so that every
    /// file decodes.
    pub fn unpack(bytes: [u8; 12]) -> Tai {
        let [a, b, c, d, e, f, g, h, n @ ..] = bytes;
        Tai {
            seconds: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            nanoseconds: u32::from_be_bytes(n).min(999_999_999),
        }
    }

    /// Reads a label, `@` and 24 hexadecimal digits, in front of a text, and gives the rest.
    pub fn split_label(text: &[u8]) -> Option<(Tai, &[u8])> {
        let (digits, rest) = text.strip_prefix(b"@")?.split_at_checked(24)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let digits = std::str::from_utf8(digits).ok()?;
        let seconds = u64::from_str_radix(digits.get(..16)?, 16).ok()?;
        let nanoseconds = u32::from_str_radix(digits.get(16..)?, 16).ok()?;
        (nanoseconds < 1_000_000_000).then_some((Tai { seconds, nanoseconds }, rest))
    }

    /// Whether it lies in the years that calendars of computers know: from 1970, for some billion
    /// years.
    pub fn is_in_calendar(self) -> bool {
        (BASE + 10..BASE + (1 << 56)).contains(&self.seconds)
    }

    /// The label, in a form that costs no allocation.
    pub fn label(self) -> [u8; 25] {
        let mut label = [b'@'; 25];
        let [_, digits @ ..] = &mut label;
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.pack()) {
            pair.copy_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
        }
        label
    }

    /// The next moment that a label can tell from this one; after the last one there is none.
    #[must_use]
    pub fn next(self) -> Tai {
        match self.nanoseconds {
            999_999_999 => match self.seconds.checked_add(1) {
                Some(seconds) => Tai { seconds, nanoseconds: 0 },
                None => self,
            },
            nanoseconds => Tai { nanoseconds: nanoseconds + 1, ..self },
        }
    }
}

impl Add<Duration> for Tai {
    type Output = Tai;

    fn add(self, delay: Duration) -> Tai {
        let nanoseconds = self.nanoseconds + delay.subsec_nanos(); // less than 2·10⁹
        let carry = u64::from(nanoseconds >= 1_000_000_000);
        let seconds = self.seconds.checked_add(delay.as_secs());
        match seconds.and_then(|seconds| seconds.checked_add(carry)) {
            Some(seconds) => Tai { seconds, nanoseconds: nanoseconds % 1_000_000_000 },
            None => Tai { seconds: u64::MAX, nanoseconds: 999_999_999 },
        }
    }
}

/// The external label: `@` and 24 hexadecimal digits.
fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

impl fmt::Display for Tai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{:016x}{:08x}", self.seconds, self.nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn today_is_37_seconds_ahead() {
        let tai = Tai::from_unix(1_700_000_000, 5);
        assert_eq!(tai.pack()[..8], (0x4000_0000_0000_0000_u64 + 1_700_000_037).to_be_bytes());
        assert_eq!(tai.to_string(), "@400000006553f12500000005");
    }

    #[test]
    fn around_a_leap_second() {
        assert_eq!(Tai::from_unix(1_483_228_799, 0).seconds - BASE - 1_483_228_799, 36);
        assert_eq!(Tai::from_unix(1_483_228_800, 0).seconds - BASE - 1_483_228_800, 37);
    }

    #[test]
    fn labels_in_front_of_texts() {
        let text = b"@400000006553F12500000005 x";
        assert_eq!(Tai::split_label(text), Some((Tai::from_unix(1_700_000_000, 5), &b" x"[..])));
        let wrong: [&[u8]; 5] = [&text[..24], b"x", b"", b"@+00000006553f12500000005", &[b'@'; 25]];
        for wrong in wrong {
            assert_eq!(Tai::split_label(wrong), None);
        }
        assert_eq!(Tai::split_label(b"@400000006553f1253b9aca00"), None, "a whole second");
    }

    #[test]
    fn later_and_never() {
        let now = Tai::from_unix(1_700_000_000, 900_000_000);
        let later = now + Duration::from_millis(1_200);
        assert_eq!(later, Tai::from_unix(1_700_000_002, 100_000_000));
        assert_eq!(later.since(now), Duration::from_millis(1_200));
        assert_eq!(now.since(later), Duration::ZERO);
        assert!(now.never().is_never(later) && !later.is_never(now));
        let last = Tai::unpack([0xff; 12]);
        assert!(last.is_never(now) && last.never() == last && last + Duration::MAX >= last);
    }

    #[test]
    fn the_next_label() {
        let last = Tai::from_unix(1_700_000_000, 999_999_999);
        assert_eq!(last.next(), Tai::from_unix(1_700_000_001, 0));
        assert_eq!(last.next().next(), Tai::from_unix(1_700_000_001, 1));
        let end = Tai { seconds: u64::MAX, nanoseconds: 999_999_999 };
        assert_eq!(end.next(), end);
    }

    proptest! {
        #[test]
        fn labels_are_what_is_displayed(seconds in 0_u64..1 << 40, nanoseconds in 0_u32..1_000_000_000) {
            let tai = Tai::from_unix(seconds, nanoseconds);
            let (label, shown) = (tai.label(), tai.to_string());
            prop_assert_eq!(label.as_slice(), shown.as_bytes());
            prop_assert_eq!(Tai::split_label(&label), Some((tai, &label[25..])));
        }

        #[test]
        fn differences_add_up(
            a in 0_u64..1 << 40, b in 0_u64..1 << 40,
            nano_a in 0_u32..1_000_000_000, nano_b in 0_u32..1_000_000_000,
        ) {
            let total = |seconds, nanoseconds| i128::from(nanoseconds) + seconds * 1_000_000_000;
            let (seconds, nanoseconds) =
                Tai { seconds: a, nanoseconds: nano_a }.difference(Tai { seconds: b, nanoseconds: nano_b });
            prop_assert!(nanoseconds < 1_000_000_000);
            prop_assert_eq!(total(seconds, nanoseconds), total(a.into(), nano_a) - total(b.into(), nano_b));
        }

        #[test]
        fn round_trips(seconds in 0_u64..1 << 40, nanoseconds in 0_u32..1_000_000_000) {
            let tai = Tai::from_unix(seconds, nanoseconds);
            prop_assert_eq!(Tai::unpack(tai.pack()), tai);
            prop_assert_eq!(tai.to_unix(), (seconds, nanoseconds));
        }

        #[test]
        fn any_bytes_decode(bytes: [u8; 12]) {
            let tai = Tai::unpack(bytes);
            let _ = (tai.to_unix(), tai.seconds_since(Tai::from_unix(0, 0)));
            prop_assert_eq!(Tai::unpack(tai.pack()), tai);
        }
    }
}
