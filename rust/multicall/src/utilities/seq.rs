//! s6-seq: counts.

use super::output::Output;
use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use std::os::unix::ffi::OsStrExt;

/// s6-seq.
pub static APPLET: Applet = Applet {
    name: "s6-seq",
    section: Section::Utilities,
    about: "Print the numbers from first (1) to last; without end if the step is 0",
    options: &[
        flag('w', "zeros in front, so that all are as wide as the last one printed"),
        value('s', "sep", "what follows each number (a newline; empty: NUL)"),
    ],
    arguments: "[ first [ step ] ] last",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let numbers: Vec<u64> = call
        .rest
        .iter()
        .map(|word| {
            let wrong = || Failure::usage(format!("{} is not a number", quoted(word)));
            number(word).map(u64::from).ok_or_else(wrong)
        })
        .collect::<Result<_, _>>()?;
    let (first, step, last) = match *numbers.as_slice() {
        [] => return Err(Failure::usage("no last number given")),
        [last] => (1, 1, last),
        [first, last] => (first, 1, last),
        [first, step, last] => (first, step, last),
        _ => return Err(Failure::usage("too many numbers: first, step and last")),
    };
    let separator = match call.value('s').map(OsStrExt::as_bytes) {
        None => b"\n",
        Some([]) => &[0],
        Some(given) => given,
    };
    let width = if call.has('w') { digits(greatest(first, step, last)) } else { 0 };
    let mut output = Output::default();
    let mut next = first;
    while next <= last {
        output.put(format!("{next:0width$}").as_bytes())?;
        output.put(separator)?;
        next += step;
    }
    output.finish()?;
    Ok(Exit::SUCCESS)
}

/// The last number that is printed.
fn greatest(first: u64, step: u64, last: u64) -> u64 {
    let steps = last.saturating_sub(first).checked_div(step);
    first + step * steps.unwrap_or(0)
}

fn digits(number: u64) -> usize {
    number.to_string().len()
}
