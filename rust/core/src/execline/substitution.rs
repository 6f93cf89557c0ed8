//! `$key` and `${key}` in words (contract execline §2.1 to §2.3).
//!
//! Each place where a key is recognised stands for a list of values; a word with several becomes all their
//! combinations, the leftmost changing slowest, and none if one of the lists is empty. What is put in is
//! not looked at again.

use super::{Bounded, MOST_BYTES, TooLong};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What keys stand for.
pub trait Keys {
    /// The values of a key; `None` if it is no key.
    fn values(&self, key: &OsStr) -> Option<&[OsString]>;
}

/// A list of keys and what each stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(Vec<(OsString, Vec<OsString>)>);

/// A key is empty, or in the table already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadKey;

impl Table {
    /// Adds a key.
    pub fn add(&mut self, key: impl Into<OsString>, values: Vec<OsString>) -> Result<(), BadKey> {
        let key = key.into();
        if key.is_empty() || self.values(&key).is_some() {
            return Err(BadKey);
        }
        self.0.push((key, values));
        Ok(())
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(|(key, _)| key.as_os_str())
    }
}

impl Keys for Table {
    fn values(&self, key: &OsStr) -> Option<&[OsString]> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, values)| values.as_slice())
    }
}

/// The words with every key in them replaced.
pub fn apply(words: &[OsString], keys: &impl Keys) -> Result<Vec<OsString>, TooLong> {
    let mut found = Bounded::new(MOST_BYTES);
    for word in words {
        let pieces = pieces(word.as_bytes(), keys);
        match pieces.as_slice() {
            [Piece::Text(_)] | [] => found.push(word.clone())?,
            pieces => combine(pieces, &mut found)?,
        }
    }
    Ok(found.words)
}

/// A part of a word.
#[derive(Debug)]
enum Piece<'a> {
    /// As it stands.
    Text(&'a [u8]),
    /// A key's place.
    Values(&'a [OsString]),
}

/// Takes a word apart. A word without any key is one piece of text.
fn pieces<'a>(word: &'a [u8], keys: &'a impl Keys) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    // Where the text begins that is not yet in a piece; where we are; backslashes just before.
    let (mut start, mut at, mut backslashes) = (0, 0, 0);
    while let Some(&byte) = word.get(at) {
        match byte {
            b'\\' => {
                backslashes += 1;
                at += 1;
            }
            b'$' => {
                let (name, end) = candidate(word, at);
                let values = name.and_then(|name| keys.values(OsStr::from_bytes(name)));
                if let Some(values) = values {
                    // Half of the backslashes go, and the odd one too: it protects the key.
                    let kept = at - backslashes + backslashes / 2;
                    pieces.push(Piece::Text(word.get(start..kept).unwrap_or(&[])));
                    if backslashes % 2 == 0 {
                        pieces.push(Piece::Values(values));
                        start = end;
                    } else {
                        start = at;
                    }
                }
                (at, backslashes) = (end, 0);
            }
            _ => {
                at += 1;
                backslashes = 0;
            }
        }
    }
    pieces.push(Piece::Text(word.get(start..).unwrap_or(&[])));
    pieces
}

/// The name that the `$` at a place would stand for, if any, and where to read on.
fn candidate(word: &[u8], dollar: usize) -> (Option<&[u8]>, usize) {
    let is_special = |byte: &u8| b"\\${}".contains(byte);
    let braced = word.get(dollar + 1) == Some(&b'{');
    let begin = if braced { dollar + 2 } else { dollar + 1 };
    let rest = word.get(begin..).unwrap_or(&[]);
    let length = rest.iter().position(is_special).unwrap_or(rest.len());
    let end = begin + length;
    let name = rest.get(..length).filter(|name| !name.is_empty());
    match (braced, word.get(end)) {
        (true, Some(b'}')) if name.is_some() => (name, end + 1),
        (true, _) => (None, end),
        (false, _) => (name, end),
    }
}

/// Every combination of the values, one word each.
fn combine(pieces: &[Piece<'_>], found: &mut Bounded) -> Result<(), TooLong> {
    let lists = || {
        pieces.iter().filter_map(|piece| match piece {
            Piece::Values(values) => Some(*values),
            Piece::Text(_) => None,
        })
    };
    if lists().any(<[OsString]>::is_empty) {
        return Ok(());
    }
    let mut chosen = vec![0; lists().count()];
    loop {
        found.push(OsString::from_vec(word(pieces, &chosen, found)?))?;
        // The next combination: counted as on a clock, the last list being the seconds.
        let places = chosen.iter_mut().zip(lists()).collect::<Vec<_>>();
        let mut turned = true;
        for (place, values) in places.into_iter().rev() {
            *place = if turned { *place + 1 } else { *place };
            turned = *place == values.len();
            if turned {
                *place = 0;
            }
        }
        if turned {
            return Ok(());
        }
    }
}

/// One combination.
fn word(pieces: &[Piece<'_>], chosen: &[usize], found: &Bounded) -> Result<Vec<u8>, TooLong> {
    let mut word = Vec::new();
    let mut chosen = chosen.iter();
    for piece in pieces {
        let bytes = match piece {
            Piece::Text(text) => text,
            Piece::Values(values) => {
                let value = chosen.next().and_then(|&nth| values.get(nth));
                value.map(|value| value.as_bytes()).unwrap_or_default()
            }
        };
        if !found.fits(word.len() + bytes.len()) {
            return Err(TooLong);
        }
        word.extend_from_slice(bytes);
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(entries: &[(&str, &[&str])]) -> Table {
        let mut table = Table::default();
        for (key, values) in entries {
            let values = values.iter().map(OsString::from).collect();
            table.add(*key, values).expect("a new key");
        }
        table
    }

    /// One word's outcome, joined by `|`.
    fn replaced(word: &str, keys: &[(&str, &[&str])]) -> String {
        let words = apply(&[OsString::from(word)], &table(keys)).expect("few words");
        let words: Vec<&str> = words.iter().map(|word| word.to_str().expect("text")).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join("|") }
    }

    #[test]
    fn where_keys_are() {
        for (word, expected) in [
            ("$A", "v"),
            ("${A}", "v"),
            ("$Ab", "$Ab"),
            ("${A}b", "vb"),
            ("$A/x", "$A/x"),
            ("$A$A", "vv"),
            ("$$A", "$v"),
            ("${$A}", "${v}"),
            ("{$A}", "{v}"),
            ("$A{", "v{"),
            ("${ A}", "${ A}"),
            ("$", "$"),
            ("${", "${"),
            ("${}", "${}"),
            ("${}$A", "${}v"),
            ("${A", "${A"),
            ("${A$A", "${Av"),
            ("${A{$A", "${A{v"),
            ("$k k", "w"),
            ("${k k}x", "wx"),
        ] {
            let keys: &[(&str, &[&str])] = &[("A", &["v"]), ("k k", &["w"])];
            assert_eq!(replaced(word, keys), expected, "{word}");
        }
    }

    #[test]
    fn backslashes_protect_keys() {
        for (word, expected) in [
            (r"\$A", "$A"),
            (r"\\$A", r"\v"),
            (r"\\\$A", r"\$A"),
            (r"\\\\$A", r"\\v"),
            (r"\${A}x", "${A}x"),
            (r"\$B", r"\$B"),
            (r"\\${B}", r"\\${B}"),
            (r"a\b$A", r"a\bv"),
            (r"$A\", r"v\"),
            (r"\$A$A", "$Av"),
            (r"${\$A}", "${$A}"),
        ] {
            assert_eq!(replaced(word, &[("A", &["v"])]), expected, "{word}");
        }
    }

    #[test]
    fn lists_make_lists() {
        let keys: &[(&str, &[&str])] =
            &[("N", &[]), ("E", &[""]), ("A", &["1", "2"]), ("B", &["x", "y", "$A"])];
        for (word, expected) in [
            ("a${N}b", "nothing"),
            ("${A}${N}", "nothing"),
            ("a${E}b", "ab"),
            ("${A}-$B", "1-x|1-y|1-$A|2-x|2-y|2-$A"),
            ("${A}$A", "11|12|21|22"),
            (" $E", " "),
            (r"\$N", "$N"),
        ] {
            assert_eq!(replaced(word, keys), expected, "{word}");
        }
    }

    #[test]
    fn keys_are_not_empty_and_not_twice() {
        let mut keys = table(&[("A", &[])]);
        assert_eq!(keys.add("", vec![]), Err(BadKey));
        assert_eq!(keys.add("A", vec![]), Err(BadKey));
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn memory_is_bounded() {
        let many: Vec<OsString> = (0..1000).map(|n| n.to_string().into()).collect();
        let mut keys = Table::default();
        keys.add("A", many).expect("a new key");
        assert_eq!(apply(&["${A}${A}${A}${A}".into()], &keys), Err(TooLong));
        let mut keys = Table::default();
        keys.add("A", vec!["x".repeat(1 << 20).into()]).expect("a new key");
        assert_eq!(apply(&["$A".repeat(20).into()], &keys), Err(TooLong));
    }

    proptest! {
        #[test]
        fn anything_can_be_a_word(
            word in r"[\\${}Ab ]{0,16}",
            values in proptest::collection::vec("[$A]{0,3}", 0..3),
        ) {
            let count = values.len();
            let mut keys = Table::default();
            let values = values.into_iter().map(OsString::from).collect();
            keys.add("A", values).expect("a new key");
            let words = apply(&[OsString::from(&word)], &keys).expect("few words");
            prop_assert!(words.len() == 1 || words.len() % count.max(1) == 0);
            if !word.contains("$A") && !word.contains("${A}") {
                prop_assert_eq!(words, [OsString::from(word)]);
            }
        }
    }
}
