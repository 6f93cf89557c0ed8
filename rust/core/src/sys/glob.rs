//! Names of files by a pattern, by the rules of the C library's glob(3), which the originals use.
//!
//! Not by glob(3) itself: for the sake of `~user` it is linked with code that looks accounts up, which a
//! static executable must not run, and which is as large as a tenth of ours.

use super::dir::{self, Dir};
use super::pattern::{Rules, matches_under};
use crate::error::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How names are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// In alphabetical order, rather than as the system has them.
    pub sorted: bool,
    /// With a slash behind the names of directories.
    pub marks_directories: bool,
    /// A backslash is a character like others.
    pub plain_backslash: bool,
    /// Give up at a directory that cannot be read.
    pub stops_at_errors: bool,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The names; none if nothing matches.
    pub names: Vec<OsString>,
    /// Directories that could not be read.
    pub unreadable: Vec<(OsString, Errno)>,
    /// Whether it was given up.
    pub stopped: bool,
}

/// The names that match a pattern, below the working directory unless it begins with a slash. The error:
/// it holds a NUL.
pub fn glob(pattern: &OsStr, options: Options) -> Result<Found, Errno> {
    let bytes = pattern.as_bytes();
    if bytes.contains(&0) {
        return Err(Errno::INVALID);
    }
    let mut found = Found::default();
    // Every path so far, with what stands between it and the next part.
    let mut paths: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = bytes;
    loop {
        let slashes = rest.iter().take_while(|&&byte| byte == b'/').count();
        let (between, after) = rest.split_at(slashes);
        for path in &mut paths {
            path.extend(between);
        }
        let end = after.iter().position(|&byte| byte == b'/').unwrap_or(after.len());
        let (part, next) = after.split_at(end);
        if is_magic(part) {
            let is_last = next.is_empty();
            paths = match listed(&paths, part, is_last, options, &mut found) {
                Some(paths) => paths,
                None => return Ok(Found { stopped: true, names: Vec::new(), ..found }),
            };
        } else {
            let literal = unescaped(part, options);
            for path in &mut paths {
                path.extend(&literal);
            }
        }
        rest = next;
        if rest.is_empty() {
            break;
        }
    }
    paths.retain(|path| dir::lstat_path(OsStr::from_bytes(path)).is_ok());
    if options.marks_directories {
        for path in &mut paths {
            if is_directory(path) && !path.ends_with(b"/") {
                path.push(b'/');
            }
        }
    }
    if options.sorted {
        paths.sort_unstable();
    }
    found.names = paths.into_iter().map(OsString::from_vec).collect();
    Ok(found)
}

/// What matches a part of the pattern in each of these directories; `None`: one cannot be read, and that
/// is to be the end.
fn listed(
    directories: &[Vec<u8>],
    part: &[u8],
    is_last: bool,
    options: Options,
    found: &mut Found,
) -> Option<Vec<Vec<u8>>> {
    let rules =
        Rules { plain_backslash: options.plain_backslash, dot_by_dot: true, ..Rules::default() };
    let mut paths = Vec::new();
    for above in directories {
        let bare = above.strip_suffix(b"/").filter(|bare| !bare.is_empty()).unwrap_or(above);
        let name = OsStr::from_bytes(if bare.is_empty() { b"." } else { bare });
        let names = match Dir::open(name).and_then(|dir| dir.names()) {
            Ok(names) => names,
            Err(errno) => {
                found.unreadable.push((name.to_owned(), errno));
                if options.stops_at_errors {
                    return None;
                }
                continue;
            }
        };
        let own = [OsString::from("."), OsString::from("..")];
        for name in own.into_iter().chain(names) {
            if matches_under(rules, OsStr::from_bytes(part), &name) {
                let path = [above.as_slice(), name.as_bytes()].concat();
                if is_last || is_directory(&path) {
                    paths.push(path);
                }
            }
        }
    }
    Some(paths)
}

fn is_directory(path: &[u8]) -> bool {
    dir::stat_path(OsStr::from_bytes(path)).is_ok_and(|stat| stat.is_dir())
}

/// Whether a part of a pattern can stand for anything but itself; a bracket only if it is closed.
fn is_magic(part: &[u8]) -> bool {
    let bracket = part.iter().position(|&byte| byte == b'[');
    let closed = bracket.is_some_and(|at| part.iter().skip(at).any(|&byte| byte == b']'));
    closed || part.iter().any(|byte| matches!(byte, b'*' | b'?'))
}

/// A part that is no pattern, as a name.
fn unescaped(part: &[u8], options: Options) -> Vec<u8> {
    let mut bytes = part.iter().copied();
    let mut name = Vec::with_capacity(part.len());
    while let Some(byte) = bytes.next() {
        let escapes = byte == b'\\' && !options.plain_backslash;
        name.push(if escapes { bytes.next().unwrap_or(byte) } else { byte });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(pattern: &str) -> Found {
        let options = Options { sorted: true, ..Options::default() };
        glob(OsStr::new(pattern), options).expect("enough memory")
    }

    #[test]
    fn what_is_everywhere() {
        assert_eq!(sorted("/pro[c]/se?f/comm").names, ["/proc/self/comm"]);
        assert_eq!(sorted("/proc/self/no such*"), Found::default());
        let options = Options { marks_directories: true, ..Options::default() };
        let found = glob(OsStr::new("/proc/sel*"), options).expect("enough memory");
        assert_eq!(found.names, ["/proc/self/"]);
        assert_eq!(glob(OsStr::new("a\0b"), options), Err(Errno::INVALID));
    }

    #[test]
    fn dots_slashes_and_backslashes() {
        assert_eq!(
            sorted("/proc/self/fdinf[o]/.*").names,
            ["/proc/self/fdinfo/.", "/proc/self/fdinfo/.."]
        );
        assert_eq!(sorted("/proc//self/co?m").names, ["/proc//self/comm"]);
        assert_eq!(sorted("/proc/sel?/").names, ["/proc/self/"]);
        assert_eq!(sorted("/proc/se\\lf/co\\m\\m").names, ["/proc/self/comm"]);
        assert_eq!(sorted("/proc/sel*/comm/").names, Vec::<OsString>::new());
        assert_eq!(sorted("/proc/com[").names, Vec::<OsString>::new());
        assert_eq!(sorted("/").names, ["/"]);
        let plain = Options { plain_backslash: true, ..Options::default() };
        let found = glob(OsStr::new("/proc/se\\lf"), plain).expect("no NUL");
        assert_eq!(found.names, Vec::<OsString>::new());
    }

    #[test]
    fn what_cannot_be_read() {
        let found = sorted("/proc/self/none/*");
        assert_eq!(found.unreadable, [("/proc/self/none".into(), Errno::NOT_FOUND)]);
        assert!(!found.stopped);
        let options = Options { stops_at_errors: true, ..Options::default() };
        assert!(glob(OsStr::new("/proc/self/none/*"), options).expect("enough memory").stopped);
    }
}
