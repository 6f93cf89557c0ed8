//! Environments kept in directories: one file for each variable, named like it.

use crate::error::{Errno, Error, Result};
use crate::sys::dir::{Dir, Open, stat};
use crate::sys::{fd, inode};
use crate::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// What exec refuses anyway: a longer `NAME=value` (the kernel's MAX_ARG_STRLEN).
const LONGEST: usize = 128 * 1024;
/// A directory with more entries is no environment.
const MOST: usize = 16 * 1024;

/// How a file means a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As `s6-envdir` without options, but of any length: the first line, blanks at its end cut, NUL
    /// means newline; an empty file removes the variable.
    FirstLine,
    /// As `s6-envdir` with these options. What is no file is told to `complain`, too.
    AsTold(Manner),
    /// Every byte, up to a NUL, which no value can hold; an empty file is an empty value.
    Exact,
}

/// How s6-envdir reads a value (contract s6 §1.5). An empty file removes the variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// All of the file, rather than its first line.
    pub whole: bool,
    /// Cut nothing from its end: not the blanks of a line, not the newline of a whole file.
    pub uncut: bool,
    /// Look at that many bytes of the file only.
    pub most: Option<usize>,
    /// What a NUL means, which no value can hold.
    pub nul: u8,
}

/// What s6-envdir does when it is told nothing.
const USUAL: Manner = Manner { whole: false, uncut: false, most: None, nul: b'\n' };

/// Merges a directory into an environment. A name that begins with a dot or holds `=` is passed over.
/// Errors: the directory cannot be read. A file that cannot be read is told to `complain`.
pub fn merge(
    directory: &Path,
    reading: Reading,
    environment: &mut Environment,
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    for (name, value) in changes(directory, reading, complain)? {
        match value {
            Some(value) => environment.set(name, value),
            None => environment.unset(name),
        }
    }
    Ok(())
}

/// What a directory means for an environment, in the order of names: a variable and its value; none
/// removes it. Otherwise as [`merge`].
pub fn changes(
    directory: &Path,
    reading: Reading,
    complain: &mut dyn FnMut(Error),
) -> Result<Vec<(OsString, Option<OsString>)>> {
    let failed = |errno| Error::on("read", directory, errno);
    let dir = Dir::open(directory).map_err(failed)?;
    let mut names = dir.sorted_names().map_err(failed)?;
    names.retain(|name| !name.as_bytes().starts_with(b".") && !name.as_bytes().contains(&b'='));
    if names.len() > MOST {
        let how = format!("{} files are too many for an environment", names.len());
        return Err(Error::malformed(format!("read {}", directory.display()), how));
    }
    let (all, most) = match reading {
        Reading::FirstLine | Reading::Exact => (false, LONGEST + 1),
        Reading::AsTold(manner) => (true, manner.most.unwrap_or(LONGEST + 1)),
    };
    let mut changes = Vec::new();
    for name in names {
        match read(&dir, &name, most) {
            Ok(content) if is_too_long(&content, reading) => {
                let what = format!("take {} from {}", name.display(), directory.display());
                complain(Error::system(what, Errno(libc::E2BIG)));
            }
            Ok(content) => changes.push((name, reading.value(&content))),
            Err(Errno(libc::EISDIR | libc::ENOENT)) if !all => {}
            Err(errno) => complain(Error::on("read", directory.join(&name), errno)),
        }
    }
    Ok(changes)
}

/// The content of a file; not of a FIFO, of which nobody could say when it is complete.
fn read(dir: &Dir, name: &OsStr, most: usize) -> std::result::Result<Vec<u8>, Errno> {
    let file = dir.file(name, Open::ReadNow)?;
    if stat(&file)?.is_fifo() {
        return Err(Errno(libc::ESPIPE));
    }
    fd::read_up_to(file, most)
}

/// Whether no process could have this as a value.
fn is_too_long(content: &[u8], reading: Reading) -> bool {
    let used = match reading {
        Reading::AsTold(Manner { whole: false, .. }) => first_line(content),
        Reading::AsTold(Manner { whole: true, .. }) | Reading::FirstLine | Reading::Exact => {
            content
        }
    };
    used.len() > LONGEST
}

impl Reading {
    /// What the content of a file means; `None`: the variable is to go.
    fn value(self, content: &[u8]) -> Option<OsString> {
        match self {
            Reading::Exact => {
                let end = content.iter().position(|&byte| byte == 0).unwrap_or(content.len());
                Some(OsStr::from_bytes(content.get(..end).unwrap_or(content)).to_owned())
            }
            Reading::FirstLine | Reading::AsTold(_) if content.is_empty() => None,
            Reading::FirstLine => Some(USUAL.value(content)),
            Reading::AsTold(manner) => Some(manner.value(content)),
        }
    }
}

impl Manner {
    /// What a file that is not empty means.
    fn value(&self, content: &[u8]) -> OsString {
        let taken = match (self.whole, self.uncut) {
            (true, true) => content,
            (true, false) => content.strip_suffix(b"\n").unwrap_or(content),
            (false, true) => first_line(content),
            (false, false) => {
                let line = first_line(content);
                let blank = |byte: &u8| b" \t\r".contains(byte);
                let end = line.iter().rposition(|byte| !blank(byte)).map_or(0, |at| at + 1);
                line.get(..end).unwrap_or(line)
            }
        };
        let bytes = taken.iter().map(|&byte| if byte == 0 { self.nul } else { byte });
        OsString::from_vec(bytes.collect())
    }
}

fn first_line(content: &[u8]) -> &[u8] {
    content.split(|&byte| byte == b'\n').next().unwrap_or(&[])
}

/// Writes one file for each variable: its exact bytes, nothing after them (contract s6-overlay §6.2).
/// Variables that cannot be file names are left out, and told to `complain`.
pub fn dump(
    environment: &Environment,
    directory: &Path,
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    let dir = Dir::open(directory).map_err(|errno| Error::on("open", directory, errno))?;
    for (name, value) in environment.variables() {
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes.starts_with(b".") || bytes.contains(&b'/') {
            complain(Error::on("keep the variable", name, Errno::INVALID));
            continue;
        }
        let written = write(&dir, name, value.as_bytes(), 0o644);
        match written {
            Ok(()) => {}
            Err(errno @ Errno(libc::ENAMETOOLONG)) => {
                complain(Error::on("keep the variable", name, errno));
            }
            Err(errno) => return Err(Error::on("write", directory.join(name), errno)),
        }
    }
    Ok(())
}

/// Makes a file anew, with exactly this mode; what had the name before is gone, even a link. Where there
/// is no space for its content, there is no file: half a value is worse than none.
pub fn write(dir: &Dir, name: &OsStr, content: &[u8], mode: u32) -> std::result::Result<(), Errno> {
    match dir.unlink(name) {
        Ok(()) | Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(errno),
    }
    let file = inode::create(dir, name, 0o600)?;
    fd::write_all(&file, content).inspect_err(|_| {
        let _ = dir.unlink(name); // it may be gone by now
    })?;
    crate::sys::dir::chmod(&file, mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use proptest::prelude::*;
    use std::fs;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("s6x-envdir-{name}-{}", process::own_pid()));
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        path
    }

    #[expect(clippy::needless_pass_by_value, reason = "what `complain` is")]
    fn silent(error: Error) {
        panic!("{error}");
    }

    #[test]
    fn files_mean_what_the_reading_says() {
        let top = scratch("read");
        for (name, content) in
            [("A", "one \t\ntwo"), ("NL", "a\0b"), ("EMPTY", ""), (".hid", "x"), ("a=b", "x")]
        {
            fs::write(top.join(name), content).expect("writable");
        }
        fs::create_dir(top.join("dir")).expect("writable");
        let start = || Environment::new(["EMPTY=was here".into()]);
        let read = |reading| {
            let mut environment = start();
            merge(&top, reading, &mut environment, &mut silent).expect("readable");
            let text: Vec<String> =
                environment.entries().map(|e| e.to_string_lossy().into_owned()).collect();
            text
        };
        assert_eq!(read(Reading::FirstLine), ["A=one", "NL=a\nb"]);
        assert_eq!(read(Reading::Exact), ["EMPTY=", "A=one \t\ntwo", "NL=a"]);
        let absent = merge(&top.join("no"), Reading::Exact, &mut start(), &mut silent);
        assert_eq!(absent.expect_err("absent").errno(), Some(Errno::NOT_FOUND));
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn a_fifo_is_no_value() {
        let top = scratch("fifo");
        Dir::open(&top).and_then(|dir| dir.mkfifo("F", 0o600)).expect("writable");
        let mut told = Vec::new();
        let mut environment = Environment::new(["F=stays".into()]);
        merge(&top, Reading::Exact, &mut environment, &mut |error| told.push(error.to_string()))
            .expect("readable");
        assert_eq!(told, [format!("unable to read {}/F: Illegal seek", top.display())]);
        assert_eq!(environment.lookup("F"), Some(OsStr::new("stays")));
        fs::remove_dir_all(top).expect("ours");
    }

    proptest! {
        #[test]
        fn a_value_is_a_part_of_its_file_and_never_more(
            content in proptest::collection::vec(
                proptest::sample::select(b"ab \t\r\n\0=\xff".as_slice()), 1..12),
            whole: bool, uncut: bool, nul in 1..=255_u8,
        ) {
            let value = Manner { whole, uncut, most: None, nul }.value(&content);
            let value = value.as_bytes();
            let translated: Vec<u8> =
                content.iter().map(|&byte| if byte == 0 { nul } else { byte }).collect();
            prop_assert!(translated.starts_with(value));
            prop_assert!(!value.contains(&0));
            match (whole, uncut) {
                (true, true) => prop_assert_eq!(value, translated),
                (true, false) => prop_assert!(value.len() + 1 >= translated.len()),
                (false, _) => {
                    let rest = translated.get(value.len()..).unwrap_or(&[]);
                    let end = rest.iter().position(|byte| !b" \t\r".contains(byte));
                    prop_assert!(end.is_none_or(|at| content[value.len() + at] == b'\n'));
                }
            }
        }
    }

    #[test]
    fn what_is_dumped_reads_back_exactly() {
        let top = scratch("dump");
        let long = "x".repeat(6000);
        let entries = ["NL=a\nb\n".into(), format!("LONG={long}").into(), "EMPTY=".into()];
        let environment = Environment::new(entries);
        dump(&environment, &top, &mut silent).expect("writable");
        assert_eq!(fs::read(top.join("NL")).expect("written"), b"a\nb\n");
        let mut back = Environment::default();
        merge(&top, Reading::Exact, &mut back, &mut silent).expect("readable");
        for (name, value) in environment.variables() {
            assert_eq!(back.lookup(name), Some(value));
        }
        fs::remove_dir_all(top).expect("ours");
    }
}
