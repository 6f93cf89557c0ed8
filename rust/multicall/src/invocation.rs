//! One call of an applet: its words, its environment, and what it says.

use crate::applet::Applet;
use crate::exit::{Exec, Exit, Failure};
use s6x_core::error::Errno;
use s6x_core::model::scan_dir;
use s6x_core::sys::title::Title;
use s6x_core::sys::{clock, fd};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// What an applet gets.
#[derive(Debug)]
pub struct Invocation {
    /// The applet, for its name in messages.
    pub applet: &'static Applet,
    /// The word that it was called by.
    pub called: OsString,
    /// The options in their order.
    pub options: Vec<(char, Option<OsString>)>,
    /// The words behind the options.
    pub rest: Vec<OsString>,
    /// The environment that we were started with.
    pub environment: Environment,
    /// What `ps` shows of us, for daemons that change it.
    pub title: Option<Title>,
    /// Called as `s6x WORD` rather than by its own name: services may be given by name.
    pub as_word: bool,
}

impl Invocation {
    /// Whether an option was given.
    pub fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(given, _)| *given == letter)
    }

    /// The value of an option; the last one counts.
    pub fn value(&self, letter: char) -> Option<&OsStr> {
        self.options.iter().rev().find(|(given, _)| *given == letter)?.1.as_deref()
    }

    /// The last of these letters that was given, for options that override each other.
    pub fn last_of(&self, letters: &str) -> Option<char> {
        self.options.iter().rev().map(|(given, _)| *given).find(|given| letters.contains(*given))
    }

    /// The value of an option as a number; the last one counts.
    pub fn number(&self, letter: char) -> Result<Option<u32>, Failure> {
        self.value(letter)
            .map(|text| {
                let wrong = || format!("option -{letter}: {} is not a number", quoted(text));
                number(text).ok_or_else(|| Failure::usage(wrong()))
            })
            .transpose()
    }

    /// The same of a number that may need 64 bits.
    pub fn large_number(&self, letter: char) -> Result<Option<u64>, Failure> {
        let parse = |text: &OsStr| {
            let digits = text.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            let wrong = || format!("option -{letter}: {} is not a number", quoted(text));
            let number = digits.and_then(|text| text.parse().ok());
            number.ok_or_else(|| Failure::usage(wrong()))
        };
        self.value(letter).map(parse).transpose()
    }

    /// When the milliseconds that are an option's value will have passed, counted from now. `None`:
    /// never, as it was not given or is 0 (contract s6 §0).
    pub fn deadline(&self, letter: char) -> Result<Option<Monotonic>, Failure> {
        let limit = self.number(letter)?.filter(|&limit| limit != 0);
        Ok(limit.map(|limit| clock::monotonic() + Duration::from_millis(limit.into())))
    }

    /// An argument that must be there, with its name in the usage.
    pub fn argument(&self, index: usize, name: &str) -> Result<&OsStr, Failure> {
        let word = self.rest.get(index).map(OsString::as_os_str);
        word.ok_or_else(|| Failure::usage(format!("no {name} given")))
    }

    /// The only argument.
    pub fn only_argument(&self, name: &str) -> Result<&OsStr, Failure> {
        let word = self.argument(0, name)?;
        self.warn_of_more_than(1);
        Ok(word)
    }

    /// Arguments that nobody reads are a mistake worth a warning; the originals ignore them.
    pub fn warn_of_more_than(&self, count: usize) {
        if let Some(word) = self.rest.get(count) {
            self.warning(format!("ignoring {} and what follows it", quoted(word)));
        }
    }

    /// A service directory given by an argument: a path, and if we were called as `s6x WORD`, also
    /// the name of a service in the running scan directory.
    pub fn service(&self, word: &OsStr) -> Result<PathBuf, Failure> {
        if self.as_word {
            return Ok(scan_dir::service(word, &self.environment)?);
        }
        Ok(PathBuf::from(word))
    }

    /// The end of a chain loader: become `argv` with this environment.
    pub fn chain(&self, argv: &[OsString], environment: Environment) -> Exit {
        Exit::Exec(Exec::new(argv.to_vec(), environment))
    }

    /// Prints to standard output, all of it.
    pub fn print(&self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        let failed =
            |errno: Errno| Failure::new(111, format!("unable to write to stdout: {errno}"));
        fd::write_out(text.as_ref()).map_err(failed)
    }

    /// `PROG: warning: message`.
    pub fn warning(&self, message: impl AsRef<str>) {
        self.tell("warning", message.as_ref());
    }

    /// `PROG: info: message`.
    pub fn info(&self, message: impl AsRef<str>) {
        self.tell("info", message.as_ref());
    }

    fn tell(&self, level: &str, message: &str) {
        fd::complain(&format!("{}: {level}: {message}\n", self.applet.name));
    }

    /// Reports a failure and gives its exit code.
    pub(crate) fn failed(&self, failure: &Failure) -> u8 {
        report(self.applet, failure)
    }
}

/// Prints a text that was asked for, and returns the exit code.
pub(crate) fn show(name: &str, text: &str) -> u8 {
    match fd::write_out(text.as_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            fd::complain(&format!("{name}: fatal: unable to write to stdout: {errno}\n"));
            111
        }
    }
}

/// Reports a failure in one write and gives its exit code.
pub(crate) fn report(applet: &Applet, failure: &Failure) -> u8 {
    let name = applet.name;
    let usage =
        if failure.usage { format!("{name}: usage: {}\n", applet.usage()) } else { String::new() };
    fd::complain(&format!("{usage}{name}: fatal: {}\n", failure.message));
    failure.code
}

/// An unsigned decimal number filling the whole word (contract s6 §0).
pub fn number(text: &OsStr) -> Option<u32> {
    let text = text.to_str()?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// An unsigned octal number filling the whole word, as modes are given.
pub fn octal(text: &OsStr) -> Option<u32> {
    let text = text.to_str().filter(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'7')))?;
    u32::from_str_radix(text, 8).ok()
}

/// A word as messages show it: quoted, control characters escaped.
pub fn quoted(word: &OsStr) -> String {
    format!("{:?}", word.to_string_lossy())
}
