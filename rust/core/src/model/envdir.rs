//! Environments kept in directories: one file for each variable, named like it.

use crate::error::{Errno, Error, Result};
use crate::sys::dir::Dir;
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
    /// As `s6-envdir` without options: the first line, blanks at its end cut, NUL means newline; an
    /// empty file removes the variable.
    FirstLine,
    /// Every byte, up to a NUL, which no value can hold; an empty file is an empty value.
    Exact,
}

/// Merges a directory into an environment. A name that begins with a dot or holds `=` is passed over.
/// Errors: the directory cannot be read. A file that cannot be read is told to `complain`.
pub fn merge(
    directory: &Path,
    reading: Reading,
    environment: &mut Environment,
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    let failed = |errno| Error::on("read", directory, errno);
    let dir = Dir::open(directory).map_err(failed)?;
    let mut names = dir.names().map_err(failed)?;
    names.retain(|name| !name.as_bytes().starts_with(b".") && !name.as_bytes().contains(&b'='));
    names.sort();
    if names.len() > MOST {
        let how = format!("{} files are too many for an environment", names.len());
        return Err(Error::malformed(format!("read {}", directory.display()), how));
    }
    for name in names {
        match dir.read(&name, LONGEST + 1) {
            Ok(content) if content.len() > LONGEST => {
                let what = format!("take {} from {}", name.display(), directory.display());
                complain(Error::system(what, Errno(libc::E2BIG)));
            }
            Ok(content) => put(environment, &name, &content, reading),
            Err(Errno(libc::EISDIR | libc::ENOENT)) => {}
            Err(errno) => complain(Error::on("read", directory.join(&name), errno)),
        }
    }
    Ok(())
}

fn put(environment: &mut Environment, name: &OsStr, content: &[u8], reading: Reading) {
    match reading {
        Reading::Exact => {
            let end = content.iter().position(|&byte| byte == 0).unwrap_or(content.len());
            let value = content.get(..end).unwrap_or(content);
            environment.set(name, OsStr::from_bytes(value));
        }
        Reading::FirstLine if content.is_empty() => environment.unset(name),
        Reading::FirstLine => {
            let line = content.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
            let end = line.iter().rposition(|byte| !b" \t\r".contains(byte)).map_or(0, |at| at + 1);
            let value = line.iter().take(end).map(|&byte| if byte == 0 { b'\n' } else { byte });
            environment.set(name, OsString::from_vec(value.collect()));
        }
    }
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

/// Makes a file anew, with exactly this mode; what had the name before is gone, even a link.
pub fn write(dir: &Dir, name: &OsStr, content: &[u8], mode: u32) -> std::result::Result<(), Errno> {
    match dir.unlink(name) {
        Ok(()) | Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(errno),
    }
    let file = inode::create(dir, name, 0o600)?;
    fd::write_all(&file, content)?;
    crate::sys::dir::chmod(&file, mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
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
