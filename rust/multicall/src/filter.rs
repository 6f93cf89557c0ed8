//! Filters: standard input to standard output, line by line.

use crate::Failure;
use s6x_core::error::{Errno, Error};
use s6x_core::sys::{fd, search};

/// Reads to the end and calls `each` with every line, without what ended it, and the output to add
/// to. A line ends where `ends` says so, and at the end of the input. What was made of the lines read
/// at once is written at once, so that nobody waits for a line that is there.
pub(crate) fn lines(
    ends: fn(u8) -> bool,
    mut each: impl FnMut(Line<'_>, &mut Vec<u8>),
) -> Result<(), Failure> {
    checked_lines(ends, |line, output| {
        each(line, output);
        Ok(())
    })
}

/// The same with lines that can be wrong: the first failure ends it, after what was made of the lines
/// before has been written.
pub(crate) fn checked_lines(
    ends: fn(u8) -> bool,
    mut each: impl FnMut(Line<'_>, &mut Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut endings = (0..=u8::MAX).filter(|&byte| ends(byte));
    let only = endings.next().filter(|_| endings.next().is_none());
    let find = |text: &[u8]| match only {
        Some(byte) => search::byte(byte, text),
        None => text.iter().position(|&byte| ends(byte)),
    };
    let mut pending: Vec<u8> = Vec::new();
    let mut output = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = fd::used_standard(0)
            .and_then(|stdin| fd::read(stdin, &mut buffer))
            .map_err(|errno| failed("read from stdin", errno))?;
        let mut rest = buffer.get(..got).unwrap_or(&[]);
        let mut result = Ok(());
        while let (Some(end), Ok(())) = (find(rest), &result) {
            let (line, ended) = rest.split_at(end);
            rest = ended.get(1..).unwrap_or(&[]);
            if pending.is_empty() {
                result = each(Line { text: line, ended: true }, &mut output);
            } else {
                pending.extend_from_slice(line);
                result = each(Line { text: &pending, ended: true }, &mut output);
                pending.clear();
            }
        }
        pending.extend_from_slice(rest);
        if got == 0 && !pending.is_empty() {
            result = each(Line { text: &pending, ended: false }, &mut output);
        }
        fd::write_out(&output).map_err(|errno| failed("write to stdout", errno))?;
        output.clear();
        result?;
        if got == 0 {
            return Ok(());
        }
    }
}

/// One line.
pub(crate) struct Line<'a> {
    /// Without its end.
    pub(crate) text: &'a [u8],
    /// Whether it has one: only the last may not.
    pub(crate) ended: bool,
}

fn failed(what: &str, errno: Errno) -> Failure {
    Failure::from(Error::system(what, errno))
}
