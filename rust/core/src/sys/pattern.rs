//! Shell patterns for file names.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// Whether a file name, without slashes, matches a pattern; as in a shell, a first dot must be matched
/// by a dot.
pub fn matches(pattern: &OsStr, name: &OsStr) -> bool {
    let (Ok(pattern), Ok(name)) = (CString::new(pattern.as_bytes()), CString::new(name.as_bytes()))
    else {
        return false;
    };
    // SAFETY: two C strings; no state is kept.
    unsafe { libc::fnmatch(pattern.as_ptr(), name.as_ptr(), libc::FNM_PERIOD) == 0 }
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
        assert!(is_pattern("a*".as_ref()) && !is_pattern("a.b".as_ref()));
    }
}
