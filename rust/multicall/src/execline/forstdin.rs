//! forstdin, forbacktickx: a program for each record of a stream.

use super::blocks::Blocks;
use super::crew::{self, AT_MOST, Crew, END_AT, GO_ON_AT, PARALLEL};
use super::{AUTOIMPORT, NO_AUTOIMPORT, children, filled_variable};
use crate::chain::Beside;
use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::execline::records::{Broken, Form, Records};
use s6x_core::sys::{fd, poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The most that run at a time, whatever is asked for: a stream may have no end.
const MOST: u32 = 10_000;

const OPTIONS: &[Opt] = &[
    AUTOIMPORT,
    NO_AUTOIMPORT,
    PARALLEL,
    AT_MOST,
    GO_ON_AT,
    END_AT,
    flag('N', "a record has its delimiter with it; the last one may have none"),
    flag('n', "it has not, and what is behind the last delimiter is lost (default)"),
    flag('C', "a record of nothing but its delimiter is none"),
    flag('c', "it is an empty one (default)"),
    flag('0', "records end with a NUL"),
    value('d', "delimiters", "what ends a record (a newline); none: netstrings"),
];

/// forstdin.
pub static FORSTDIN: Applet = Applet {
    name: "forstdin",
    section: Section::Execline,
    about: "Run a program once for each line of standard input, which it has in a variable",
    options: OPTIONS,
    arguments: "variable prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "there was no line"),
        crew::CODES[0],
        ("111", "the program cannot be run, or what should be a netstring is none"),
    ],
    run: forstdin,
};

/// forbacktickx.
pub static FORBACKTICKX: Applet = Applet {
    name: "forbacktickx",
    about: "Run a program once for each line that a block writes, which it has in a variable",
    arguments: "variable { block } prog...",
    run: forbacktickx,
    ..FORSTDIN
};

fn forstdin(call: &Invocation) -> Result<Exit, Failure> {
    let most = crew::at_a_time(call, MOST)?;
    crew::Ending::of(call)?;
    let name = call.argument(0, "variable")?;
    call.argument(1, "program")?;
    let name = filled_variable(name)?;
    let crew = Crew::new(call, name, call.rest.get(1..).unwrap_or(&[]), most)?;
    each(call, crew, fd::standard(0))
}

/// A pipeline of the block and a loop whose children have our own standard input, not the pipe.
fn forbacktickx(call: &Invocation) -> Result<Exit, Failure> {
    let most = crew::at_a_time(call, MOST)?;
    crew::Ending::of(call)?;
    let name = call.argument(0, "variable")?;
    call.argument(1, "block")?;
    let name = filled_variable(name)?;
    let mut blocks = Blocks::of(call, call.rest.get(1..).unwrap_or(&[]));
    let block = blocks.filled("unterminated block")?;
    let reader = started(call, &block)?;
    let private = [reader.as_fd()];
    let mut crew = Crew::new(call, name, blocks.rest(), most)?;
    crew.private = &private;
    crew.is_late = true;
    crew.environment.take("!");
    each(call, crew, reader.as_fd())
}

/// Starts the block; where to read what it writes.
fn started(call: &Invocation, block: &[std::ffi::OsString]) -> Result<OwnedFd, Failure> {
    let input = second_input()?;
    let (reader, writer) = fd::pipe().map_err(|errno| Error::system("make a pipe", errno))?;
    let beside = Beside {
        place: Some((writer.as_fd(), 1)),
        private: &[reader.as_fd(), writer.as_fd()],
        ..Beside::plain(block, &call.environment)
    };
    beside.start(call).map_err(|errno| Failure::new(111, children::not_started(block, errno)))?;
    drop(input);
    Ok(reader)
}

/// What the original keeps for the loop's children, and scripts may see: the block has standard input twice.
fn second_input() -> Result<Option<OwnedFd>, Failure> {
    let failed = |errno| Failure::from(Error::system("dup stdin", errno));
    match fd::duplicate(fd::standard(0), 0) {
        Ok(input) => fd::keep_across_exec(&input).map(|()| Some(input)).map_err(failed),
        Err(Errno::NOT_OPEN) => Ok(None),
        Err(errno) => Err(failed(errno)),
    }
}

/// Runs the loop over a stream.
fn each(call: &Invocation, mut crew: Crew<'_>, stream: BorrowedFd<'_>) -> Result<Exit, Failure> {
    let broken = |broken: Broken| Failure::new(111, format!("unable to read a record: {broken}"));
    let mut records = Records::new(form(call));
    let mut buffer = [0; 16384];
    let mut seen = false;
    loop {
        let got = read(stream, &mut buffer)?;
        records.feed(buffer.get(..got).unwrap_or(&[]));
        while let Some(record) = records.record().map_err(broken)? {
            seen = true;
            if let Some(code) = crew.take(&record)? {
                return Ok(Exit::Code(code));
            }
        }
        if got > 0 {
            continue;
        }
        if let Some(record) = records.last().map_err(broken)? {
            seen = true;
            if let Some(code) = crew.take(&record)? {
                return Ok(Exit::Code(code));
            }
        }
        crew.finish()?;
        return Ok(Exit::Code(u8::from(!seen)));
    }
}

fn form(call: &Invocation) -> Form {
    let delimiters = match (call.last_of("0d"), call.value('d')) {
        (Some('0'), _) => vec![0],
        (Some(_), Some(delimiters)) => delimiters.as_bytes().to_vec(),
        (Some(_), None) | (None, _) => vec![b'\n'],
    };
    Form {
        delimiters,
        whole: call.last_of("nN") == Some('N'),
        crunch: call.last_of("cC") == Some('C'),
    }
}

/// Reads some more, also where somebody has made reading not wait.
fn read(stream: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Failure> {
    let failed = |errno| Failure::from(Error::system("read the input", errno));
    loop {
        match fd::read(stream, buffer) {
            Err(Errno::AGAIN) => drop(poll::readable(&[stream], None).map_err(failed)?),
            other => return other.map_err(failed),
        }
    }
}
