//! POSIX regular expressions, by the C library: the originals' users rely on exactly these.

use std::ffi::{CString, OsStr};
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

/// A compiled expression. It never moves: C libraries may keep pointers into it.
pub struct Regex(Box<libc::regex_t>);

/// What the characters of an expression mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialect {
    /// As in basic expressions, where `\(` begins a group, rather than in extended ones.
    pub basic: bool,
    /// Capitals are as good as small letters.
    pub ignores_case: bool,
}

/// How many groups, parts in parentheses, an expression has that compiles.
pub fn groups_in(expression: &[u8], basic: bool) -> usize {
    let (mut count, mut at) = (0, 0);
    while let Some(&byte) = expression.get(at) {
        let next = expression.get(at + 1);
        match byte {
            b'\\' => {
                count += usize::from(basic && next == Some(&b'('));
                at += 1;
            }
            b'(' if !basic => count += 1,
            b'[' => at = end_of_bracket(expression, at),
            _ => {}
        }
        at += 1;
    }
    count
}

/// Where the bracket expression that begins at `at` ends: at its `]`.
fn end_of_bracket(expression: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    at += usize::from(expression.get(at) == Some(&b'^'));
    at += usize::from(expression.get(at) == Some(&b']'));
    while let Some(&byte) = expression.get(at) {
        if byte == b']' {
            return at;
        }
        if let (b'[', Some(kind @ (b':' | b'.' | b'='))) = (byte, expression.get(at + 1)) {
            let rest = expression.get(at + 2..).unwrap_or(&[]);
            let end = rest.windows(2).position(|pair| pair == [*kind, b']']);
            at += end.map_or(1, |end| end + 3);
        }
        at += 1;
    }
    at
}

impl Regex {
    /// Compiles an extended expression; the error is the C library's reason.
    pub fn new(expression: &OsStr) -> Result<Regex, String> {
        Regex::with(expression, libc::REG_EXTENDED)
    }

    /// Compiles an extended expression for [`Regex::matches_line`].
    pub fn of_lines(expression: &OsStr) -> Result<Regex, String> {
        Regex::of_lines_in(expression, true, false)
    }

    /// The same of a basic or an extended one, which may not tell capitals from small letters.
    pub fn of_lines_in(
        expression: &OsStr,
        extended: bool,
        ignores_case: bool,
    ) -> Result<Regex, String> {
        let extended = if extended { libc::REG_EXTENDED } else { 0 };
        let ignores_case = if ignores_case { libc::REG_ICASE } else { 0 };
        Regex::with(expression, extended | ignores_case | libc::REG_NOSUB | libc::REG_NEWLINE)
    }

    /// Compiles an expression in one of the dialects.
    pub fn in_dialect(expression: &OsStr, dialect: Dialect) -> Result<Regex, String> {
        let extended = if dialect.basic { 0 } else { libc::REG_EXTENDED };
        let folded = if dialect.ignores_case { libc::REG_ICASE } else { 0 };
        Regex::with(expression, extended | folded)
    }

    /// The offsets of the first match and of each of its `groups`, those in parentheses; `None` for a
    /// group that takes no part. Nothing behind a NUL is seen.
    pub fn find_groups(&self, text: &[u8], groups: usize) -> Option<Vec<Option<Range<usize>>>> {
        let text = text.split(|&byte| byte == 0).next().unwrap_or(&[]);
        let text = CString::new(text).ok()?;
        let nowhere = libc::regmatch_t { rm_so: -1, rm_eo: -1 };
        let mut found = vec![nowhere; groups.saturating_add(1)];
        let (regex, place, count) = (&raw const *self.0, found.as_mut_ptr(), found.len());
        // SAFETY: a compiled expression, a C string, and a place for that many matches.
        let code = unsafe { libc::regexec(regex, text.as_ptr(), count, place, 0) };
        let range = |group: &libc::regmatch_t| {
            let begin = usize::try_from(group.rm_so).ok()?;
            Some(begin..usize::try_from(group.rm_eo).ok()?)
        };
        (code == 0).then(|| found.iter().map(range).collect())
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
    fn groups_are_counted_and_found() {
        for (expression, basic, count) in [
            ("a(b)(c(d))", false, 3),
            ("a\\(b(", true, 1),
            ("\\((x)", false, 1),
            ("[(]([^](]|[[:alpha:](])", false, 1),
            ("[[.(.]]()", false, 1),
            ("", false, 0),
        ] {
            assert_eq!(groups_in(expression.as_bytes(), basic), count, "{expression}");
        }
        let dialect = Dialect { ignores_case: true, ..Dialect::default() };
        let regex = Regex::in_dialect(OsStr::new("x(y)?|(a)b*"), dialect).expect("an expression");
        let found = regex.find_groups(b"ABB", 2).expect("a match");
        assert_eq!(found, [Some(0..3), None, Some(0..1)]);
        let basic = Dialect { basic: true, ..Dialect::default() };
        let regex = Regex::in_dialect(OsStr::new("\\(a\\)("), basic).expect("an expression");
        assert_eq!(regex.find_groups(b"xa(", 1), Some(vec![Some(1..3), Some(1..2)]));
        assert_eq!(regex.find_groups(b"a", 1), None);
    }

    #[test]
    fn mistakes_have_a_reason() {
        let reason = Regex::new(OsStr::new("(")).expect_err("unbalanced");
        assert!(!reason.is_empty());
        assert!(Regex::new(OsStr::new("a\0b")).is_err());
    }
}
