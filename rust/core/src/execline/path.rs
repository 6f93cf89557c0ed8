//! Paths as text, for `posix-cd` (contract execline §3.1).

use crate::error::Errno;

/// The shortest absolute path that means the same if no part of it is a link: no `.`, no `..`, no double
/// slashes. Each path in front of a `..` must pass `is_directory`; else the error is its reason and that
/// path. `path` begins with a slash.
pub fn canonical(
    path: &[u8],
    mut is_directory: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<Vec<u8>, (Vec<u8>, Errno)> {
    let mut canonical: Vec<u8> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if !canonical.is_empty() {
                    is_directory(&canonical).map_err(|errno| (canonical.clone(), errno))?;
                }
                let parent = canonical.iter().rposition(|&byte| byte == b'/');
                canonical.truncate(parent.unwrap_or(0));
            }
            part => {
                canonical.push(b'/');
                canonical.extend(part);
            }
        }
    }
    if canonical.is_empty() {
        canonical.push(b'/');
    }
    Ok(canonical)
}

/// Whether `CDPATH` has a say: not for paths that begin with `/`, `.` or `..`.
pub fn is_searched(path: &[u8]) -> bool {
    let first = path.split(|&byte| byte == b'/').next().unwrap_or(&[]);
    !matches!(first, b"" | b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All but `/a/b` are there.
    fn there(path: &[u8]) -> Result<(), Errno> {
        if path == b"/a/b" { Err(Errno::NOT_FOUND) } else { Ok(()) }
    }

    #[test]
    fn paths_get_short() {
        for (path, expected) in [
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./c/../b", "/a/b"),
            ("/../..", "/"),
            ("/a/..", "/"),
            ("/a/...", "/a/..."),
        ] {
            let canonical = canonical(path.as_bytes(), there);
            assert_eq!(canonical.as_deref(), Ok(expected.as_bytes()), "{path}");
        }
    }

    #[test]
    fn there_is_no_way_up_from_what_is_not_there() {
        let gone = canonical(b"/a/b/../c", there);
        assert_eq!(gone, Err((b"/a/b".to_vec(), Errno::NOT_FOUND)));
        assert_eq!(canonical(b"/a/c/../d", there).as_deref(), Ok(b"/a/d".as_slice()));
    }

    #[test]
    fn what_is_searched_for() {
        for path in ["a", "a/..", ".a", "...", "-"] {
            assert!(is_searched(path.as_bytes()), "{path}");
        }
        for path in ["", "/a", ".", "..", "./a", "../a"] {
            assert!(!is_searched(path.as_bytes()), "{path}");
        }
    }

    proptest! {
        #[test]
        fn canonical_paths_stay_as_they_are(path in "(/[a.]{0,3}){0,8}") {
            let once = canonical(path.as_bytes(), there).expect("all are there");
            prop_assert!(once.starts_with(b"/"));
            prop_assert_eq!(canonical(&once, there), Ok(once));
        }
    }
}
