//! s6-pause: waits for a signal that ends it.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::sys::{poll, signals};
use s6x_core::wire::signal::Signal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// s6-pause.
pub static APPLET: Applet = Applet {
    name: "s6-pause",
    section: Section::Utilities,
    about: "Wait until a signal ends it; the options say which do not",
    options: &[
        flag('t', "ignore SIGTERM"),
        flag('h', "ignore SIGHUP"),
        flag('a', "ignore SIGALRM"),
        flag('q', "ignore SIGQUIT"),
        flag('b', "ignore SIGABRT"),
        flag('i', "ignore SIGINT"),
        value('p', "signals", "ignore these: numbers, with commas between them"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let mut ignored = Vec::new();
    for (letter, word) in &call.options {
        match (letter, word) {
            ('t', _) => ignored.push(Signal::SIGTERM),
            ('h', _) => ignored.push(Signal::SIGHUP),
            ('a', _) => ignored.push(Signal::SIGALRM),
            ('q', _) => ignored.push(Signal::SIGQUIT),
            ('b', _) => ignored.push(Signal::SIGABRT),
            ('i', _) => ignored.push(Signal::SIGINT),
            (_, word) => ignored.extend(list(word.as_deref().unwrap_or_default())?),
        }
    }
    for signal in ignored {
        if let Err(errno) = signals::ignore(signal) {
            call.warning(Error::system(format!("ignore {signal}"), errno).to_string());
        }
    }
    poll::readable(&[], None).map_err(|errno| Error::system("wait for a signal", errno))?;
    Ok(Exit::SUCCESS)
}

/// Signals by number, with any of `,:;`, blanks or newlines between them.
fn list(word: &OsStr) -> Result<Vec<Signal>, Failure> {
    let between = |byte: &u8| b",:; \t\r\n".contains(byte);
    let numbers = word.as_bytes().split(between).filter(|number| !number.is_empty());
    let signal = |number: &[u8]| {
        let digits = number.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(number).ok().filter(|_| digits)?;
        Signal::new(number.parse().ok()?)
    };
    let signals: Option<Vec<Signal>> = numbers.map(signal).collect();
    let wrong = || format!("option -p: {} is no list of signal numbers", quoted(word));
    signals.filter(|list| !list.is_empty()).ok_or_else(|| Failure::usage(wrong()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let read = |word: &str| list(OsStr::new(word)).ok();
        assert_eq!(read("15"), Some(vec![Signal::SIGTERM]));
        assert_eq!(
            read(",1: 2;,15\n"),
            Some(vec![Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM])
        );
        for wrong in ["", ",", "0", "65", "1,x", "+1", "TERM"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
