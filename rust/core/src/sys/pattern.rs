//! Shell patterns, for file names and for any text: those of the C library's fnmatch(3) without a language.
//!
//! Not by fnmatch(3) itself: it knows all languages, at a hundredth of the executable's size, and takes time
//! that grows with the power of the stars in a pattern.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whether a file name, without slashes, matches a pattern; as in a shell, a first dot must be matched
/// by a dot.
pub fn matches(pattern: &OsStr, name: &OsStr) -> bool {
    matches_under(Rules { dot_by_dot: true, ..Rules::default() }, pattern, name)
}

/// What a pattern for any text means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// A backslash is a character like others.
    pub plain_backslash: bool,
    /// A first dot must be matched by a dot.
    pub dot_by_dot: bool,
    /// A slash must be matched by a slash.
    pub slash_by_slash: bool,
}

/// Whether a text matches a pattern under these rules. Neither may hold a NUL.
pub fn matches_under(rules: Rules, pattern: &OsStr, text: &OsStr) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    if pattern.contains(&0) || text.contains(&0) {
        return false;
    }
    // Pattern and text from here on; and the same behind the last star, should the rest not match.
    let (mut rest, mut at) = (pattern, 0);
    let mut star: Option<(&[u8], usize)> = None;
    loop {
        let leads = text.get(at) == Some(&b'.')
            && rules.dot_by_dot
            && (at == 0 || (rules.slash_by_slash && text.get(at - 1) == Some(&b'/')));
        let next = match (rest, text.get(at)) {
            ([], None) => return true,
            ([b'*', after @ ..], _) if !leads => {
                star = Some((after, at));
                rest = after;
                continue;
            }
            ([] | [b'*', ..], _) => None,
            (_, None) => return false, // a longer match of the star leaves even less
            (_, Some(&byte)) => one(rules, rest, byte, leads),
        };
        if let Some(next) = next {
            (rest, at) = (next, at + 1);
            continue;
        }
        let Some((after, from)) = star else { return false };
        match text.get(from) {
            Some(b'/') if rules.slash_by_slash => return false,
            Some(_) => (rest, at, star) = (after, from + 1, Some((after, from + 1))),
            None => return false,
        }
    }
}

/// What is left of a pattern, which is not empty and does not begin with a star, if its first part matches
/// this byte; `leads`: it is a dot that only a dot matches.
fn one(rules: Rules, pattern: &[u8], byte: u8, leads: bool) -> Option<&[u8]> {
    let is_kept = leads || (byte == b'/' && rules.slash_by_slash);
    match pattern {
        [b'?', rest @ ..] => (!is_kept).then_some(rest),
        [b'[', members @ ..] => match bracket(rules, members, byte) {
            Bracket::Closed { rest, matches } => (matches && !is_kept).then_some(rest),
            Bracket::Open => (byte == b'[').then_some(members),
            Bracket::Wrong => None,
        },
        [b'\\', rest @ ..] if !rules.plain_backslash => {
            rest.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
        }
        [first, rest @ ..] => (*first == byte).then_some(rest),
        [] => None,
    }
}

/// What a bracket expression turned out to be.
enum Bracket<'a> {
    Closed {
        rest: &'a [u8],
        matches: bool,
    },
    /// A bracket for itself.
    Open,
    /// Nothing matches it.
    Wrong,
}

/// Reads a bracket expression behind its `[`.
fn bracket(rules: Rules, members: &[u8], byte: u8) -> Bracket<'_> {
    let (mut rest, negated) = match members {
        [b'!' | b'^', rest @ ..] => (rest, true),
        _ => (members, false),
    };
    let (mut found, mut first) = (false, true);
    loop {
        let (begin, after) = match rest {
            [] => return Bracket::Open,
            [b']', rest @ ..] if !first => {
                return Bracket::Closed { rest, matches: found != negated };
            }
            [b'[', b':', name @ ..] if named(name).is_some() => {
                let Some((name, after)) = named(name) else { return Bracket::Wrong };
                found = match class(name) {
                    _ if found => true, // what comes after a member that matches may be anything
                    Some(class) => class(byte),
                    None => return Bracket::Wrong,
                };
                (rest, first) = (after, false);
                continue;
            }
            [b'[', b'=', same, b'=', b']', after @ ..] => {
                found = found || *same == byte;
                (rest, first) = (after, false);
                continue;
            }
            _ => match member(rules, rest) {
                Some(member) => member,
                None => return Bracket::Wrong,
            },
        };
        let (end, after) = match after {
            [b'-', end @ ..] if !matches!(end, [] | [b']', ..]) => match member(rules, end) {
                Some(member) => member,
                None => return Bracket::Wrong,
            },
            _ => (begin, after),
        };
        found = found || (begin..=end).contains(&byte);
        (rest, first) = (after, false);
    }
}

/// The name of a class and what follows it, if this is one: small letters and `:]`.
fn named(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let (name, rest) = text.split_at_checked(length)?;
    Some((name, rest.strip_prefix(b":]")?))
}

/// A byte of a bracket expression, which may begin or end a range: itself, behind a backslash, or `[.a.]`.
fn member(rules: Rules, text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'\\', rest @ ..] if !rules.plain_backslash => rest.split_first(),
        [b'[', b'.', byte, b'.', b']', rest @ ..] => Some((byte, rest)),
        [b'[', b'.', ..] => None,
        text => text.split_first(),
    }
    .map(|(byte, rest)| (*byte, rest))
}

/// Whether a byte is in a class of characters of this name, as POSIX has them without a language.
pub fn class(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alnum" => |byte| byte.is_ascii_alphanumeric(),
        b"alpha" => |byte| byte.is_ascii_alphabetic(),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => |byte| byte.is_ascii_control(),
        b"digit" => |byte| byte.is_ascii_digit(),
        b"graph" => |byte| byte.is_ascii_graphic(),
        b"lower" => |byte| byte.is_ascii_lowercase(),
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => |byte| byte.is_ascii_punctuation(),
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => |byte| byte.is_ascii_uppercase(),
        b"xdigit" => |byte| byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// Whether a word has characters that mean something in a pattern.
pub fn is_pattern(word: &OsStr) -> bool {
    word.as_bytes().iter().any(|byte| b"*?[\\".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;

    /// What the C library says.
    fn oracle(rules: Rules, pattern: &str, text: &str) -> bool {
        let (pattern, text) = (CString::new(pattern), CString::new(text));
        let (pattern, text) = (pattern.expect("no NUL"), text.expect("no NUL"));
        let flag = |wanted, flag| if wanted { flag } else { 0 };
        let flags = flag(rules.plain_backslash, libc::FNM_NOESCAPE)
            | flag(rules.dot_by_dot, libc::FNM_PERIOD)
            | flag(rules.slash_by_slash, libc::FNM_PATHNAME);
        // SAFETY: two C strings; no state is kept.
        unsafe { libc::fnmatch(pattern.as_ptr(), text.as_ptr(), flags) == 0 }
    }

    fn pattern() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "*",
            "*",
            "?",
            "a",
            "b",
            ".",
            "/",
            "-",
            "]",
            "[ab]",
            "[!a]",
            "[^.]",
            "[a-c]",
            "[]a]",
            "[a-]",
            "[!]]",
            "\\a",
            "\\*",
            "[\\]a]",
            "[[:alpha:]]",
            "[![:punct:]/]",
            "[[.a.]-c]",
            "[[=a=]b]",
            "[[:none:]]",
            "[c-a]",
            "[a",
            "[",
        ]);
        prop::collection::vec(part, 0..7).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_library_says_the_same(
            pattern in pattern(),
            text in "[abc./*\\\\\\[\\]-]{0,7}",
            bits in 0_u8..8,
        ) {
            let rules = Rules {
                plain_backslash: bits & 1 != 0,
                dot_by_dot: bits & 2 != 0,
                slash_by_slash: bits & 4 != 0,
            };
            let ours = matches_under(rules, pattern.as_ref(), text.as_ref());
            prop_assert_eq!(ours, oracle(rules, &pattern, &text), "{:?} {:?} {:?}", pattern, text, rules);
        }
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        let matches = |pattern: &str, name: &str| matches(pattern.as_ref(), name.as_ref());
        assert!(matches("*", "a b") && matches("r?n", "run") && matches("[a-c]x", "bx"));
        assert!(!matches("*", ".hidden") && matches(".*", ".hidden") && !matches("run", "runs"));
        let all = Rules { plain_backslash: true, dot_by_dot: true, slash_by_slash: true };
        for (pattern, text, plainly, under_all) in [
            ("*", ".a", true, false),
            ("a*c", "a/c", true, false),
            ("a\\c", "ac", true, false),
            ("a\\c", "a\\c", false, true),
        ] {
            let matches = |rules| matches_under(rules, pattern.as_ref(), text.as_ref());
            assert_eq!(matches(Rules::default()), plainly, "{pattern} {text}");
            assert_eq!(matches(all), under_all, "{pattern} {text}");
        }
        assert!(is_pattern("a*".as_ref()) && !is_pattern("a.b".as_ref()));
    }
}
