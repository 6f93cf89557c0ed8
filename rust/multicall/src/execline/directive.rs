//! The commands that substitute, as commands and as directives of `multisubstitute` (contract execline
//! §2.5): from words to what keys stand for.

use super::arguments::{self, Arguments};
use super::blocks::Blocks;
use super::{CHAIN_CODES, substitute};
use crate::invocation::number;
use crate::options::{self, Opt};
use crate::{Exit, Failure, Invocation, Syntax, flag, value};
use s6x_core::error::{Errno, shown};
use s6x_core::execline::frame::{Frame, Parameters};
use s6x_core::execline::strict::Strictness;
use s6x_core::execline::substitution::{BadKey, Keys, Table};
use s6x_core::execline::value::{Transformation, Unsplit, as_netstrings};
use s6x_core::sys::glob;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Options of values.
const SPLIT: Opt = flag('s', "split the value into words");
const KEEP: Opt = flag('N', "keep a delimiter at the end (default)");
const CHOMP: Opt = flag('n', "take a delimiter off the end");
const CRUNCH: Opt = flag('C', "take the first of each run of delimiters");
const SPREAD: Opt = flag('c', "take every delimiter (default)");
const DELIMITERS: Opt =
    value('d', "delimiters", "what ends a word (space, tab, CR, LF); none: netstrings");

const OF_DEFINE: &[Opt] = &[SPLIT, KEEP, CHOMP, CRUNCH, SPREAD, DELIMITERS];

const OF_IMPORTAS: &[Opt] = &[
    flag('S', "the variable's name is the key"),
    flag('i', "fail if it is not set"),
    value('D', "default", "take this if it is not set"),
    flag('u', "remove the variable"),
    SPLIT,
    KEEP,
    CHOMP,
    CRUNCH,
    SPREAD,
    DELIMITERS,
];

const OF_ELGLOB: &[Opt] = &[
    flag('v', "warn about directories that cannot be read"),
    flag('w', "fail at them"),
    flag('s', "sort the names"),
    flag('m', "put a slash behind the names of directories"),
    flag('e', "a backslash is a character like others"),
    flag('0', "nothing, rather than the pattern, if no name matches"),
    value('d', "delimiter", "one value, in which this ends each name; none: netstrings"),
    flag('n', "with -d: but not the last"),
];

const OF_ELGETPOSITIONALS: &[Opt] = &[value('P', "n", "at least so many; missing ones are empty")];

const OF_MULTIDEFINE: &[Opt] = &[
    flag('0', "a key without a word stands for nothing, rather than for an empty word"),
    flag('r', "the last key gets all that is left"),
    KEEP,
    CHOMP,
    CRUNCH,
    SPREAD,
    DELIMITERS,
];

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

    /// As the failure of a directive.
    pub(super) fn of_directive(self, name: &OsStr) -> Failure {
        let name = shown(Path::new(name));
        match self {
            Wrong::Usage(message) => {
                Failure::new(100, format!("syntax error at directive {name}: {message}"))
            }
            Wrong::Key => Failure::new(100, format!("wrong key for directive {name}")),
            Wrong::Value(unsplit) => {
                Failure::new(111, format!("unable to run directive {name}: {unsplit}"))
            }
            Wrong::Failed(failure) => failure,
        }
    }
}

/// What directives found out.
#[derive(Debug, Default)]
pub(super) struct Found {
    keys: Table,
    positionals: Option<Arguments>,
    /// Variables to be removed.
    unset: Vec<OsString>,
}

impl Found {
    /// Refuses a key that is empty, or there already: this is looked at before its value.
    fn can_add(&self, key: &OsStr) -> Result<(), Wrong> {
        if key.is_empty() || self.values(key).is_some() { Err(Wrong::Key) } else { Ok(()) }
    }

    /// Adds a key.
    fn add(&mut self, key: &OsStr, values: Vec<OsString>) -> Result<(), Wrong> {
        self.can_add(key)?;
        Ok(self.keys.add(key, values)?)
    }

    /// Goes on with these words, the keys in them replaced, and the variables removed.
    pub(super) fn go_on(&self, call: &Invocation, words: &[OsString]) -> Result<Exit, Failure> {
        let mut environment = call.environment.clone();
        for name in &self.unset {
            environment.take(name);
        }
        substitute(words, self, environment)
    }
}

impl Keys for Found {
    fn values(&self, key: &OsStr) -> Option<&[OsString]> {
        self.keys.values(key).or_else(|| self.positionals.as_ref()?.values(key))
    }
}

/// A directive's options, by letter.
pub(super) struct Options(Vec<(char, Option<OsString>)>);

impl Options {
    /// The options at the front, and how many words they are.
    pub(super) fn taken(known: &[Opt], words: &[OsString]) -> Result<(Options, usize), Wrong> {
        let parsed = options::parse(Syntax::Posix, known, words).map_err(Wrong::Usage)?;
        Ok((Options(parsed.options), words.len() - parsed.rest.len()))
    }

    /// Options that are parsed already.
    pub(super) fn of(options: &[(char, Option<OsString>)]) -> Options {
        Options(options.to_vec())
    }

    fn has(&self, letter: char) -> bool {
        self.0.iter().any(|(given, _)| *given == letter)
    }

    fn value(&self, letter: char) -> Option<&OsStr> {
        self.0.iter().rev().find(|(given, _)| *given == letter)?.1.as_deref()
    }

    fn last_of(&self, letters: &str) -> Option<char> {
        self.0.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }

    fn number(&self, letter: char) -> Result<Option<u32>, Wrong> {
        let wrong = || Wrong::Usage(format!("the value of option -{letter} is not a number"));
        self.value(letter).map(|text| number(text).ok_or_else(wrong)).transpose()
    }

    /// What the options of values say (contract execline §2.4).
    fn transformation(&self) -> Transformation {
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
fn operands<'a, const N: usize>(
    words: &'a [OsString],
    names: [&str; N],
) -> Result<(&'a [OsString; N], &'a [OsString]), Wrong> {
    let missing =
        || names.get(words.len()).map_or(String::new(), |name| format!("no {name} given"));
    words.split_first_chunk::<N>().ok_or_else(|| Wrong::Usage(missing()))
}

/// One of the commands that substitute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `define`: a key and its value.
    Define,
    /// `importas`: a key and a variable; with -S, a variable that is the key too.
    Importas,
    /// `elglob`: a key and a pattern for file names.
    Elglob,
    /// `elgetpositionals`: the script's arguments.
    Elgetpositionals,
    /// `multidefine`: a value, whose words are given to a block of keys.
    Multidefine,
}

impl Kind {
    /// The kind of a directive.
    pub(super) fn named(name: &OsStr) -> Option<Kind> {
        Some(match name.to_str()? {
            "define" => Kind::Define,
            "importas" => Kind::Importas,
            "elglob" => Kind::Elglob,
            "elgetpositionals" => Kind::Elgetpositionals,
            "multidefine" => Kind::Multidefine,
            _ => return None,
        })
    }

    /// The options it knows.
    pub(super) const fn options(self) -> &'static [Opt] {
        match self {
            Kind::Define => OF_DEFINE,
            Kind::Importas => OF_IMPORTAS,
            Kind::Elglob => OF_ELGLOB,
            Kind::Elgetpositionals => OF_ELGETPOSITIONALS,
            Kind::Multidefine => OF_MULTIDEFINE,
        }
    }

    /// Adds what it finds out to `found`, and returns the words behind its own.
    pub(super) fn read<'a>(
        self,
        options: &Options,
        words: &'a [OsString],
        blocks: &mut Blocks<'a>,
        found: &mut Found,
    ) -> Result<&'a [OsString], Wrong> {
        let call = blocks.call();
        match self {
            Kind::Define => {
                let ([key, value], rest) = operands(words, ["key", "value"])?;
                found.can_add(key)?;
                found.add(key, options.transformation().apply(value)?)?;
                Ok(rest)
            }
            Kind::Importas if options.has('S') => {
                let ([key], rest) = operands(words, ["variable"])?;
                import(options, key, key, call, found)?;
                Ok(rest)
            }
            Kind::Importas => {
                let ([key, name], rest) = operands(words, ["key", "variable"])?;
                import(options, key, name, call, found)?;
                Ok(rest)
            }
            Kind::Elglob => {
                let ([key, pattern], rest) = operands(words, ["key", "pattern"])?;
                found.can_add(key)?;
                let names = names(options, pattern, call)?;
                found.add(key, names)?;
                Ok(rest)
            }
            Kind::Elgetpositionals => {
                positionals(options, call, found)?;
                Ok(words)
            }
            Kind::Multidefine => {
                let ([value], rest) = operands(words, ["value"])?;
                blocks.go_to(rest);
                let no_block = || Wrong::Usage("no block of keys given".to_owned());
                let keys = blocks.next()?.ok_or_else(no_block)?;
                distribute(options, value, &keys, found)?;
                Ok(blocks.rest())
            }
        }
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Wrong {
        Wrong::Failed(failure)
    }
}

/// A variable's value for a key.
fn import(
    options: &Options,
    key: &OsStr,
    name: &OsStr,
    call: &Invocation,
    found: &mut Found,
) -> Result<(), Wrong> {
    found.can_add(key)?;
    let value = call.environment.lookup(name);
    if value.is_none() && options.has('i') {
        let name = shown(Path::new(name));
        return Err(Failure::new(100, format!("{name} not set")).into());
    }
    let words = match value.or(options.value('D')) {
        Some(value) => options.transformation().apply(value)?,
        None => Vec::new(),
    };
    found.add(key, words)?;
    if value.is_some() && options.has('u') {
        found.unset.push(name.to_owned());
    }
    Ok(())
}

/// The values that names of files make.
fn names(options: &Options, pattern: &OsStr, call: &Invocation) -> Result<Vec<OsString>, Wrong> {
    let how = glob::Options {
        sorted: options.has('s'),
        marks_directories: options.has('m'),
        plain_backslash: options.has('e'),
        stops_at_errors: options.has('w'),
    };
    let failed = |errno: Errno| {
        let message = format!("unable to look for {}: {errno}", shown(Path::new(pattern)));
        Wrong::Failed(Failure::new(111, message))
    };
    let mut matches = glob::glob(pattern, how).map_err(failed)?;
    if options.has('v') {
        for (directory, errno) in &matches.unreadable {
            let directory = shown(Path::new(directory));
            call.warning(format!("while globbing, error reading {directory}: {errno}"));
        }
    }
    if matches.stopped {
        return Err(failed(matches.unreadable.last().map_or(Errno::NOT_FOUND, |last| last.1)));
    }
    if matches.names.is_empty() && !options.has('0') {
        matches.names.push(pattern.to_owned());
    }
    let Some(delimiter) = options.value('d') else { return Ok(matches.names) };
    let Some(delimiter) = delimiter.as_bytes().first() else {
        return Ok(vec![as_netstrings(matches.names.iter().map(OsString::as_os_str))]);
    };
    let mut all = Vec::new();
    for name in &matches.names {
        all.extend_from_slice(name.as_bytes());
        all.push(*delimiter);
    }
    if options.has('n') {
        all.pop();
    }
    Ok(vec![OsString::from_vec(all)])
}

/// The script's arguments.
fn positionals(options: &Options, call: &Invocation, found: &mut Found) -> Result<(), Wrong> {
    let least = options.number('P')?.unwrap_or(0);
    found.can_add(OsStr::new("#")).and_then(|()| found.can_add(OsStr::new("@")))?;
    let Some(parameters) = Parameters::of(&call.environment) else { return Err(Wrong::Key) };
    let strictness = Strictness::of(&call.environment);
    arguments::enough(call, parameters.count, least, strictness, "expected")?;
    let Ok(frame) = Frame::of(&call.environment) else { return Err(Wrong::Key) };
    let own = Arguments::new(frame.zero, frame.words, least);
    let taken = found.keys.keys().any(|key| own.values(key).is_some());
    if taken || found.positionals.replace(own).is_some() {
        return Err(Wrong::Key);
    }
    Ok(())
}

/// Gives each key of a block its word of the value.
fn distribute(
    options: &Options,
    value: &OsStr,
    keys: &[OsString],
    found: &mut Found,
) -> Result<(), Wrong> {
    if keys.is_empty() {
        return Err(Failure::new(100, "empty block").into());
    }
    let splitting = Transformation { split: true, ..options.transformation() };
    let words = splitting.apply(value)?;
    let surplus = if options.has('r') { words.len().saturating_sub(keys.len()) } else { 0 };
    let last = keys.iter().rposition(|key| !key.is_empty());
    for (nth, key) in keys.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
        let count = if Some(nth) == last { 1 + surplus } else { 1 };
        let own = words.get(nth..nth + count).unwrap_or(&[]).to_vec();
        let missing = || if options.has('0') { Vec::new() } else { vec![OsString::new()] };
        found.add(key, if own.is_empty() { missing() } else { own })?;
    }
    Ok(())
}
