//! Options among the words of a script's own command line, for `elgetopt` (contract execline §3.1): letters,
//! clustered or not, up to the first word that is no option.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The options found, and how many words they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Letter and argument, in their order.
    pub options: Vec<(u8, Option<OsString>)>,
    /// The words that are no arguments any more, `--` among them.
    pub taken: usize,
}

/// What is wrong with a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// An option that is not known.
    Illegal,
    /// An option at the end that wants an argument.
    NoArgument,
}

/// Finds the options that `known` lists: letters, those with an argument followed by `:`.
pub fn find(known: &OsStr, words: &[OsString]) -> Result<Found, Mistake> {
    let mut found = Found::default();
    while let Some(cluster) = words.get(found.taken).and_then(cluster) {
        found.taken += 1;
        if cluster == b"-" {
            break;
        }
        let mut letters = cluster;
        while let Some((&letter, rest)) = letters.split_first() {
            letters = rest;
            if !takes_argument(known, letter)? {
                found.options.push((letter, None));
                continue;
            }
            let argument = match rest {
                [] => {
                    let next = words.get(found.taken).ok_or(Mistake::NoArgument)?;
                    found.taken += 1;
                    next.clone()
                }
                attached => OsString::from_vec(attached.to_vec()),
            };
            found.options.push((letter, Some(argument)));
            break;
        }
    }
    Ok(found)
}

/// What follows the `-` of a word that is one, and not that alone. What begins with `--` is no cluster of
/// letters but an end, and if there is more, a mistake.
fn cluster(word: &OsString) -> Option<&[u8]> {
    word.as_bytes().strip_prefix(b"-").filter(|letters| !letters.is_empty())
}

fn takes_argument(known: &OsStr, letter: u8) -> Result<bool, Mistake> {
    let known = known.as_bytes();
    let at = known.iter().position(|&byte| byte == letter && byte != b':' && byte != b'-');
    let at = at.ok_or(Mistake::Illegal)?;
    Ok(known.get(at + 1) == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(line: &str) -> Result<String, Mistake> {
        let words: Vec<OsString> = line.split_terminator(' ').map(OsString::from).collect();
        let found = find(OsStr::new("ab:c"), &words)?;
        let option = |(letter, argument): &(u8, Option<OsString>)| {
            let argument = argument.as_ref().map(|text| format!("={}", text.display()));
            format!("{}{} ", char::from(*letter), argument.unwrap_or_default())
        };
        let options: String = found.options.iter().map(option).collect();
        Ok(format!("{options}{}", found.taken))
    }

    #[test]
    fn options_and_where_they_end() {
        for (line, expected) in [
            ("", "0"),
            ("x -a", "0"),
            ("- -a", "0"),
            ("-a -b v x", "a b=v 3"),
            ("-acbv x", "a c b=v 1"),
            ("-b -- x", "b=-- 2"),
            ("-b  -a", "b= a 3"),
            ("-a -- -c", "a 2"),
        ] {
            assert_eq!(shown(line).as_deref(), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn mistakes() {
        for (line, mistake) in [
            ("-z", Mistake::Illegal),
            ("-a-", Mistake::Illegal),
            ("-a:", Mistake::Illegal),
            ("--all", Mistake::Illegal),
            ("-ab", Mistake::NoArgument),
        ] {
            assert_eq!(shown(line), Err(mistake), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_more_is_taken_than_there_is(
            known in "[a-c:-]{0,6}",
            words in proptest::collection::vec("-{0,2}[a-d:]{0,3}", 0..5),
        ) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            if let Ok(found) = find(OsStr::new(&known), &words) {
                prop_assert!(found.taken <= words.len());
            }
        }
    }
}
