//! Variables of an outer script kept under other names (contract execline §1.6): a push gives `1` the name
//! `1:1`, a pop takes it back.

use crate::wire::environment::Environment;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// With what the entries of positional parameters begin.
pub const POSITIONALS: &[&str] = &["#", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// An entry that begins as if it were to be renamed has no `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVariable;

/// Renames every entry that begins with one of the prefixes one level up.
pub fn push(environment: &Environment, prefixes: &[&str]) -> Result<Environment, NoVariable> {
    rename(environment, prefixes, |name| {
        let Some(colon) = colon(name) else { return Some([name, b":1"].concat()) };
        let (stem, level) = name.split_at_checked(colon + 1)?;
        let higher = level_of(level).and_then(|level| level.checked_add(1));
        Some(match higher {
            Some(level) => [stem, level.to_string().as_bytes()].concat(),
            None => name.to_vec(),
        })
    })
}

/// Renames every entry that begins with one of the prefixes one level down; what is not below any level
/// goes.
pub fn pop(environment: &Environment, prefixes: &[&str]) -> Result<Environment, NoVariable> {
    rename(environment, prefixes, |name| {
        let colon = colon(name)?;
        let (stem, level) = name.split_at_checked(colon)?;
        match level.get(1..).and_then(level_of) {
            None | Some(0) => Some(name.to_vec()),
            Some(1) => Some(stem.to_vec()),
            Some(level) => Some([stem, b":", (level - 1).to_string().as_bytes()].concat()),
        }
    })
}

fn colon(name: &[u8]) -> Option<usize> {
    name.iter().position(|&byte| byte == b':')
}

fn level_of(digits: &[u8]) -> Option<u32> {
    if digits.iter().all(u8::is_ascii_digit) {
        str::from_utf8(digits).ok()?.parse().ok()
    } else {
        None
    }
}

fn rename(
    environment: &Environment,
    prefixes: &[&str],
    to: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Result<Environment, NoVariable> {
    let mut entries: Vec<OsString> = Vec::new();
    for entry in environment.entries() {
        let bytes = entry.as_bytes();
        if !prefixes.iter().any(|prefix| bytes.starts_with(prefix.as_bytes())) {
            entries.push(entry.to_owned());
            continue;
        }
        let equals = bytes.iter().position(|&byte| byte == b'=').ok_or(NoVariable)?;
        let (name, value) = bytes.split_at_checked(equals).ok_or(NoVariable)?;
        if let Some(name) = to(name) {
            entries.push(OsString::from_vec([name.as_slice(), value].concat()));
        }
    }
    Ok(Environment::new(entries))
}

/// The positional parameters of the frame on top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The script.
    pub zero: OsString,
    /// What it was given.
    pub words: Vec<OsString>,
}

impl Frame {
    /// The frame of an environment. The error is the name of what is missing, or no number.
    pub fn of(environment: &Environment) -> Result<Frame, String> {
        let get = |name: &str| environment.lookup(name).map(OsStr::to_owned);
        let zero = get("0").ok_or("0")?;
        Frame::words_of(environment).map(|words| Frame { zero, words })
    }

    /// The same without the script's name.
    pub fn words_of(environment: &Environment) -> Result<Vec<OsString>, String> {
        let count = environment.lookup("#").and_then(|count| level_of(count.as_bytes()));
        let count = count.ok_or("#")?;
        // The first of a name counts, so it is put in last.
        let variables: Vec<(&OsStr, &OsStr)> = environment.variables().collect();
        let values: BTreeMap<&OsStr, &OsStr> = variables.into_iter().rev().collect();
        let word = |nth: u32| {
            let name = nth.to_string();
            match values.get(OsStr::new(&name)) {
                Some(&value) => Ok(value.to_owned()),
                None => Err(name),
            }
        };
        (1..=count).map(word).collect()
    }

    /// Sets them.
    pub fn set(&self, environment: &mut Environment) {
        environment.put("0", &self.zero);
        Frame::set_words(&self.words, environment);
    }

    /// Sets them, but for the script's name.
    pub fn set_words(words: &[OsString], environment: &mut Environment) {
        let numbered = words.iter().enumerate();
        let numbered = numbered.map(|(nth, word)| ((nth + 1).to_string().into(), word.clone()));
        let count = ("#".into(), words.len().to_string().into());
        environment.put_all([count].into_iter().chain(numbered));
    }
}

/// Gives a frame that had `count` positional parameters these ones; the script's name stays.
pub fn renumber(environment: &mut Environment, count: usize, words: &[OsString]) {
    for gone in words.len() + 1..=count {
        environment.take(gone.to_string());
    }
    Frame::set_words(words, environment);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(entries: &[&str]) -> Environment {
        Environment::new(entries.iter().map(OsString::from))
    }

    #[test]
    fn up_and_down() {
        let outer = ["#=5", "1=x", "2:1=y", "7foo=r", "8:x=a:b", "9:=c", "A=1:1", "odd"];
        let pushed = push(&environment(&outer), POSITIONALS).expect("variables");
        let names = ["#:1=5", "1:1=x", "2:2=y", "7foo:1=r", "8:x=a:b", "9:=c", "A=1:1", "odd"];
        assert_eq!(pushed, environment(&names));
        let popped = pop(&pushed, POSITIONALS).expect("variables");
        assert_eq!(popped, environment(&outer));
        let popped = pop(&environment(&["1=x", "1:0=y", "2:3=z"]), POSITIONALS).expect("variables");
        assert_eq!(popped, environment(&["1:0=y", "2:2=z"]));
        assert_eq!(push(&environment(&["1"]), POSITIONALS), Err(NoVariable));
    }

    #[test]
    fn positional_parameters() {
        let frame = Frame { zero: "s".into(), words: vec!["a".into(), "".into()] };
        let mut set = environment(&["2=old", "3=stays"]);
        frame.set(&mut set);
        assert_eq!(set, environment(&["2=", "3=stays", "0=s", "#=2", "1=a"]));
        assert_eq!(Frame::of(&set), Ok(frame));
        renumber(&mut set, 2, &["b".into()]);
        assert_eq!(set, environment(&["3=stays", "0=s", "#=1", "1=b"]));
        for (missing, entries) in [("0", vec!["#=0"]), ("#", vec!["0=a", "#=x"])] {
            assert_eq!(Frame::of(&environment(&entries)), Err(missing.to_owned()));
        }
        assert_eq!(Frame::of(&environment(&["0=a", "#=4000000000"])), Err("1".to_owned()));
    }
}
