//! execlineb: runs a script.

use super::arguments::{self, Arguments};
use super::{CHAIN_CODES, go_on, too_long};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::shown;
use s6x_core::execline::frame::{self, Frame, NoVariable};
use s6x_core::execline::script::{Lexer, Mistake, ScriptError};
use s6x_core::execline::strict::{self, Strictness};
use s6x_core::sys::dir::{self, Open};
use s6x_core::sys::fd;
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// execlineb.
pub static APPLET: Applet = Applet {
    name: "execlineb",
    section: Section::Execline,
    about: "Run an execline script",
    options: &[
        flag('p', "replace the positional parameters, rather than keep those of an outer script"),
        flag('P', "leave the positional parameters alone"),
        value('S', "n", "replace $#, $0, $@, $1 and so on, at least up to n, in the script itself"),
        value('s', "n", "the same, and $@ is what comes behind the first n"),
        flag('q', "remove EXECLINE_STRICT"),
        flag('w', "set EXECLINE_STRICT to 1: commands warn about what is odd"),
        flag('W', "set EXECLINE_STRICT to 2: commands fail at what is odd"),
        flag('e', "does nothing, for compatibility"),
        value('c', "script", "run this text instead of a file"),
    ],
    arguments: "file args...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("100", "wrong usage, or a mistake in the script"),
        ("111", "the script cannot be read"),
        CHAIN_CODES[0],
        CHAIN_CODES[1],
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let (whole, rest) = (call.number('S')?, call.number('s')?);
    let (name, args, words) = if let Some(text) = call.value('c') {
        (call.called.clone(), call.rest.clone(), words_of(text)?)
    } else {
        let file = call.argument(0, "script")?;
        let args = call.rest.get(1..).unwrap_or(&[]).to_vec();
        (file.to_owned(), args, words_in(Path::new(file))?)
    };
    if words.is_empty() {
        return Ok(Exit::SUCCESS);
    }
    let (mut environment, strictness) = strictness(call);
    let least = match call.last_of("pPSs") {
        Some('S') => whole,
        Some('s') => rest,
        Some(_) | None => None,
    };
    if let Some(least) = least {
        let skipped = if call.last_of("Ss") == Some('s') { least } else { 0 };
        let given = u32::try_from(args.len()).unwrap_or(u32::MAX);
        arguments::enough(call, given, least, strictness, "expecting")?;
        let arguments = Arguments::new(name, args, least).skipping(skipped);
        return super::substitute(&words, &arguments, environment);
    }
    match call.last_of("pP") {
        Some('P') => {}
        pushed => {
            if pushed.is_none() {
                environment = pushed_down(&environment)?;
            }
            Frame { zero: name, words: args }.set(&mut environment);
        }
    }
    Ok(go_on(words, environment))
}

fn pushed_down(environment: &Environment) -> Result<Environment, Failure> {
    let odd = |NoVariable| {
        let message = "unable to keep the positional parameters: the environment has an entry that \
                       begins like one and is no variable";
        Failure::new(111, message)
    };
    frame::push(environment, frame::POSITIONALS).map_err(odd)
}

/// The environment to pass on, and how strict we are ourselves: unlike commands, we warn unless told
/// otherwise.
fn strictness(call: &Invocation) -> (Environment, Strictness) {
    let mut environment = call.environment.clone();
    match call.last_of("qwW") {
        Some('q') => environment.take(strict::VARIABLE),
        Some('w') => environment.put(strict::VARIABLE, "1"),
        Some(_) => environment.put(strict::VARIABLE, "2"),
        None if Strictness::is_misspelt(&environment) => {
            call.warning("invalid EXECLINE_STRICT value, unsetting it");
            environment.take(strict::VARIABLE);
        }
        None => {}
    }
    let unset = environment.lookup(strict::VARIABLE).is_none();
    let strictness = if unset && call.last_of("qwW").is_none() {
        Strictness::Warns
    } else {
        Strictness::of(&environment)
    };
    (environment, strictness)
}

/// The words of a script given as a word.
fn words_of(text: &OsStr) -> Result<Vec<OsString>, Failure> {
    let mut lexer = Lexer::new();
    lexer.feed(text.as_bytes()).map_err(|error| wrong(error, None))?;
    finished(lexer, None)
}

/// The words of a script in a file, which is closed again.
fn words_in(path: &Path) -> Result<Vec<OsString>, Failure> {
    let file = dir::open(path, Open::Read).map_err(|errno| {
        Failure::new(111, format!("unable to open {} for reading: {errno}", shown(path)))
    })?;
    let mut lexer = Lexer::new();
    let mut buffer = [0; 4096];
    loop {
        let got = fd::read(&file, &mut buffer).map_err(|errno| {
            let name = shown(path);
            Failure::new(111, format!("unable to parse script in file {name}: {errno}"))
        })?;
        if got == 0 {
            return finished(lexer, Some(path));
        }
        let read = buffer.get(..got).unwrap_or(&[]);
        lexer.feed(read).map_err(|error| wrong(error, Some(path)))?;
    }
}

fn finished(lexer: Lexer, path: Option<&Path>) -> Result<Vec<OsString>, Failure> {
    let first = lexer.first_word();
    match lexer.finish() {
        Ok(script) => Ok(script.words),
        Err(ScriptError { mistake: Mistake::TooLong, .. }) => Err(too_long(&[first])),
        Err(error) => Err(wrong(error, path)),
    }
}

/// A mistake in a script, as the original tells it, and where it is.
fn wrong(error: ScriptError, path: Option<&Path>) -> Failure {
    let file = path.map(|path| format!(" in file {}", shown(path))).unwrap_or_default();
    let why = match error.mistake {
        Mistake::Syntax(why) => format!(": {why}"),
        Mistake::Open | Mistake::Close | Mistake::TooLong => String::new(),
    };
    Failure::new(100, format!("{}{file} at {}{why}", error.mistake, error.place))
}
