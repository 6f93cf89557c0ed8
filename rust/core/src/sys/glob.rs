//! Names of files by a pattern, by the C library: the originals' users rely on exactly its rules.

use crate::error::Errno;
use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;

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

/// What one call of glob(3) leaves behind: `Err` for lack of memory.
type Outcome = Result<Found, Errno>;

thread_local! {
    /// Directories that the C library could not read, told to a function that has no other place for
    /// them.
    static UNREADABLE: RefCell<Vec<(OsString, Errno)>> = const { RefCell::new(Vec::new()) };
}

/// Told by the C library about a directory; 0 means: go on.
extern "C" fn unreadable(path: *const libc::c_char, errno: libc::c_int) -> libc::c_int {
    // SAFETY: glob(3) gives the directory's name as a C string.
    let name = OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()).to_owned();
    UNREADABLE.with_borrow_mut(|all| all.push((name, Errno(errno))));
    0
}

/// The names that match a pattern, below the working directory unless it begins with a slash.
pub fn glob(pattern: &OsStr, options: Options) -> Outcome {
    let pattern = CString::new(pattern.as_bytes()).map_err(|_| Errno::INVALID)?;
    let flag = |wanted, flag| if wanted { flag } else { 0 };
    let flags = flag(!options.sorted, libc::GLOB_NOSORT)
        | flag(options.marks_directories, libc::GLOB_MARK)
        | flag(options.plain_backslash, libc::GLOB_NOESCAPE)
        | flag(options.stops_at_errors, libc::GLOB_ERR);
    UNREADABLE.with_borrow_mut(Vec::clear);
    let mut place = MaybeUninit::<libc::glob_t>::zeroed();
    // SAFETY: a C string, a function that returns, and a place for one result; without GLOB_APPEND and
    // GLOB_DOOFFS, nothing is read from it.
    let code = unsafe { libc::glob(pattern.as_ptr(), flags, Some(unreadable), place.as_mut_ptr()) };
    let mut found = Found {
        names: Vec::new(),
        unreadable: UNREADABLE.with_borrow_mut(std::mem::take),
        stopped: code == libc::GLOB_ABORTED,
    };
    if code == 0 {
        // SAFETY: glob succeeded, so the place is filled: as many C strings as it says.
        let (count, names) = unsafe {
            let filled = place.assume_init_ref();
            (filled.gl_pathc, filled.gl_pathv)
        };
        for nth in 0..count {
            // SAFETY: below the count there is a C string.
            let name = unsafe { CStr::from_ptr(*names.wrapping_add(nth)) };
            found.names.push(OsStr::from_bytes(name.to_bytes()).to_owned());
        }
    }
    // SAFETY: the place is all zeroes or filled by glob, and not used again.
    unsafe { libc::globfree(place.as_mut_ptr()) };
    if code == libc::GLOB_NOSPACE { Err(Errno::NO_MEMORY) } else { Ok(found) }
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
    fn what_cannot_be_read() {
        let found = sorted("/proc/self/none/*");
        assert_eq!(found.unreadable, [("/proc/self/none".into(), Errno::NOT_FOUND)]);
        assert!(!found.stopped);
        let options = Options { stops_at_errors: true, ..Options::default() };
        assert!(glob(OsStr::new("/proc/self/none/*"), options).expect("enough memory").stopped);
    }
}
