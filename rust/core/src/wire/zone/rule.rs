//! The rules of the variable `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`. Read as the GNU C library reads them.

use super::civil::{DAY, date, days_before, days_to, is_leap};

/// A standard time, and a summer time that comes and goes every year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Seconds east of Greenwich.
    standard: i64,
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    /// Seconds east of Greenwich.
    offset: i64,
    begin: Turn,
    end: Turn,
}

/// A moment of each year.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Turn {
    day: Day,
    /// Seconds from the begin of that day, by the clock that is turned.
    time: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Day {
    /// From 1, 29 February not counted.
    Julian(i64),
    /// From 0.
    Counted(i64),
    /// A weekday from Sunday as 0, the how manieth of a month; the fifth is the last.
    Weekday { month: u8, week: i64, weekday: i64 },
}

/// Where no days are given: what United States law says since 2007.
const USUAL: &[u8] = b",M3.2.0,M11.1.0";

impl Rule {
    /// `None`: it does not begin with a name and an offset.
    pub(super) fn parse(text: &[u8]) -> Option<Rule> {
        let mut reader = Reader(text);
        reader.name()?;
        let standard = reader.offset()?;
        Some(Rule { standard, summer: reader.summer(standard) })
    }

    /// Seconds east of Greenwich at this moment.
    pub(super) fn offset(&self, moment: i64) -> i64 {
        let Some(Summer { offset, begin, end }) = &self.summer else { return self.standard };
        let (year, ..) = date(moment.div_euclid(DAY));
        let (begin, end) = (begin.in_year(year) - self.standard, end.in_year(year) - offset);
        let is_summer = if begin > end {
            moment < end || moment >= begin // in the south
        } else {
            (begin..end).contains(&moment)
        };
        if is_summer { *offset } else { self.standard }
    }
}

impl Turn {
    /// The seconds that the clock that is turned shows then, from the begin of 1970.
    fn in_year(&self, year: i64) -> i64 {
        let first = days_to(year);
        let day = match self.day {
            Day::Counted(nth) => first + nth,
            Day::Julian(nth) => first + nth - 1 + i64::from(nth >= 60 && is_leap(year)),
            Day::Weekday { month, week, weekday } => {
                let begin = first + days_before(month, year);
                let next = first + days_before(month + 1, year);
                // 1 January 1970 was a Thursday.
                let nth = begin + (weekday - begin - 4).rem_euclid(7) + (week - 1) * 7;
                if nth >= next { nth - 7 } else { nth }
            }
        };
        day * DAY + self.time
    }
}

/// What is not read yet.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Takes a byte, if it is the next.
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes bytes as long as they are such; says how many.
    fn skip(&mut self, is_such: impl Fn(u8) -> bool) -> usize {
        let count = self.0.iter().take_while(|&&byte| is_such(byte)).count();
        self.0 = self.0.get(count..).unwrap_or(&[]);
        count
    }

    /// The name of a time: three letters or more, or signs and digits, too, between `<` and `>`.
    fn name(&mut self) -> Option<()> {
        let length = if self.takes(b'<') {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-');
            Some(self.skip(is_name)).filter(|_| self.takes(b'>'))?
        } else {
            self.skip(|byte| byte.is_ascii_alphabetic())
        };
        (length >= 3).then_some(())
    }

    fn number(&mut self) -> Option<i64> {
        let digits = self.0;
        let count = self.skip(|byte| byte.is_ascii_digit());
        std::str::from_utf8(digits.get(..count)?).ok()?.parse::<u16>().ok().map(i64::from)
    }

    /// Hours, minutes and seconds; what is not there is 0.
    fn time(&mut self) -> Option<[i64; 3]> {
        let mut parts = [self.number()?, 0, 0];
        for part in parts.iter_mut().skip(1) {
            if !self.takes(b':') {
                break;
            }
            *part = self.number()?;
        }
        Some(parts)
    }

    /// Seconds east of Greenwich; written as what is to be added to get there, west of it.
    fn offset(&mut self) -> Option<i64> {
        let is_east = self.takes(b'-');
        if !is_east {
            self.takes(b'+');
        }
        let [hours, minutes, seconds] = self.time()?;
        let west = hours.min(24) * 3600 + minutes.min(59) * 60 + seconds.min(59);
        Some(if is_east { west } else { -west })
    }

    fn summer(&mut self, standard: i64) -> Option<Summer> {
        self.name()?;
        let has_offset = self.peek().is_some_and(|byte| byte != b',');
        let offset = if has_offset { self.offset()? } else { standard + 3600 };
        if matches!(self.0, b"" | b",") {
            self.0 = USUAL;
        }
        let (begin, end) = (self.turn()?, self.turn()?);
        Some(Summer { offset, begin, end })
    }

    fn turn(&mut self) -> Option<Turn> {
        if !self.takes(b',') {
            return None;
        }
        let day = self.day()?;
        let mut time = 2 * 3600;
        if self.takes(b'/') {
            let sign = if self.takes(b'-') { -1 } else { 1 };
            let [hours, minutes, seconds] = self.time()?;
            time = sign * (hours * 3600 + minutes * 60 + seconds);
        }
        Some(Turn { day, time })
    }

    fn day(&mut self) -> Option<Day> {
        if self.takes(b'M') {
            let month = self.number().filter(|month| (1..=12).contains(month))? as u8;
            let week = self.takes(b'.').then(|| self.number())??;
            let weekday = self.takes(b'.').then(|| self.number())??;
            let is_day = (1..=5).contains(&week) && weekday <= 6;
            return is_day.then_some(Day::Weekday { month, week, weekday });
        }
        let is_julian = self.takes(b'J');
        let nth = self.number().filter(|&nth| nth <= 365)?;
        match (is_julian, nth) {
            (true, 0) => None,
            (true, _) => Some(Day::Julian(nth)),
            (false, _) => Some(Day::Counted(nth)),
        }
    }
}
