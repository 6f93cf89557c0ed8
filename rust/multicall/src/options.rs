//! Options as data, and the two parsers of the originals (contract s6 §0).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One option of an applet.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// The letter after `-`; a control character for one that has only a long name.
    pub letter: char,
    /// The word after `--`, for applets that know long options.
    pub long: Option<&'static str>,
    /// What stands for its value in the usage, if it takes one.
    pub value: Option<&'static str>,
    /// What it does, in half a sentence.
    pub help: &'static str,
}

/// An option without value.
pub const fn flag(letter: char, help: &'static str) -> Opt {
    Opt { letter, long: None, value: None, help }
}

/// An option with a value, which the usage shows as `value`.
pub const fn value(letter: char, value: &'static str, help: &'static str) -> Opt {
    Opt { letter, long: None, value: Some(value), help }
}

/// The options of these tables, one table behind the other; `COUNT` in all.
///
/// # Panics
/// Where another number is said: while the table is compiled.
pub const fn joined<const COUNT: usize>(tables: &[&[Opt]]) -> [Opt; COUNT] {
    let mut all = [flag('\0', ""); COUNT];
    let (mut table, mut from, mut to) = (0, 0, 0);
    while table < tables.len() {
        if from == tables[table].len() {
            (table, from) = (table + 1, 0);
        } else {
            all[to] = tables[table][from];
            (from, to) = (from + 1, to + 1);
        }
    }
    assert!(to == COUNT);
    all
}

/// The options of a table without those of these letters; `COUNT` are left.
///
/// # Panics
/// Where another number is said: while the table is compiled.
pub const fn without<const COUNT: usize>(letters: &str, table: &[Opt]) -> [Opt; COUNT] {
    let mut left = [flag('\0', ""); COUNT];
    let (mut from, mut to) = (0, 0);
    while from < table.len() {
        let (mut letter, mut out) = (0, false);
        while letter < letters.len() {
            out = out || letters.as_bytes()[letter] as char == table[from].letter;
            letter += 1;
        }
        if !out {
            left[to] = table[from];
            to += 1;
        }
        from += 1;
    }
    assert!(to == COUNT);
    left
}

impl Opt {
    /// The same with a long name.
    #[must_use]
    pub const fn long(self, name: &'static str) -> Opt {
        Opt { long: Some(name), ..self }
    }

    /// Whether it can be given as a letter.
    pub fn has_letter(&self) -> bool {
        self.letter.is_ascii_graphic()
    }
}

/// How an applet reads its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// P1: letters, clustered or not; values attached or in the next word; up to the first word that
    /// is no option, or past `--`.
    Posix,
    /// P2: the same, and `--name` and `--name=value`.
    Long,
    /// None: every word is an argument, `--help` too, unless behind `s6x WORD`.
    Raw,
}

/// A command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The options in their order.
    pub options: Vec<(char, Option<OsString>)>,
    /// The words behind them.
    pub rest: Vec<OsString>,
}

/// Takes a command line apart; the error says what is wrong with it.
pub fn parse(syntax: Syntax, known: &[Opt], words: &[OsString]) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut words = words.iter();
    if syntax == Syntax::Raw {
        parsed.rest = words.cloned().collect();
        return Ok(parsed);
    }
    while let Some(word) = words.as_slice().first() {
        let bytes = word.as_bytes();
        if !bytes.starts_with(b"-") || bytes == b"-" {
            break;
        }
        words.next();
        match bytes.strip_prefix(b"--") {
            Some([]) => break,
            Some(name) if syntax == Syntax::Long => parsed.options.push(long(known, name)?),
            Some(_) => {
                return Err(format!(
                    "unknown option {}",
                    word.display().to_string().escape_debug()
                ));
            }
            None => letters(syntax, known, &bytes[1..], &mut words, &mut parsed.options)?,
        }
    }
    parsed.rest = words.cloned().collect();
    Ok(parsed)
}

/// One word of clustered letters, whose last may take its value from the next word.
fn letters<'a>(
    syntax: Syntax,
    known: &[Opt],
    cluster: &[u8],
    words: &mut impl Iterator<Item = &'a OsString>,
    options: &mut Vec<(char, Option<OsString>)>,
) -> Result<(), String> {
    for (at, &byte) in cluster.iter().enumerate() {
        let letter = char::from(byte);
        let Some(option) = known.iter().find(|o| o.letter == letter && o.has_letter()) else {
            let letter = letter.escape_default();
            return Err(match syntax {
                Syntax::Long => format!("unrecognized short option: {letter}"),
                Syntax::Posix | Syntax::Raw => format!("unknown option -{letter}"),
            });
        };
        if option.value.is_none() {
            options.push((letter, None));
            continue;
        }
        let attached = &cluster[at + 1..];
        let value = match attached {
            [] => words.next().cloned(),
            _ => Some(OsString::from_vec(attached.to_vec())),
        };
        let value = value.ok_or_else(|| format!("option -{letter} needs a value"))?;
        options.push((letter, Some(value)));
        break;
    }
    Ok(())
}

/// `name` or `name=value`.
fn long(known: &[Opt], word: &[u8]) -> Result<(char, Option<OsString>), String> {
    let equals = word.iter().position(|&byte| byte == b'=');
    let (name, value) = equals.map_or((word, None), |at| (&word[..at], Some(&word[at + 1..])));
    let shown = OsStr::from_bytes(name).to_string_lossy();
    let matches = |option: &&Opt| option.long.is_some_and(|long| long.as_bytes() == name);
    let Some(option) = known.iter().find(matches) else {
        let word = OsStr::from_bytes(word).to_string_lossy();
        let word = word.escape_debug();
        return Err(match value {
            _ if name.is_empty() => format!("invalid option: --{word}"),
            None => format!("unrecognized boolean option: --{word}"),
            Some(_) => format!("unrecognized option with argument: --{word}"),
        });
    };
    match (option.value, value) {
        (None, None) => Ok((option.letter, None)),
        (Some(_), Some(value)) => Ok((option.letter, Some(OsString::from_vec(value.to_vec())))),
        (Some(value), None) => Err(format!("option --{shown} needs a value: --{shown}={value}")),
        (None, Some(_)) => Err(format!("option --{shown} takes no value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: &[Opt] =
        &[flag('a', "").long("all"), flag('b', ""), value('t', "ms", "").long("timeout")];

    /// Options and rest, joined for reading.
    fn parsed(syntax: Syntax, line: &str) -> Result<String, String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let parsed = parse(syntax, KNOWN, &words)?;
        let value = |value: &Option<OsString>| {
            value.as_ref().map(|text| format!("={}", text.display())).unwrap_or_default()
        };
        let mut out: Vec<String> =
            parsed.options.iter().map(|(letter, v)| format!("{letter}{}", value(v))).collect();
        out.push("|".into());
        out.extend(parsed.rest.iter().map(|word| word.display().to_string()));
        Ok(out.join(" "))
    }

    #[test]
    fn posix() {
        for (line, expected) in [
            ("-ab x -a", "a b | x -a"),
            ("-t5 x", "t=5 | x"),
            ("-bt 5 x", "b t=5 | x"),
            ("-t -a x", "t=-a | x"),
            ("-t -- x", "t=-- | x"),
            ("-a -- -b", "a | -b"),
            ("-a - -b", "a | - -b"),
        ] {
            assert_eq!(parsed(Syntax::Posix, line).as_deref(), Ok(expected), "{line}");
            assert_eq!(parsed(Syntax::Long, line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn long_names() {
        assert_eq!(parsed(Syntax::Long, "--timeout=5 --all x").as_deref(), Ok("t=5 a | x"));
        assert_eq!(parsed(Syntax::Long, "--timeout= x").as_deref(), Ok("t= | x"));
        for (line, message) in [
            ("--timeout 5", "option --timeout needs a value: --timeout=ms"),
            ("--all=1", "option --all takes no value"),
            ("--al", "unrecognized boolean option: --al"),
            ("--al=1", "unrecognized option with argument: --al=1"),
            ("--=1", "invalid option: --=1"),
            ("-az", "unrecognized short option: z"),
        ] {
            assert_eq!(parsed(Syntax::Long, line), Err(message.into()), "{line}");
        }
    }

    #[test]
    fn mistakes() {
        for (line, message) in [
            ("-az", "unknown option -z"),
            ("-at", "option -t needs a value"),
            ("--all", "unknown option --all"),
        ] {
            assert_eq!(parsed(Syntax::Posix, line), Err(message.into()), "{line}");
        }
        let missing = parsed(Syntax::Long, "-at");
        assert_eq!(missing, Err("option -t needs a value".into()));
    }

    #[test]
    fn raw_takes_everything() {
        assert_eq!(parsed(Syntax::Raw, "-z -- --help").as_deref(), Ok("| -z -- --help"));
    }

    proptest! {
        #[test]
        fn no_word_is_lost_or_invented(
            line in proptest::collection::vec("(-{0,2}[abt=]{0,4}|--timeout=.?|\\PC{0,3})", 0..6),
        ) {
            let words: Vec<OsString> = line.iter().map(OsString::from).collect();
            for syntax in [Syntax::Posix, Syntax::Long, Syntax::Raw] {
                match parse(syntax, KNOWN, &words) {
                    Ok(parsed) => {
                        prop_assert!(words.ends_with(&parsed.rest));
                        for (letter, value) in &parsed.options {
                            let option = KNOWN.iter().find(|option| option.letter == *letter);
                            prop_assert_eq!(option.map(|o| o.value.is_some()), Some(value.is_some()));
                        }
                    }
                    Err(message) => prop_assert!(message.contains("option"), "{}", message),
                }
            }
        }
    }
}
