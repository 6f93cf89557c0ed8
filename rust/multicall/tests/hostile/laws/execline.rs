//! The language: scripts, blocks, substitution, and what its commands read.

use super::{halves, words};
use s6x_core::error::Errno;
use s6x_core::execline::block::Block;
use s6x_core::execline::codes::Codes;
use s6x_core::execline::condition::{Access, Condition, Facts, File};
use s6x_core::execline::records::{Broken, Form, Records};
use s6x_core::execline::strict::Strictness;
use s6x_core::execline::substitution::{self, Table};
use s6x_core::execline::value::{Transformation, as_netstrings, netstrings};
use s6x_core::execline::{envfile, frame, getopt, mask, path, quote, script, strict};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// However a script is chopped, its words are the same; quoted, they read back.
pub(crate) fn script(bytes: &[u8]) {
    let whole = script::parse(bytes);
    let mut lexer = script::Lexer::new();
    let fed = bytes.chunks(5).try_for_each(|piece| lexer.feed(piece));
    assert_eq!(fed.and_then(|()| lexer.finish()), whole);
    let Ok(script) = whole else { return };
    assert_eq!(script.words.len(), script.places.len());
    assert!(script.places.is_sorted());
    assert!(!script.words.iter().any(|word| word.as_bytes().contains(&0)));
    let quoted: Vec<Vec<u8>> = script.words.iter().map(|word| quote::quoted(word)).collect();
    let again = script::parse(&quoted.join(&b' ')).map(|script| script.words);
    assert_eq!(again.as_deref(), Ok(script.words.as_slice()));
}

/// A block, its end, and the rest are all there is.
pub(crate) fn block(bytes: &[u8]) {
    let words = words(bytes);
    match Block::first_of(&words) {
        Some(block) => {
            let inside = block.words();
            assert_eq!(inside.len() + 1 + block.rest.len(), words.len());
            assert!(words.ends_with(block.rest));
            for (word, original) in inside.iter().zip(&words) {
                assert!(original.as_bytes().ends_with(word.as_bytes()));
                assert!(original.len() - word.len() <= 1);
            }
        }
        None => assert!(!words.iter().any(|word| word.is_empty())),
    }
}

/// What is quoted is one word, and the same.
pub(crate) fn quote(bytes: &[u8]) {
    let word = OsStr::from_bytes(halves(bytes).0);
    let again = script::parse(&quote::quoted(word)).map(|script| script.words);
    assert_eq!(again.as_deref(), Ok(&[word.to_owned()][..]));
}

/// A key, its values up to an empty word, the words. What names no key stays as it is; no `$`
/// that a value brings along is looked at again.
pub(crate) fn substitution(bytes: &[u8]) {
    let all = words(bytes);
    let Some((key, rest)) = all.split_first() else { return };
    let end = rest.iter().position(|word| word.is_empty()).unwrap_or(rest.len());
    let (values, rest) = rest.split_at(end);
    let words = rest.get(1..).unwrap_or(&[]);
    let mut table = Table::default();
    if table.add(key, values.to_vec()).is_err() {
        assert!(key.is_empty());
        return;
    }
    let Ok(found) = substitution::apply(words, &table) else { return };
    let plain = |word: &&OsString| !word.as_bytes().contains(&b'$');
    let kept = words.iter().filter(plain).all(|word| found.contains(word));
    assert!(kept, "a word without a key stays");
    let untouched = substitution::apply(words, &Table::default());
    assert_eq!(untouched.as_deref(), Ok(words), "without keys, nothing happens");
    if words.iter().all(|word| plain(&word)) {
        assert_eq!(found, words);
    }
}

/// Flags, delimiters up to a NUL, the value. No word holds a delimiter, netstrings read back.
pub(crate) fn value(bytes: &[u8]) {
    let Some((&flags, rest)) = bytes.split_first() else { return };
    let (delimiters, value) = halves(rest);
    let flag = |bit: u8| flags & bit != 0;
    let transformation = Transformation {
        delimiters: delimiters.to_vec(),
        crunch: flag(1),
        chomp: flag(2),
        split: flag(4),
    };
    if let Ok(words) = transformation.apply(OsStr::from_bytes(value)) {
        assert!(flag(4) || words.len() == 1);
        let delimits = |word: &OsString| word.as_bytes().iter().any(|b| delimiters.contains(b));
        assert!(!flag(4) || !words.iter().any(delimits));
        let size: usize = words.iter().map(|word| word.len()).sum();
        assert!(size <= value.len());
    }
    if let Ok(words) = netstrings(value) {
        let again = as_netstrings(words.iter().map(OsString::as_os_str));
        assert_eq!(netstrings(again.as_bytes()), Ok(words));
    }
}

/// Going in and out again loses no entry, and what is not numbered stays as it is.
pub(crate) fn frame(bytes: &[u8]) {
    let environment = Environment::new(words(bytes));
    let Ok(pushed) = frame::push(&environment, frame::POSITIONALS) else { return };
    assert_eq!(pushed.entries().count(), environment.entries().count());
    let popped = frame::pop(&pushed, frame::POSITIONALS).expect("nothing lost its value");
    assert_eq!(popped.entries().count(), environment.entries().count());
    let others = |environment: &Environment| {
        let numbered = |entry: &&OsStr| {
            !entry.as_bytes().first().is_some_and(|&b| b == b'#' || b.is_ascii_digit())
        };
        environment.entries().filter(numbered).map(OsStr::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(others(&popped), others(&environment));
    if let Ok(frame) = frame::Frame::of(&environment) {
        let mut again = Environment::default();
        frame.set(&mut again);
        assert_eq!(frame::Frame::of(&again), Ok(frame));
    }
}

/// A number has a meaning, anything else is misspelt.
pub(crate) fn strict(bytes: &[u8]) {
    let value = OsStr::from_bytes(halves(bytes).0);
    let mut environment = Environment::default();
    environment.set(strict::VARIABLE, value);
    let meant = Strictness::of(&environment);
    if Strictness::is_misspelt(&environment) {
        assert_eq!(meant, Strictness::Silent);
        assert!(
            value.to_str().and_then(|text| text.parse::<u32>().ok()).is_none()
                || value.as_bytes().starts_with(b"+")
        );
    }
}

/// A world for conditions, in which everything has some answer.
struct World;

impl Facts for World {
    fn file(&self, path: &OsStr, follow: bool) -> Option<File> {
        let size = path.len() as u64;
        let file = File {
            mode: if follow { 0o104_755 } else { 0o120_777 },
            uid: 0,
            gid: 7,
            size,
            identity: (1, size),
            modified: (1, 2),
            accessed: (3, 4),
        };
        (!path.is_empty()).then_some(file)
    }

    fn may(&self, path: &OsStr, access: Access) -> bool {
        access != Access::Write && !path.is_empty()
    }

    fn effective_ids(&self) -> (u32, u32) {
        (0, 0)
    }

    fn is_terminal(&self, fd: u32) -> bool {
        fd < 3
    }

    fn is_set(&self, variable: &OsStr) -> bool {
        variable == "HOME"
    }

    fn matches(&self, text: &OsStr, expression: &OsStr) -> Result<bool, String> {
        Ok(text == expression)
    }
}

/// Words are a condition or not, and a condition has an answer; negated, the other one.
pub(crate) fn condition(bytes: &[u8]) {
    let words = words(bytes);
    let answer = Condition::parse(&words).and_then(|condition| condition.holds(&World));
    let mut negated: Vec<OsString> = ["!", "("].map(OsString::from).to_vec();
    negated.extend(words.iter().cloned());
    negated.push(")".into());
    let other = Condition::parse(&negated).and_then(|condition| condition.holds(&World));
    if let Ok(answer) = answer {
        assert_eq!(other, Ok(!answer));
    }
}

/// However a file is chopped, its variables are the same; none can hold a NUL, no name an equals sign.
pub(crate) fn envfile(bytes: &[u8]) {
    let text = OsStr::from_bytes(bytes);
    let whole = envfile::read(text);
    let mut reader = envfile::Reader::default();
    let fed = bytes.chunks(3).try_fold((), |(), piece| reader.read(piece).map(|_| ()));
    assert_eq!(fed.and_then(|()| reader.finish()), whole);
    if let Ok(variables) = whole {
        for (key, value) in variables {
            assert!(!key.is_empty() && !key.as_bytes().contains(&b'='));
            assert!(!key.as_bytes().contains(&0) && !value.as_bytes().contains(&0));
        }
    }
}

/// Known letters in the first word; every option is one of them, every word is taken or left.
pub(crate) fn getopt(bytes: &[u8]) {
    let words = words(bytes);
    let Some((known, words)) = words.split_first() else { return };
    let Ok(found) = getopt::find(known, words) else { return };
    assert!(found.taken <= words.len());
    for (letter, argument) in found.options {
        let mut places = known.as_bytes().iter().enumerate();
        let its = places.find(|&(_, &byte)| byte == letter).map(|(at, _)| at);
        let takes = its.is_some_and(|at| known.as_bytes().get(at + 1) == Some(&b':'));
        assert!(its.is_some());
        assert_eq!(argument.is_some(), takes);
    }
}

/// A mask has nine bits, and both forms that are printed mean it.
pub(crate) fn mask(bytes: &[u8]) {
    let _ = mask::leading_octal(bytes);
    for old in [0, 0o22, 0o777] {
        if let Some(mask) = mask::parse(bytes, old) {
            assert!(mask <= 0o777);
            for shown in [mask::octal(mask), mask::symbolic(mask)] {
                assert_eq!(mask::parse(shown.trim().as_bytes(), 0o123), Some(mask));
            }
        }
    }
}

/// A canonical path is canonical: absolute, without dots, and the same once more.
pub(crate) fn path(bytes: &[u8]) {
    let path = [b"/", bytes].concat();
    let canonical = path::canonical(&path, |_| Ok(())).expect("all of it are directories");
    assert!(canonical.starts_with(b"/") && canonical.len() <= path.len());
    let mut parts = canonical[1..].split(|&byte| byte == b'/');
    assert!(canonical == b"/" || parts.all(|part| !matches!(part, b"" | b"." | b"..")));
    let refused = |_: &[u8]| Err(Errno::NOT_FOUND);
    assert_eq!(path::canonical(&canonical, refused), Ok(canonical.clone()));
    let _ = path::is_searched(bytes);
}

/// What is made readable is one line without blanks that quotes could be missed at.
pub(crate) fn readable(bytes: &[u8]) {
    let shown = quote::readable(bytes);
    assert!(shown.iter().all(|byte| (b' '..=b'~').contains(byte)));
    assert!(shown.len() >= bytes.len());
}

/// A list begins with a number, and holds every number up to the first thing that is none.
pub(crate) fn codes(bytes: &[u8]) {
    if let Some(codes) = Codes::parse(bytes) {
        assert!(bytes[0].is_ascii_digit());
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let first = std::str::from_utf8(&bytes[..digits]).map(str::parse::<u8>);
        assert!(
            first.is_ok_and(|first| first.is_err() || first.is_ok_and(|it| codes.contains(it)))
        );
    }
}

/// Flags, delimiters up to a NUL, the stream. However it is chopped, its records are the same; none is
/// longer than the stream, or holds a NUL.
pub(crate) fn records(bytes: &[u8]) {
    let Some((&flags, rest)) = bytes.split_first() else { return };
    let (delimiters, stream) = halves(rest);
    let form =
        Form { delimiters: delimiters.to_vec(), whole: flags & 1 != 0, crunch: flags & 2 != 0 };
    let all = |size: usize| -> (Vec<OsString>, Result<Option<OsString>, Broken>) {
        let (mut records, mut found) = (Records::new(form.clone()), Vec::new());
        for piece in stream.chunks(size) {
            records.feed(piece);
            loop {
                match records.record() {
                    Ok(Some(record)) => found.push(record),
                    Ok(None) => break,
                    Err(broken) => return (found, Err(broken)),
                }
            }
        }
        (found, records.last())
    };
    let whole = all(stream.len().max(1));
    assert_eq!(all(3), whole);
    let size: usize = whole.0.iter().map(|record| record.len()).sum();
    assert!(size <= stream.len());
    assert!(!whole.0.iter().any(|record| record.as_bytes().contains(&0)));
}
