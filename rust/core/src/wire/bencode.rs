//! Bencode: integers, byte strings, lists and dictionaries as bytes, each value in one way only.
//!
//! The encoding of the plan (`docs/formats.md`). Decoding is strict: whatever [`encode`] would not have
//! written is refused, so equal values are equal bytes in both directions. Nothing is allocated that
//! the input does not hold, and nesting has a limit: any bytes are safe to decode.

use crate::error::{Error, Result};

/// How deep values may be nested. The plan needs eight.
pub const DEPTH_LIMIT: usize = 32;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// Values in their order.
    List(Vec<Value>),
    /// Keys, ascending bytewise and each once, and what they stand for.
    Dict(Vec<(Vec<u8>, Value)>),
}

/// The value that these bytes hold, all of them. The error names the offset.
pub fn decode(bytes: &[u8]) -> Result<Value> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0).and_then(|value| {
        let whole = reader.at == bytes.len();
        if whole { Ok(value) } else { reader.wrong("there is more after the end of the value") }
    });
    value.map_err(|(at, why)| Error::malformed("decode", format!("byte {at}: {why}")))
}

/// The bytes of a value. Dictionaries must hold the order that [`Value::Dict`] promises.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

fn put(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Int(number) => into.extend_from_slice(format!("i{number}e").as_bytes()),
        Value::Bytes(bytes) => put_bytes(bytes, into),
        Value::List(items) => {
            into.push(b'l');
            for item in items {
                put(item, into);
            }
            into.push(b'e');
        }
        Value::Dict(entries) => {
            into.push(b'd');
            for (key, value) in entries {
                put_bytes(key, into);
                put(value, into);
            }
            into.push(b'e');
        }
    }
}

fn put_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
    into.extend_from_slice(bytes);
}

/// Where it went wrong, and how.
type Wrong = (usize, &'static str);

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self, why: &'static str) -> std::result::Result<T, Wrong> {
        Err((self.at, why))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> std::result::Result<Value, Wrong> {
        if depth > DEPTH_LIMIT {
            return self.wrong("nested too deep");
        }
        match self.peek() {
            Some(b'i') => {
                self.at += 1;
                self.integer(b'e').map(Value::Int)
            }
            Some(b'l') => {
                self.at += 1;
                self.list(depth)
            }
            Some(b'd') => {
                self.at += 1;
                self.dictionary(depth)
            }
            Some(b'0'..=b'9') => self.string().map(Value::Bytes),
            Some(_) => self.wrong("no value begins like this"),
            None => self.wrong("the data ends too early"),
        }
    }

    fn list(&mut self, depth: usize) -> std::result::Result<Value, Wrong> {
        let mut items = Vec::new();
        while self.peek() != Some(b'e') {
            items.push(self.value(depth + 1)?);
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    fn dictionary(&mut self, depth: usize) -> std::result::Result<Value, Wrong> {
        let mut entries: Vec<(Vec<u8>, Value)> = Vec::new();
        while self.peek() != Some(b'e') {
            if self.peek().is_none() {
                return self.wrong("the data ends too early");
            }
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.wrong("the key of a dictionary must be a byte string");
            }
            let before = self.at;
            let key = self.string()?;
            if entries.last().is_some_and(|(last, _)| *last >= key) {
                return Err((before, "the keys of a dictionary must ascend"));
            }
            entries.push((key, self.value(depth + 1)?));
        }
        self.at += 1;
        Ok(Value::Dict(entries))
    }

    fn string(&mut self) -> std::result::Result<Vec<u8>, Wrong> {
        let length = usize::try_from(self.integer(b':')?).unwrap_or(usize::MAX);
        let end = self.at.checked_add(length);
        let Some(bytes) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            return self.wrong("a byte string that is longer than the data");
        };
        self.at += length;
        Ok(bytes.to_vec())
    }

    /// Decimal digits up to `stop`, written as we would write them.
    fn integer(&mut self, stop: u8) -> std::result::Result<i64, Wrong> {
        const MOST: usize = 21; // the digits of 64 bits, a sign, the stop
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let length = rest.iter().take(MOST).position(|&byte| byte == stop);
        let digits = length.and_then(|length| rest.get(..length));
        let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let number = text.and_then(|text| Some((text, text.parse::<i64>().ok()?)));
        match number {
            Some((text, number)) if number.to_string() == text => {
                self.at += text.len() + 1;
                Ok(number)
            }
            Some(_) | None => self.wrong("not a decimal number of at most 64 bits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..8);
        let leaf = prop_oneof![any::<i64>().prop_map(Value::Int), bytes().prop_map(Value::Bytes)];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let entries = prop::collection::btree_map(bytes(), inner.clone(), 0..5);
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(Value::List),
                entries.prop_map(|entries| Value::Dict(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_round_trip(value in any_value()) {
            prop_assert_eq!(decode(&encode(&value)), Ok(value));
        }

        #[test]
        fn what_decodes_is_canonical(bytes in "[ilde0-9:a-]{0,40}") {
            if let Ok(value) = decode(bytes.as_bytes()) {
                prop_assert_eq!(encode(&value), bytes.as_bytes());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn hostile_bytes_are_refused_with_a_place() {
        for (bytes, place) in [
            ("", "byte 0: the data ends too early"),
            ("i01e", "byte 1: not a decimal"),
            ("i-0e", "byte 1: not a decimal"),
            ("i9223372036854775808e", "byte 1: not a decimal"),
            ("99999999999999999:a", "byte 18: a byte string that is longer"),
            ("d1:bi0e1:ai0ee", "byte 7: the keys of a dictionary must ascend"),
            ("di0ei0ee", "byte 1: the key of a dictionary"),
            ("i1ei2e", "byte 3: there is more"),
            ("d1:ai1e", "byte 7: the data ends too early"),
            ("x", "byte 0: no value begins like this"),
        ] {
            let error = decode(bytes.as_bytes()).expect_err(bytes).to_string();
            assert!(error.contains(place), "{bytes}: {error}");
        }
        let deep = "l".repeat(100_000);
        assert!(decode(deep.as_bytes()).expect_err("deep").to_string().contains("nested too deep"));
    }
}
