//! The commands that substitute, as commands and as directives of `multisubstitute` (contract execline
//! §2.5): from words to what keys stand for.

use super::CHAIN_CODES;
use crate::options::Opt;
use crate::{Failure, flag, value};
use s6x_core::error::shown;
use s6x_core::execline::substitution::{BadKey, Table};
use s6x_core::execline::value::{Transformation, Unsplit};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Options of values.
pub(super) const SPLIT: Opt = flag('s', "split the value into words");
pub(super) const KEEP: Opt = flag('N', "keep a delimiter at the end (as usual)");
pub(super) const CHOMP: Opt = flag('n', "take a delimiter off the end");
pub(super) const CRUNCH: Opt = flag('C', "take the first of each run of delimiters");
pub(super) const SPREAD: Opt = flag('c', "take every delimiter (as usual)");
pub(super) const DELIMITERS: Opt =
    value('d', "delimiters", "what ends a word (space, tab, CR, LF); none: netstrings");

/// What the exit codes of these commands mean.
pub(super) const CODES: &[(&str, &str)] = &[
    ("100", "wrong usage, or a variable that must be set is not"),
    ("111", "a key that is empty or there already, or a value that cannot be split"),
    CHAIN_CODES[0],
    CHAIN_CODES[1],
];

/// What is wrong with a directive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Its words.
    Usage(String),
    /// A key is empty, or there already.
    Key,
    /// Its value cannot be split.
    Value(Unsplit),
    /// Something that fails alike in a directive and in a command.
    Failed(Failure),
}

impl From<BadKey> for Wrong {
    fn from(_: BadKey) -> Wrong {
        Wrong::Key
    }
}

impl From<Unsplit> for Wrong {
    fn from(unsplit: Unsplit) -> Wrong {
        Wrong::Value(unsplit)
    }
}

impl Wrong {
    /// As the failure of a command of its own.
    pub(super) fn of_command(self) -> Failure {
        match self {
            Wrong::Usage(message) => Failure::usage(message),
            Wrong::Key => Failure::new(111, "bad substitution key: it is empty, or there already"),
            Wrong::Value(unsplit) => {
                Failure::new(111, format!("unable to complete exlsn function: {unsplit}"))
            }
            Wrong::Failed(failure) => failure,
        }
    }
}

/// What directives found out.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Keys and their values.
    pub keys: Table,
    /// Variables to be removed.
    pub unset: Vec<OsString>,
}

/// A directive's options, by letter.
pub(super) struct Options(Vec<(char, Option<OsString>)>);

impl Options {
    /// Options that are parsed already.
    pub(super) fn of(options: &[(char, Option<OsString>)]) -> Options {
        Options(options.to_vec())
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.0.iter().any(|(given, _)| *given == letter)
    }

    pub(super) fn value(&self, letter: char) -> Option<&OsStr> {
        self.0.iter().rev().find(|(given, _)| *given == letter)?.1.as_deref()
    }

    pub(super) fn last_of(&self, letters: &str) -> Option<char> {
        self.0.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }

    /// What the options of values say (contract execline §2.4).
    pub(super) fn transformation(&self) -> Transformation {
        let usual = Transformation::default();
        Transformation {
            delimiters: self
                .value('d')
                .map_or(usual.delimiters, |delimiters| delimiters.as_bytes().to_vec()),
            crunch: self.last_of("cC") == Some('C'),
            chomp: self.last_of("nN") == Some('n'),
            split: self.has('s'),
        }
    }
}

/// Takes as many words as there are names; a missing one is named.
pub(super) fn operands<'a, const N: usize>(
    words: &'a [OsString],
    names: [&str; N],
) -> Result<(&'a [OsString; N], &'a [OsString]), Wrong> {
    let missing =
        || names.get(words.len()).map_or(String::new(), |name| format!("no {name} given"));
    words.split_first_chunk::<N>().ok_or_else(|| Wrong::Usage(missing()))
}

/// `define`: a key and its value.
pub(super) fn define<'a>(
    options: &Options,
    words: &'a [OsString],
    found: &mut Found,
) -> Result<&'a [OsString], Wrong> {
    let ([key, value], rest) = operands(words, ["key", "value"])?;
    found.keys.add(key, options.transformation().apply(value)?)?;
    Ok(rest)
}

/// `importas`: a key and a variable; with -S, a variable that is the key too.
pub(super) fn importas<'a>(
    options: &Options,
    words: &'a [OsString],
    environment: &Environment,
    found: &mut Found,
) -> Result<&'a [OsString], Wrong> {
    let (key, name, rest) = if options.has('S') {
        let ([key], rest) = operands(words, ["variable"])?;
        (key, key, rest)
    } else {
        let ([key, name], rest) = operands(words, ["key", "variable"])?;
        (key, name, rest)
    };
    import(options, key, name, environment, found)?;
    Ok(rest)
}

/// A variable's value for a key.
fn import(
    options: &Options,
    key: &OsStr,
    name: &OsStr,
    environment: &Environment,
    found: &mut Found,
) -> Result<(), Wrong> {
    let value = environment.lookup(name);
    if value.is_none() && options.has('i') {
        let name = shown(Path::new(name));
        return Err(Wrong::Failed(Failure::new(100, format!("{name} not set"))));
    }
    let words = match value.or(options.value('D')) {
        Some(value) => options.transformation().apply(value)?,
        None => Vec::new(),
    };
    found.keys.add(key, words)?;
    if value.is_some() && options.has('u') {
        found.unset.push(name.to_owned());
    }
    Ok(())
}
