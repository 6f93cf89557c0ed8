//! Scripts on a file system that programs cannot be executed from (contract s6-overlay §10, L11).
//!
//! `noexec` forbids to execute the script, not to read it: its interpreter, which is elsewhere, can.

use crate::error::Errno;
use crate::sys::dir::{Dir, Open};
use crate::sys::fd;
use crate::sys::inode::is_noexec;
use crate::sys::spawn::Launch;
use crate::sys::wait::Pid;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// How much of a script's first line the kernel reads.
const FIRST_LINE_MOST: usize = 256;

/// Starts the program whose path, seen from `directory`, is the launch's first; if only the file system
/// forbids that, its interpreter with it.
pub(crate) fn spawn(launch: &Launch<'_>, directory: &Dir) -> Result<Pid, Errno> {
    let denied = match launch.spawn() {
        Err(errno @ Errno(libc::EACCES)) => errno,
        other => return other,
    };
    let Some(mut argv) = interpreter(launch, directory) else { return Err(denied) };
    let program = argv.first().cloned().into_iter().collect::<Vec<_>>();
    argv.extend(launch.paths.first().cloned());
    argv.extend(launch.argv.iter().skip(1).cloned());
    Launch { paths: &program, argv: &argv, ..*launch }.spawn().map_err(|_| denied)
}

/// The words of the first line, if the script could be executed were it elsewhere.
fn interpreter(launch: &Launch<'_>, directory: &Dir) -> Option<Vec<CString>> {
    let path = OsStr::from_bytes(launch.paths.first()?.to_bytes());
    let file = directory.file(path, Open::ReadNow).ok()?;
    let executable = directory.stat(path).ok()?.permissions() & 0o111 != 0;
    if !executable || !is_noexec(&file) {
        return None;
    }
    words(&fd::read_up_to(file, FIRST_LINE_MOST).ok()?)
}

/// Interpreter and argument of a `#!` line, as the kernel takes it apart.
fn words(start: &[u8]) -> Option<Vec<CString>> {
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let line = line.trim_ascii();
    let end = line.iter().position(blank).unwrap_or(line.len());
    let (program, argument) = line.split_at(end);
    let argument = argument.trim_ascii();
    let parts = [program, argument].into_iter().filter(|part| !part.is_empty());
    let words: Vec<CString> = parts.map(CString::new).collect::<Result<_, _>>().ok()?;
    (!program.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        for (start, expected) in [
            ("#!/bin/sh\nx", Some(vec!["/bin/sh"])),
            ("#! /usr/bin/env  sh -e \n", Some(vec!["/usr/bin/env", "sh -e"])),
            ("#!/bin/execlineb\t-P", Some(vec!["/bin/execlineb", "-P"])),
            ("#!\n/bin/sh", None),
            ("\u{7f}ELF", None),
            ("#!/bin/a\0b\n", None),
            ("", None),
        ] {
            let found = words(start.as_bytes());
            let found = found.as_ref().map(|words| {
                words.iter().map(|word| word.to_str().unwrap_or_default()).collect::<Vec<_>>()
            });
            assert_eq!(found, expected, "{start:?}");
        }
    }
}
