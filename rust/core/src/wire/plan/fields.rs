//! Reading a dictionary key by key: every key must be known, every value of its kind.

use super::text::{Extra, Text};
use crate::wire::bencode::Value;

/// What went wrong, with the place in front: `boot step 3 (cont-init.d): limit-ms is not a number`.
pub(super) type Fallible<T> = Result<T, String>;

/// A dictionary being read.
pub(super) struct Fields<'a> {
    place: String,
    left: Vec<(&'a [u8], &'a Value)>,
}

impl<'a> Fields<'a> {
    /// Begins to read `value`, which lies at `place`.
    pub(super) fn of(value: &'a Value, place: impl Into<String>) -> Fallible<Fields<'a>> {
        let place = place.into();
        match value {
            Value::Dict(entries) => {
                let left = entries.iter().map(|(key, value)| (key.as_slice(), value)).collect();
                Ok(Fields { place, left })
            }
            Value::Int(_) | Value::Bytes(_) | Value::List(_) => {
                Err(format!("{place} is not a dictionary"))
            }
        }
    }

    /// Begins to read a dictionary that is the value of a key.
    pub(super) fn below(&self, key: &str, value: &'a Value) -> Fallible<Fields<'a>> {
        Fields::of(value, format!("{}: {key}", self.place))
    }

    /// Says what is wrong with a key's value.
    pub(super) fn wrong<T>(&self, key: &str, why: &str) -> Fallible<T> {
        Err(format!("{}: {key} {why}", self.place))
    }

    /// Moves on to another place, once it is known how it is called.
    pub(super) fn at(&mut self, place: String) {
        self.place = place;
    }

    /// The value of a key, which then is no longer left.
    pub(super) fn take(&mut self, key: &str) -> Option<&'a Value> {
        let at = self.left.iter().position(|(k, _)| *k == key.as_bytes())?;
        Some(self.left.swap_remove(at).1)
    }

    pub(super) fn bytes(&mut self, key: &str) -> Fallible<Option<&'a [u8]>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Int(_) | Value::List(_) | Value::Dict(_)) => {
                self.wrong(key, "is not a byte string")
            }
        }
    }

    /// A name: without NUL, and not empty.
    pub(super) fn word(&mut self, key: &str) -> Fallible<Option<Vec<u8>>> {
        let Some(bytes) = self.bytes(key)? else { return Ok(None) };
        if bytes.is_empty() || bytes.contains(&0) {
            return self.wrong(key, "is empty or holds a NUL");
        }
        Ok(Some(bytes.to_vec()))
    }

    pub(super) fn int(&mut self, key: &str) -> Fallible<Option<i64>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(Value::Bytes(_) | Value::List(_) | Value::Dict(_)) => {
                self.wrong(key, "is not a number")
            }
        }
    }

    /// An integer within the range of `T`.
    pub(super) fn small<T: TryFrom<i64>>(&mut self, key: &str) -> Fallible<Option<T>> {
        match self.int(key)? {
            None => Ok(None),
            Some(number) => match T::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => self.wrong(key, "is out of range"),
            },
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> Fallible<bool> {
        match self.int(key)? {
            None | Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(_) => self.wrong(key, "is neither 0 nor 1"),
        }
    }

    pub(super) fn list(&mut self, key: &str) -> Fallible<Option<&'a [Value]>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::List(items)) => Ok(Some(items)),
            Some(Value::Int(_) | Value::Bytes(_) | Value::Dict(_)) => {
                self.wrong(key, "is not a list")
            }
        }
    }

    /// A text; absent: empty.
    pub(super) fn text(&mut self, key: &str, extra: &[Extra]) -> Fallible<Text> {
        let bytes = self.bytes(key)?.unwrap_or_default();
        Text::parse(bytes, extra).or_else(|why| self.wrong(key, &why))
    }

    /// A text that must be there.
    pub(super) fn needed_text(&mut self, key: &str) -> Fallible<Text> {
        let text = self.text(key, &[])?;
        if text.is_empty() { self.wrong(key, "is missing") } else { Ok(text) }
    }

    /// A list of texts; absent: empty.
    pub(super) fn texts(&mut self, key: &str) -> Fallible<Vec<Text>> {
        self.each(key, |value| match value {
            Value::Bytes(bytes) => Text::parse(bytes, &[]),
            Value::Int(_) | Value::List(_) | Value::Dict(_) => Err("is not a text".to_owned()),
        })
    }

    /// A list whose items are read by `read`; absent: empty.
    pub(super) fn each<T>(
        &mut self,
        key: &str,
        read: impl Fn(&'a Value) -> Fallible<T>,
    ) -> Fallible<Vec<T>> {
        let items = self.list(key)?.unwrap_or_default().iter().enumerate();
        let item = |(nth, item): (usize, &'a Value)| {
            read(item).or_else(|why| self.wrong(&format!("{key}, item {}:", nth + 1), &why))
        };
        items.map(item).collect()
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Fallible<()> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => {
                let key = String::from_utf8_lossy(key);
                Err(format!("{}: unknown key {:?}", self.place, key))
            }
        }
    }
}
