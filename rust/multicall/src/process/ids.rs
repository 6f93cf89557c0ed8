//! Ids in words and variables, and the three variables that hand them on.

use crate::Failure;
use crate::invocation::{number, quoted};
use s6x_core::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The variable for a user id.
pub const UID: &str = "UID";
/// The variable for a group id.
pub const GID: &str = "GID";
/// The variable for supplementary groups.
pub const GIDLIST: &str = "GIDLIST";

/// The most supplementary groups that Linux knows.
const MOST: usize = 65536;

/// The number in a word; `of` says which one in the complaint.
pub fn id(of: &str, word: &OsStr) -> Result<u32, Failure> {
    let wrong = || Failure::usage(format!("{of}: {} is no numerical id", quoted(word)));
    number(word).ok_or_else(wrong)
}

/// Group ids with commas between; nothing at all is an empty list.
pub fn list(of: &str, word: &OsStr) -> Result<Vec<u32>, Failure> {
    let wrong = || {
        let how = "is no list of numerical ids with commas between";
        Failure::usage(format!("{of}: {} {how}", quoted(word)))
    };
    // The originals take any of these between two ids, and several of them at the end.
    let separates = |byte: &u8| b",:; \t\r\n".contains(byte);
    let bytes = word.as_bytes();
    if bytes.first().is_some_and(separates) {
        return Err(wrong());
    }
    let parts = bytes.split(separates).filter(|part| !part.is_empty());
    let ids: Vec<u32> = parts
        .map(|part| number(OsStr::from_bytes(part)))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    if ids.len() > MOST {
        let message = format!("{of}: {} groups; the kernel allows {MOST}", ids.len());
        return Err(Failure::usage(message));
    }
    Ok(ids)
}

/// A list as the variable has it.
pub fn joined(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Removes the three variables.
pub fn unset(environment: &mut Environment) {
    for name in [UID, GID, GIDLIST] {
        environment.unset(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists() {
        let parsed = |word: &str| list("-G", OsStr::new(word)).map_err(|failure| failure.code);
        for (word, expected) in
            [("", vec![]), ("1", vec![1]), ("1,2,2", vec![1, 2, 2]), ("1:2; 3,", vec![1, 2, 3])]
        {
            assert_eq!(parsed(word), Ok(expected), "{word}");
        }
        for word in [",1", "x", "1,x", "-1", "+1", "1,4294967296", ","] {
            assert_eq!(parsed(word), Err(100), "{word}");
        }
        assert_eq!(parsed(&"1,".repeat(MOST)).map(|ids| ids.len()), Ok(MOST));
        assert_eq!(parsed(&"1,".repeat(MOST + 1)), Err(100));
    }

    proptest! {
        #[test]
        fn a_list_reads_back(ids: Vec<u32>) {
            prop_assert_eq!(list("-G", OsStr::new(&joined(&ids))), Ok(ids));
        }
    }
}
