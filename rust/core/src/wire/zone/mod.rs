//! Time zones: what clocks on the wall show, by the files of the zone database (RFC 9636) and by the
//! rules that the variable `TZ` may hold (POSIX).
//!
//! Not localtime_r(3), for two reasons. It asks the process for `TZ`, and a command of a chain that goes
//! on in this process has an environment of its own. And it reads rules with scanf, which brings every
//! conversion of numbers along: in a static executable that is a twentieth of it.

mod civil;
mod file;
mod rule;

pub use civil::Civil;

use rule::Rule;

/// Seconds after 1970: later than any year of 32 bits, and far from where sums overflow.
const BEYOND: i64 = 1 << 56;

/// The clocks of a place. The default is Greenwich.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of Greenwich before the first change.
    at_first: i64,
    /// From this moment, so many seconds east of Greenwich; ascending.
    changes: Vec<(i64, i64)>,
    /// From this moment, so many leap seconds in all; ascending. Only of files that count them.
    leaps: Vec<(i64, i64)>,
    /// What holds after the last change.
    rule: Option<Rule>,
}

impl Zone {
    /// From the content of a file of the zone database; `None` if it is none.
    pub fn from_file(content: &[u8]) -> Option<Zone> {
        file::parse(content)
    }

    /// From a rule like `CET-1CEST,M3.5.0,M10.5.0/3`; `None` if it does not even begin like one. What
    /// cannot be read of its summer time is left out.
    pub fn from_rule(text: &[u8]) -> Option<Zone> {
        Some(Zone { rule: Some(Rule::parse(text)?), ..Zone::default() })
    }

    /// Date and time of this moment, in seconds since 1970. `None`: there is no such year.
    pub fn civil(&self, unix: u64) -> Option<Civil> {
        let moment = i64::try_from(unix).ok().filter(|&moment| moment < BEYOND)?;
        let (leaps, is_leap) = self.leaps(moment);
        let mut civil = Civil::of(moment + self.offset(moment) - leaps)?;
        civil.second += u8::from(is_leap);
        Some(civil)
    }

    /// Seconds east of Greenwich at this moment.
    fn offset(&self, moment: i64) -> i64 {
        let past = self.changes.partition_point(|&(when, _)| when <= moment);
        match &self.rule {
            Some(rule) if past == self.changes.len() => rule.offset(moment),
            Some(_) | None => match past.checked_sub(1).and_then(|last| self.changes.get(last)) {
                Some(&(_, offset)) => offset,
                None => self.at_first,
            },
        }
    }

    /// The leap seconds until now, and whether this is one.
    fn leaps(&self, moment: i64) -> (i64, bool) {
        let past = self.leaps.partition_point(|&(when, _)| when <= moment);
        let total = |count: Option<usize>| {
            count.and_then(|count| self.leaps.get(count)).map_or((i64::MIN, 0), |leap| *leap)
        };
        let (when, count) = total(past.checked_sub(1));
        let (_, before) = total(past.checked_sub(2));
        (count, when == moment && count > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rule: &str, unix: u64) -> String {
        let zone = Zone::from_rule(rule.as_bytes()).expect("a rule");
        zone.civil(unix).expect("a date").to_string()
    }

    #[test]
    fn greenwich() {
        let shown = |unix| Zone::default().civil(unix).map(|civil| civil.to_string());
        assert_eq!(shown(0).as_deref(), Some("1970-01-01 00:00:00"));
        assert_eq!(shown(951_782_399).as_deref(), Some("2000-02-28 23:59:59"));
        assert_eq!(shown(951_782_400).as_deref(), Some("2000-02-29 00:00:00"));
        assert_eq!(shown(4_107_542_400).as_deref(), Some("2100-03-01 00:00:00"));
        assert_eq!(shown(u64::MAX >> 1), None);
    }

    #[test]
    fn summer_begins_and_ends() {
        const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
        assert_eq!(at(BERLIN, 1_743_296_399), "2025-03-30 01:59:59");
        assert_eq!(at(BERLIN, 1_743_296_400), "2025-03-30 03:00:00");
        assert_eq!(at(BERLIN, 1_761_440_399), "2025-10-26 02:59:59");
        assert_eq!(at(BERLIN, 1_761_440_400), "2025-10-26 02:00:00");
        // Without days: those of the USA. In the south, the summer goes over the end of the year.
        assert_eq!(at("EST5EDT", 1_741_503_600), "2025-03-09 03:00:00");
        assert_eq!(at("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_736_856_000), "2025-01-14 23:00:00");
        // A day by its number, with and without a 29 February.
        assert_eq!(at("AAA0BBB,J60/0,J300", 1_709_251_200), "2024-03-01 01:00:00");
        assert_eq!(at("AAA0BBB,59/0,300", 1_709_164_800), "2024-02-29 01:00:00");
        assert_eq!(at("<+0330>-3:30", 0), "1970-01-01 03:30:00");
    }

    #[test]
    fn a_rule_that_is_none() {
        for text in ["", "UT", "Europe/Paris", "EST", "<AB5", "5", "<A!C>5"] {
            assert_eq!(Zone::from_rule(text.as_bytes()), None, "{text}");
        }
        for text in ["EST5EDT,M13.1.0,M4.1.0", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,J0", "EST5!"] {
            assert_eq!(at(text, 1_751_328_000), "2025-06-30 19:00:00", "{text}");
        }
    }

    /// A version 2 file: nothing in its first part, then two changes, a leap second, and a rule.
    fn sample() -> Vec<u8> {
        let counts = |numbers: [u32; 6]| numbers.map(u32::to_be_bytes).concat();
        let mut file = [b"TZif2".as_slice(), &[0; 15], &counts([0, 0, 0, 0, 1, 1])].concat();
        file.extend([0; 7]); // one type of time, and its name
        file.extend([b"TZif2".as_slice(), &[0; 15], &counts([0, 0, 1, 2, 2, 4])].concat());
        file.extend([1000_i64, 2000].map(i64::to_be_bytes).concat());
        file.extend([0, 1]);
        file.extend([&3600_i32.to_be_bytes(), [1, 0].as_slice()].concat());
        file.extend([&7200_i32.to_be_bytes(), [0, 0].as_slice()].concat());
        file.extend(b"ABC\0");
        file.extend([&1500_i64.to_be_bytes()[..], &1_i32.to_be_bytes()].concat());
        file.extend(b"\nABC-3\n");
        file
    }

    #[test]
    fn a_file_is_read() {
        let zone = Zone::from_file(&sample()).expect("a zone");
        let shown = |unix| zone.civil(unix).expect("a date").to_string();
        assert_eq!(shown(0), "1970-01-01 02:00:00"); // the first that is no summer time
        assert_eq!(shown(1000), "1970-01-01 01:16:40");
        assert_eq!(shown(1499), "1970-01-01 01:24:59");
        assert_eq!(shown(1500), "1970-01-01 01:24:60");
        assert_eq!(shown(1501), "1970-01-01 01:25:00");
        assert_eq!(shown(2000), "1970-01-01 03:33:19");
    }

    #[test]
    fn a_file_that_is_none() {
        let whole = sample();
        for length in 0..whole.len() - b"\nABC-3\n".len() {
            assert_eq!(Zone::from_file(&whole[..length]), None, "{length}");
        }
        let mut odd = whole;
        *odd.get_mut(51 + 44 + 16).expect("a type of time") = 2;
        assert_eq!(Zone::from_file(&odd), None);
    }
}
