//! Shell patterns for file names.

use std::ffi::{CString, OsStr};
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

/// Whether a text matches a pattern under these rules.
pub fn matches_under(rules: Rules, pattern: &OsStr, text: &OsStr) -> bool {
    let (Ok(pattern), Ok(text)) = (CString::new(pattern.as_bytes()), CString::new(text.as_bytes()))
    else {
        return false;
    };
    let flag = |wanted, flag| if wanted { flag } else { 0 };
    let flags = flag(rules.plain_backslash, libc::FNM_NOESCAPE)
        | flag(rules.dot_by_dot, libc::FNM_PERIOD)
        | flag(rules.slash_by_slash, libc::FNM_PATHNAME);
    // SAFETY: two C strings; no state is kept.
    unsafe { libc::fnmatch(pattern.as_ptr(), text.as_ptr(), flags) == 0 }
}

/// Whether a word has characters that mean something in a pattern.
pub fn is_pattern(word: &OsStr) -> bool {
    word.as_bytes().iter().any(|byte| b"*?[\\".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

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
