//! Files of the zone database (RFC 9636).

use super::Zone;
use super::rule::Rule;

/// What a part of the file holds, how many of each.
struct Counts {
    universal: usize,
    standard: usize,
    leaps: usize,
    changes: usize,
    types: usize,
    name_bytes: usize,
}

/// A type of time.
struct Type {
    offset: i64,
    is_summer: bool,
}

/// `None`: it is no such file.
pub(super) fn parse(content: &[u8]) -> Option<Zone> {
    let mut reader = Reader(content);
    let (version, counts) = reader.header()?;
    if version == 0 {
        return reader.zone(&counts, 4);
    }
    // Newer files say all again, with times of 64 bits, and what comes after the last one.
    reader.take(counts.size(4)?)?;
    let (_, counts) = reader.header()?;
    let mut zone = reader.zone(&counts, 8)?;
    zone.rule = reader
        .0
        .strip_prefix(b"\n")
        .and_then(|rest| Rule::parse(rest.split(|&byte| byte == b'\n').next().unwrap_or(rest)));
    Some(zone)
}

impl Counts {
    /// Bytes of a part whose times have `width` bytes.
    fn size(&self, width: usize) -> Option<usize> {
        let sizes = [
            (self.changes, width + 1),
            (self.types, 6),
            (self.name_bytes, 1),
            (self.leaps, width + 4),
            (self.standard, 1),
            (self.universal, 1),
        ];
        sizes
            .into_iter()
            .try_fold(0_usize, |sum, (count, size)| sum.checked_add(count.checked_mul(size)?))
    }
}

/// What is not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The version and what comes.
    fn header(&mut self) -> Option<(u8, Counts)> {
        if self.take(4)? != b"TZif" {
            return None;
        }
        let version = *self.take(16)?.first()?;
        let mut count = || u32::try_from(number(self.take(4)?)).ok().map(|count| count as usize);
        let counts = Counts {
            universal: count()?,
            standard: count()?,
            leaps: count()?,
            changes: count()?,
            types: count()?,
            name_bytes: count()?,
        };
        Some((version, counts))
    }

    /// A part, whose times have `width` bytes.
    fn zone(&mut self, counts: &Counts, width: usize) -> Option<Zone> {
        let mut part = Reader(self.take(counts.size(width)?)?);
        let times = part.take(counts.changes * width)?.chunks_exact(width).map(number);
        let kinds = part.take(counts.changes)?.iter();
        let types = part.take(counts.types * 6)?.chunks_exact(6).map(|bytes| {
            let (offset, rest) = bytes.split_at_checked(4)?;
            let is_summer = match rest.first()? {
                0 => false,
                1 => true,
                _ => return None,
            };
            Some(Type { offset: number(offset), is_summer })
        });
        let types: Vec<Type> = types.collect::<Option<_>>()?;
        let change = |(when, &kind): (i64, &u8)| Some((when, types.get(usize::from(kind))?.offset));
        let changes = times.zip(kinds).map(change).collect::<Option<_>>()?;
        part.take(counts.name_bytes)?;
        let leaps = part.take(counts.leaps * (width + 4))?.chunks_exact(width + 4);
        let leap = |bytes: &[u8]| {
            let (when, count) = bytes.split_at_checked(width)?;
            Some((number(when), number(count)))
        };
        let leaps = leaps.map(leap).collect::<Option<_>>()?;
        let first = types.iter().find(|kind| !kind.is_summer).or(types.first())?;
        Some(Zone { at_first: first.offset, changes, leaps, rule: None })
    }
}

/// A number with its sign, the first byte counting most; of at most 8 bytes.
fn number(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| *byte >= 0x80) { -1 } else { 0 };
    bytes.iter().fold(sign, |number, &byte| number << 8 | i64::from(byte))
}
