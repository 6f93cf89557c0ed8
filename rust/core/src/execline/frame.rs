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

/// The positional parameters that an environment has. Some may be missing: then only those who need them
/// mind.
#[derive(Debug)]
pub struct Parameters<'a> {
    /// How many there should be.
    pub count: u32,
    values: BTreeMap<u32, &'a OsStr>,
}

impl<'a> Parameters<'a> {
    /// Those of an environment; `None` without their number.
    pub fn of(environment: &'a Environment) -> Option<Parameters<'a>> {
        let count = level_of(environment.lookup("#")?.as_bytes())?;
        let mut values = BTreeMap::new();
        for (name, value) in environment.variables() {
            if let Some(nth) = position(name.as_bytes()).filter(|&nth| nth <= count) {
                values.entry(nth).or_insert(value); // the first of a name counts
            }
        }
        Some(Parameters { count, values })
    }

    /// One of them, counted from 1; the error is its name.
    pub fn get(&self, nth: u32) -> Result<&'a OsStr, String> {
        self.values.get(&nth).copied().ok_or_else(|| nth.to_string())
    }

    /// Those from this one on; the error is the name of the first that is missing.
    pub fn from(&self, nth: u32) -> Result<Vec<OsString>, String> {
        (nth..=self.count).map(|nth| self.get(nth).map(OsStr::to_owned)).collect()
    }

    /// An environment in which the first ones are gone, and the others have the names of those.
    pub fn shifted(&self, environment: &Environment, by: u32) -> Environment {
        let mut shifted = environment.clone();
        shifted.take_all(self.values.keys().map(|nth| nth.to_string().into()));
        let left = self.values.range(by.saturating_add(1)..);
        let renamed = left.map(|(nth, &value)| ((nth - by).to_string().into(), value.to_owned()));
        let count = self.count.saturating_sub(by);
        shifted.put_all([("#".into(), count.to_string().into())].into_iter().chain(renamed));
        shifted
    }
}

/// The number that a name is.
fn position(name: &[u8]) -> Option<u32> {
    if name.starts_with(b"0") { None } else { level_of(name) }
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
    /// The frame of an environment; the error is the name of what is missing, or no number.
    pub fn of(environment: &Environment) -> Result<Frame, String> {
        let zero = environment.lookup("0").ok_or("0")?.to_owned();
        let words = Parameters::of(environment).ok_or("#")?.from(1)?;
        Ok(Frame { zero, words })
    }

    /// Sets them.
    pub fn set(&self, environment: &mut Environment) {
        let numbered = self.words.iter().enumerate();
        let numbered = numbered.map(|(nth, word)| ((nth + 1).to_string().into(), word.clone()));
        let count = ("#".into(), self.words.len().to_string().into());
        environment.put_all([count, ("0".into(), self.zero.clone())].into_iter().chain(numbered));
    }
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
        assert_eq!(set, environment(&["2=", "3=stays", "#=2", "0=s", "1=a"]));
        let parameters = Parameters::of(&set).expect("a number");
        assert_eq!(parameters.from(1), Ok(frame.words));
        assert_eq!(parameters.from(3), Ok(vec![]));
        let shifted = parameters.shifted(&set, 1);
        assert_eq!(shifted, environment(&["3=stays", "#=1", "0=s", "1="]));
        assert!(Parameters::of(&environment(&["#=x"])).is_none());
    }

    #[test]
    fn parameters_may_be_missing() {
        let odd = environment(&["#=4000000000", "1=a", "3=c", "03=d", "3=e"]);
        let parameters = Parameters::of(&odd).expect("a number");
        assert_eq!(parameters.get(3), Ok(OsStr::new("c")));
        assert_eq!(parameters.from(1), Err("2".to_owned()));
        let shifted = environment(&["#=3999999998", "03=d", "3=e", "1=c"]);
        assert_eq!(parameters.shifted(&odd, 2), shifted);
    }
}
