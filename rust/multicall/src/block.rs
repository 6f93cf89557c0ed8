//! Lists of words inside a command line, ended by an empty word (contract execline, blocks).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The words up to the first empty one, each without the one space that execline puts in front,
/// and what follows. `None` if there is no empty word.
pub(crate) fn split(words: &[OsString]) -> Option<(Vec<OsString>, &[OsString])> {
    let end = words.iter().position(|word| word.is_empty())?;
    let (inside, after) = words.split_at(end);
    let bare = |word: &OsString| {
        let bytes = word.as_bytes();
        OsStr::from_bytes(bytes.strip_prefix(b" ").unwrap_or(bytes)).to_owned()
    };
    Some((inside.iter().map(bare).collect(), after.get(1..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_or_not() {
        let words = ["a", " b", "  c", "", "prog", ""].map(OsString::from);
        let (inside, after) = split(&words).expect("terminated");
        assert_eq!(inside, ["a", "b", " c"]);
        assert_eq!(after, ["prog", ""]);
        assert_eq!(split(&words[4..5]), None);
    }
}
