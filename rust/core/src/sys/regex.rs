//! POSIX extended regular expressions, by the C library: the originals' users rely on exactly
//! these.

use std::ffi::{CString, OsStr};
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

/// A compiled expression. It never moves: C libraries may keep pointers into it.
pub struct Regex(Box<libc::regex_t>);

impl Regex {
    /// Compiles an expression; the error is the C library's reason.
    pub fn new(expression: &OsStr) -> Result<Regex, String> {
        Regex::with(expression, libc::REG_EXTENDED)
    }

    /// Compiles an expression for [`Regex::matches_line`].
    pub fn of_lines(expression: &OsStr) -> Result<Regex, String> {
        Regex::with(expression, libc::REG_EXTENDED | libc::REG_NOSUB | libc::REG_NEWLINE)
    }

    fn with(expression: &OsStr, flags: libc::c_int) -> Result<Regex, String> {
        let text = CString::new(expression.as_bytes()).map_err(|_| "a NUL inside".to_owned())?;
        let mut place = Box::new(MaybeUninit::<libc::regex_t>::uninit());
        // SAFETY: `place` has room for one regex_t, `text` is a C string.
        let code = unsafe { libc::regcomp(place.as_mut_ptr(), text.as_ptr(), flags) };
        if code != 0 {
            return Err(reason(code, &place));
        }
        // SAFETY: regcomp succeeded, so it filled the place.
        Ok(Regex(unsafe { place.assume_init() }))
    }

    /// Whether it matches somewhere in `line`. Nothing is copied; a NUL is a byte like others.
    pub fn matches_line(&self, line: &[u8]) -> bool {
        let Ok(end) = libc::regoff_t::try_from(line.len()) else { return false };
        let mut range = libc::regmatch_t { rm_so: 0, rm_eo: end };
        let (regex, text) = (&raw const *self.0, line.as_ptr().cast());
        // SAFETY: a compiled expression; REG_STARTEND says that `range` tells which bytes of
        // `line` to look at, so that no NUL is needed behind them.
        unsafe { libc::regexec(regex, text, 1, &raw mut range, libc::REG_STARTEND) == 0 }
    }

    /// Whether it matches somewhere in `text`, of which nothing behind a NUL is seen.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.find(text).is_some()
    }

    /// Where it first matches: the offsets of the match's begin and end.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let text = text.split(|&byte| byte == 0).next().unwrap_or(&[]);
        let text = CString::new(text).ok()?;
        let mut found = libc::regmatch_t { rm_so: 0, rm_eo: 0 };
        // SAFETY: a compiled expression, a C string, and a place for one match.
        let code =
            unsafe { libc::regexec(&raw const *self.0, text.as_ptr(), 1, &raw mut found, 0) };
        (code == 0).then_some(found.rm_so as usize..found.rm_eo as usize)
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: compiled by `new`, and not used again.
        unsafe { libc::regfree(&raw mut *self.0) };
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regex")
    }
}

fn reason(code: i32, failed: &MaybeUninit<libc::regex_t>) -> String {
    let mut buffer = [0_u8; 128];
    // SAFETY: code and expression are those of the failed regcomp; pointer and length describe
    // `buffer`.
    unsafe {
        libc::regerror(code, failed.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len());
    }
    let text = buffer.split(|&byte| byte == 0).next().unwrap_or(&[]);
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, text: &[u8]) -> bool {
        Regex::new(OsStr::new(expression)).expect("a regular expression").is_match(text)
    }

    #[test]
    fn extended_syntax() {
        assert!(matches("u|U", b"sdU"));
        assert!(matches("^s(u|d)*$", b"sudud"));
        assert!(!matches("^u", b"su"));
        assert!(matches("", b""));
    }

    #[test]
    fn the_place_of_a_match_is_told() {
        let regex = Regex::new(OsStr::new("d|O+")).expect("a regular expression");
        assert_eq!(regex.find(b"suOOd"), Some(2..4));
    }

    #[test]
    fn nothing_behind_a_nul_is_seen() {
        assert!(!matches("u", b"s\0u"));
    }

    #[test]
    fn lines_end_where_they_end() {
        let text = b"abc\0def";
        let matches = |expression: &str, line: &[u8]| {
            Regex::of_lines(OsStr::new(expression))
                .expect("a regular expression")
                .matches_line(line)
        };
        assert!(matches("c$", &text[..3]));
        assert!(!matches("d", &text[..3]));
        assert!(matches("^abc", text));
        assert!(matches("def$", text));
        assert!(matches("", b""));
        assert!(!matches("x", b""));
    }

    #[test]
    fn mistakes_have_a_reason() {
        let reason = Regex::new(OsStr::new("(")).expect_err("unbalanced");
        assert!(!reason.is_empty());
        assert!(Regex::new(OsStr::new("a\0b")).is_err());
    }
}
