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
    // Counted in years that begin in March: a leap day is the last of its year, and the lengths of five
    // months come again and again.
    const FOUR_CENTURIES: i64 = 146_097;
    const CENTURY: i64 = 36_524;
    const FOUR_YEARS: i64 = 1_461;
    const FIVE_MONTHS: i64 = 153;
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    let days = days + FROM_MARCH_OF_YEAR_0;
    let (cycle, day) = (days.div_euclid(FOUR_CENTURIES), days.rem_euclid(FOUR_CENTURIES));
    let leap_days = day / (FOUR_YEARS - 1) - day / CENTURY + day / (FOUR_CENTURIES - 1);
    let year = (day - leap_days) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / FIVE_MONTHS;
    let day = day - (month * FIVE_MONTHS + 2) / 5 + 1;
    let (year, month) = (year + cycle * 400, month + 3);
    if month > 12 { (year + 1, month - 12, day) } else { (year, month, day) }
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
