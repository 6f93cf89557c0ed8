//! The calendar.

use std::fmt;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// Date and time of the day, as a calendar and a clock on the wall show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year, all digits.
    pub year: i64,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, from 0.
    pub hour: u8,
    /// The minute, from 0.
    pub minute: u8,
    /// The second, from 0; 60 in a leap second.
    pub second: u8,
}

impl Civil {
    /// What a clock shows so many seconds after it showed the begin of 1970. `None`: there is no such
    /// year, as in C, where years have 32 bits.
    pub(super) fn of(seconds: i64) -> Option<Civil> {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = date(days);
        i32::try_from(year - 1900).ok()?;
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let [month, day, hour, minute, second] =
            [month, day, hour, minute, second].map(|number| number as u8);
        Some(Civil { year, month, day, hour, minute, second })
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Whether a year has a 29 February.
pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from the begin of 1970 to the begin of a year.
pub(super) fn days_to(year: i64) -> i64 {
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    (year - 1970) * 365 + leap_days - LEAP_DAYS_TO_1970
}

/// 1969 / 4 - 1969 / 100 + 1969 / 400.
const LEAP_DAYS_TO_1970: i64 = 477;

/// Days from the begin of a year to that of a month, from 1; 13 is that of the next year.
pub(super) fn days_before(month: u8, year: i64) -> i64 {
    let before = |month: u8| -> i64 {
        (1..month).map(|month| if matches!(month, 4 | 6 | 9 | 11) { 30 } else { 31 }).sum()
    };
    let february = if month > 2 { 3 - i64::from(is_leap(year)) } else { 0 };
    before(month) - february
}

/// Year, month and day of the month, so many days after 1 January 1970.
pub(super) fn date(days: i64) -> (i64, i64, i64) {
    // A year has this many days in the mean: the guess is the right year or one beside it.
    const FOUR_CENTURIES: i64 = 146_097;
    let mut year = 1970 + (i128::from(days) * 400).div_euclid(i128::from(FOUR_CENTURIES)) as i64;
    while days < days_to(year) {
        year -= 1;
    }
    while days >= days_to(year + 1) {
        year += 1;
    }
    let in_year = days - days_to(year);
    let month = (1..=12).rev().find(|&month| days_before(month, year) <= in_year).unwrap_or(1);
    (year, i64::from(month), in_year - days_before(month, year) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let (mut year, mut month, mut day) = date(-150_000);
        for days in -149_999..150_000 {
            let next = date(days);
            let longest = match month {
                2 => 28 + i64::from(is_leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == longest => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            assert_eq!(next, expected);
            (year, month, day) = next;
        }
        assert_eq!(date(0), (1970, 1, 1));
    }
}
