//! Constant databases: keys and data that are written once and looked up with two reads.
//!
//! 2048 bytes of pointers to 256 hash tables, the records, the tables. All numbers are 32 bits, least
//! significant byte first; so a database ends before 4 GiB. A key's hash says the table (low byte) and
//! where in it to begin (the rest, modulo its length); a slot is a hash and the position of a record,
//! 0 where it is free.
//!
//! Whoever wrote the bytes may lie: every position is checked by the [`Source`], every length against
//! what the caller accepts, and a search ends after as many steps as the file can hold slots.

use crate::error::Errno;
use std::fmt;

/// Where the records begin.
const HEAD: u32 = 2048;
/// A slot, and the lengths in front of a record.
const PAIR: u32 = 8;

/// Something that bytes can be taken from at any position.
pub trait Source {
    /// Fills the buffer from that position on; `false` when the end is nearer than that.
    fn read_at(&self, position: u32, buffer: &mut [u8]) -> Result<bool, Errno>;
}

impl Source for [u8] {
    fn read_at(&self, position: u32, buffer: &mut [u8]) -> Result<bool, Errno> {
        let found =
            self.get(position as usize..).and_then(|rest| rest.split_at_checked(buffer.len()));
        if let Some((bytes, _)) = found {
            buffer.copy_from_slice(bytes);
        }
        Ok(found.is_some())
    }
}

/// Why a look-up has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The source cannot be read.
    System(Errno),
    /// It is no database: something points beyond its end.
    Malformed,
    /// A key or its data are longer than the caller accepts.
    TooLong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::System(errno) => errno.fmt(f),
            Fault::Malformed => f.write_str("it is no cdb: something points beyond its end"),
            Fault::TooLong => f.write_str("it has a record that is too long to be right"),
        }
    }
}

/// The data of the first record with this key, at most `most` bytes of it.
pub fn find(
    source: &(impl Source + ?Sized),
    key: &[u8],
    most: u32,
) -> Result<Option<Vec<u8>>, Fault> {
    let hash = hash(key);
    let (table, slots) = pair(source, (hash & 255) * PAIR)?;
    if slots == 0 {
        return Ok(None);
    }
    let end = slots.checked_mul(PAIR).and_then(|length| table.checked_add(length));
    let end = end.ok_or(Fault::Malformed)?;
    let mut place = table + (hash >> 8) % slots * PAIR;
    for _ in 0..slots {
        let (its_hash, record) = pair(source, place)?;
        if record == 0 {
            return Ok(None);
        }
        if its_hash == hash {
            let (key_length, length) = pair(source, record)?;
            let start = after(record, PAIR)?;
            if key_length as usize == key.len() && bytes(source, start, key_length)? == key {
                return if length > most {
                    Err(Fault::TooLong)
                } else {
                    bytes(source, after(start, key_length)?, length).map(Some)
                };
            }
        }
        place = if place + PAIR == end { table } else { place + PAIR };
    }
    Ok(None)
}

/// The record at a position, and the position of the next: `None` at the end of all records. Begin
/// with [`FIRST`]. Neither key nor data may be longer than `most` bytes.
pub fn next(
    source: &(impl Source + ?Sized),
    position: u32,
    most: u32,
) -> Result<Option<(Record, u32)>, Fault> {
    let (end, _) = pair(source, 0)?; // the first table lies behind the last record
    if end < HEAD {
        return Err(Fault::Malformed);
    }
    if end - PAIR < position {
        return Ok(None);
    }
    let (key_length, length) = pair(source, position)?;
    if key_length > most || length > most {
        return Err(Fault::TooLong);
    }
    let start = after(position, PAIR)?;
    let middle = after(start, key_length)?;
    let key = bytes(source, start, key_length)?;
    let data = bytes(source, middle, length)?;
    Ok(Some((Record { key, data }, after(middle, length)?)))
}

/// Where the first record is.
pub const FIRST: u32 = HEAD;

/// A key and what is kept under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The key; several records may have the same.
    pub key: Vec<u8>,
    /// What is kept.
    pub data: Vec<u8>,
}

/// A database with these records, in this order. `None`: it would have 4 GiB or more.
pub fn write<'a>(records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Option<Vec<u8>> {
    let mut file = vec![0; HEAD as usize];
    let mut tables: Vec<Vec<(u32, u32)>> = vec![Vec::new(); 256];
    for (key, data) in records {
        let position = u32::try_from(file.len()).ok()?;
        let (key_length, length) =
            (u32::try_from(key.len()).ok()?, u32::try_from(data.len()).ok()?);
        for part in [&key_length.to_le_bytes(), &length.to_le_bytes(), key, data] {
            file.extend_from_slice(part);
        }
        let hash = hash(key);
        tables.get_mut((hash & 255) as usize)?.push((hash, position));
    }
    let mut head = Vec::with_capacity(HEAD as usize);
    for table in &tables {
        let position = u32::try_from(file.len()).ok()?;
        let slots = slots(table)?;
        for number in [position, u32::try_from(slots.len()).ok()?] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        for (hash, position) in slots {
            file.extend_from_slice(&hash.to_le_bytes());
            file.extend_from_slice(&position.to_le_bytes());
        }
    }
    u32::try_from(file.len()).ok()?;
    file.get_mut(..HEAD as usize)?.copy_from_slice(&head);
    Some(file)
}

/// A hash table: twice as many slots as there are records in it.
fn slots(records: &[(u32, u32)]) -> Option<Vec<(u32, u32)>> {
    let mut slots = vec![(0, 0); records.len() * 2];
    for &(hash, position) in records {
        let mut place = (hash >> 8) as usize % slots.len();
        while slots.get(place)?.1 != 0 {
            place = (place + 1) % slots.len();
        }
        *slots.get_mut(place)? = (hash, position);
    }
    Some(slots)
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, &byte| hash.wrapping_mul(33) ^ u32::from(byte))
}

fn after(position: u32, length: u32) -> Result<u32, Fault> {
    position.checked_add(length).ok_or(Fault::Malformed)
}

fn pair(source: &(impl Source + ?Sized), position: u32) -> Result<(u32, u32), Fault> {
    let mut numbers = [0; PAIR as usize];
    if !source.read_at(position, &mut numbers).map_err(Fault::System)? {
        return Err(Fault::Malformed);
    }
    let [a, b, c, d, e, f, g, h] = numbers;
    Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
}

/// Bytes of a length that was compared with what is accepted.
fn bytes(source: &(impl Source + ?Sized), position: u32, length: u32) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; length as usize];
    let all = source.read_at(position, &mut bytes).map_err(Fault::System)?;
    if all { Ok(bytes) } else { Err(Fault::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: u32 = 1 << 12;

    /// Key and data.
    type Pair = (Vec<u8>, Vec<u8>);

    fn written(records: &[Pair]) -> Vec<u8> {
        write(records.iter().map(|(key, data)| (key.as_slice(), data.as_slice()))).expect("small")
    }

    fn all(file: &[u8]) -> Result<Vec<Pair>, Fault> {
        let (mut records, mut position) = (Vec::new(), FIRST);
        while let Some((record, following)) = next(file, position, MOST)? {
            records.push((record.key, record.data));
            position = following;
        }
        Ok(records)
    }

    #[test]
    fn the_bytes_of_the_format() {
        let file = written(&[(b"one".to_vec(), b"Hello".to_vec())]);
        assert_eq!(file.len(), 2048 + 8 + 3 + 5 + 2 * 8);
        assert_eq!(file[2048..2064], *b"\x03\0\0\0\x05\0\0\0oneHello");
        assert_eq!(find(file.as_slice(), b"one", MOST), Ok(Some(b"Hello".to_vec())));
        assert_eq!(find(file.as_slice(), b"two", MOST), Ok(None));
        assert_eq!(find(file.as_slice(), b"one", 4), Err(Fault::TooLong));
        assert_eq!(written(&[]).len(), 2048);
        assert_eq!(all(&written(&[])), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_database_says_so() {
        for length in [0, 7, 2047] {
            assert!(find([0xff].repeat(length).as_slice(), b"x", MOST).is_err());
        }
        assert_eq!(next([0_u8].repeat(4096).as_slice(), FIRST, MOST), Err(Fault::Malformed));
        let full: Vec<u8> = [0xff].repeat(4096);
        assert_eq!(find(full.as_slice(), b"x", MOST), Err(Fault::Malformed));
    }

    proptest! {
        #[test]
        fn records_round_trip(
            records: Vec<Pair>, other in proptest::collection::vec(any::<u8>(), 0..4),
        ) {
            let file = written(&records);
            prop_assert_eq!(all(&file).expect("just written"), records.clone());
            for (key, _) in records.iter().chain([&(other, Vec::new())]) {
                let first = records.iter().find(|(its, _)| its == key).map(|(_, data)| data.clone());
                prop_assert_eq!(find(file.as_slice(), key, MOST), Ok(first));
            }
        }

        #[test]
        fn damaged_files_are_survived(
            records: Vec<Pair>,
            damage: Vec<(proptest::sample::Index, u8)>, cut: proptest::sample::Index,
        ) {
            let mut file = written(&records);
            for (place, byte) in damage {
                let place = place.index(file.len());
                file[place] = byte;
            }
            file.truncate(cut.index(file.len()) + 1);
            let _ = next(file.as_slice(), cut.index(1 << 12) as u32, MOST);
            for (key, _) in records {
                let _ = find(file.as_slice(), &key, MOST);
            }
        }
    }
}
