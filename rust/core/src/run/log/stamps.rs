//! The times in front of lines.

use crate::sys::clock;
use crate::wire::tai64::Tai;
use crate::wire::zone::Zone;
use std::io::Write;

/// The time of one line, as text. What changes only every second is kept.
pub(super) struct Stamps {
    zone: Zone,
    label: [u8; 26],
    date: Vec<u8>,
    second: Option<u64>,
}

impl Stamps {
    pub(super) fn new(zone: Zone) -> Stamps {
        Stamps { zone, label: [b' '; 26], date: Vec::new(), second: None }
    }

    /// Reads the clock.
    pub(super) fn update(&mut self) {
        let (second, nanoseconds) = clock::unix();
        if self.second != Some(second) {
            self.begin(second);
        }
        let [.., a, b, c, d, e, f, g, h, _] = &mut self.label;
        write_digits([h, g, f, e, d, c, b, a], nanoseconds, 16);
        if let [.., a, b, c, d, e, f, g, h, i, _, _] = self.date.as_mut_slice() {
            write_digits([i, h, g, f, e, d, c, b, a], nanoseconds, 10);
        }
    }

    /// What changes only every second.
    fn begin(&mut self, second: u64) {
        self.second = Some(second);
        let [label @ .., _] = &mut self.label;
        *label = Tai::from_unix(second, 0).label();
        self.date.clear();
        if let Some(date) = self.zone.civil(second) {
            let _ = write!(self.date, "{date}.000000000  "); // into memory: cannot fail
        }
    }

    /// The label and a blank.
    pub(super) fn label(&self) -> &[u8] {
        &self.label
    }

    /// The date and two blanks.
    pub(super) fn date(&self) -> &[u8] {
        &self.date
    }
}

/// A number into its digits, the last one first.
fn write_digits<const COUNT: usize>(digits: [&mut u8; COUNT], mut number: u32, base: u32) {
    for digit in digits {
        let value = (number % base) as u8;
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
        number /= base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_say_the_same() {
        let mut stamps = Stamps::new(Zone::default());
        for _ in 0..3 {
            stamps.update();
            let (tai, rest) = Tai::split_label(stamps.label()).expect("a label");
            assert_eq!(rest, b" ");
            let (second, nanoseconds) = tai.to_unix();
            let date = Zone::default().civil(second).expect("a date");
            let expected = format!("{date}.{nanoseconds:09}  ");
            assert_eq!(stamps.date(), expected.as_bytes());
        }
    }
}
