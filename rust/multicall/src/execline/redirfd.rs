//! redirfd: a program with a file open.

use super::{AUTOIMPORT, NO_AUTOIMPORT, go_on_with, variable};
use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::open::Opening;
use s6x_core::sys::{fd, numbered};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Options that have no letter.
const READ: char = '\u{1}';
const NO_READ: char = '\u{2}';
const WRITE: char = '\u{3}';
const NO_WRITE: char = '\u{4}';
const CREATE: char = '\u{5}';
const NO_CREATE: char = '\u{6}';
const APPEND: char = '\u{7}';
const NO_APPEND: char = '\u{8}';
const TRUNCATE: char = '\u{9}';
const NO_TRUNCATE: char = '\u{a}';
const EXCLUSIVE: char = '\u{b}';
const NO_EXCLUSIVE: char = '\u{c}';

const OPTIONS: &[Opt] = &[
    flag('r', "open the file for reading"),
    flag('w', "for writing anew; it is made if need be, and what it holds is dropped"),
    flag('u', "for both reading and writing"),
    flag('a', "for writing, at its end; it is made if need be"),
    flag('x', "for writing; it must not be there yet"),
    flag('N', "wait for what cannot be read or written yet (default)").long("block"),
    flag('n', "do not wait, not even for the other side of a FIFO").long("nonblock"),
    flag('b', "once it is open, wait where it did not, and the other way round")
        .long("switch-block"),
    flag('f', "leave the descriptor where it is, and put its number into the variable")
        .long("open"),
    NO_AUTOIMPORT.long("no-autoimport"),
    AUTOIMPORT.long("autoimport"),
    flag(READ, "for reading").long("read"),
    flag(NO_READ, "not for reading").long("no-read"),
    flag(WRITE, "for writing").long("write"),
    flag(NO_WRITE, "not for writing").long("no-write"),
    flag(CREATE, "make it if it is not there").long("create"),
    flag(NO_CREATE, "do not make it").long("no-create"),
    flag(APPEND, "write at its end").long("append"),
    flag(NO_APPEND, "write anywhere").long("no-append"),
    flag(TRUNCATE, "drop what it holds").long("trunc"),
    flag(NO_TRUNCATE, "keep what it holds").long("no-trunc"),
    flag(EXCLUSIVE, "fail if it is there already").long("excl"),
    flag(NO_EXCLUSIVE, "it may be there already").long("no-excl"),
];

/// redirfd.
pub static APPLET: Applet = Applet {
    name: "redirfd",
    section: Section::Execline,
    about: "Open a file under a descriptor's number, and run a program",
    options: OPTIONS,
    arguments: "fd|var file prog...",
    syntax: Syntax::Long,
    exit_codes: super::CHAIN_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let how = opening(call);
    let target = call.argument(0, "descriptor")?;
    let path = Path::new(call.argument(1, "file")?);
    let prog = call.rest.get(2..).filter(|prog| !prog.is_empty());
    let prog = prog.ok_or_else(|| Failure::usage("no program given"))?;
    if !how.read && !how.write {
        return Err(Failure::usage("one of -r, -w, -u, -a, -x says what to open the file for"));
    }
    let place = match number(target) {
        _ if call.has('f') => None,
        Some(place) => Some(place),
        None => return Err(Failure::usage("the descriptor is not a number")),
    };
    let file = open(how, path)?;
    if call.has('b') {
        fd::set_nonblocking(&file, !how.nonblocking)
            .map_err(|errno| Error::system("change blocking mode", errno))?;
    }
    if let Some(place) = place {
        let what = || format!("move {} to fd {place}", shown(path));
        numbered::install(file, place).map_err(|errno| Error::system(what(), errno))?;
        return Ok(call.chain(prog, call.environment.clone()));
    }
    let kept = numbered::release(file).map_err(|errno| Error::system("keep the file", errno))?;
    go_on_with(
        call,
        variable(target)?,
        Some(kept.to_string().as_ref()),
        prog,
        call.environment.clone(),
    )
}

/// What the options say in their order: the letters set all of it, the long names one thing each.
fn opening(call: &Invocation) -> Opening {
    let mut how = Opening::default();
    for (option, _) in &call.options {
        let fresh = Opening { nonblocking: how.nonblocking, ..Opening::default() };
        match *option {
            'r' => how = Opening { read: true, ..fresh },
            'w' => how = Opening { write: true, create: true, truncate: true, ..fresh },
            'u' => how = Opening { read: true, write: true, ..fresh },
            'a' => how = Opening { write: true, create: true, append: true, ..fresh },
            'x' => how = Opening { write: true, create: true, exclusive: true, ..fresh },
            'n' => how.nonblocking = true,
            'N' => how.nonblocking = false,
            READ | NO_READ => how.read = *option == READ,
            WRITE | NO_WRITE => how.write = *option == WRITE,
            CREATE | NO_CREATE => how.create = *option == CREATE,
            APPEND | NO_APPEND => how.append = *option == APPEND,
            TRUNCATE | NO_TRUNCATE => how.truncate = *option == TRUNCATE,
            EXCLUSIVE | NO_EXCLUSIVE => how.exclusive = *option == EXCLUSIVE,
            _ => {} // not about opening
        }
    }
    how
}

/// A FIFO that nobody reads cannot be opened for writing without waiting, but by who reads it itself.
fn open(how: Opening, path: &Path) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::from(Error::on("open", path, errno));
    match how.open(path) {
        Err(Errno::NO_READER) if how.write => {
            let reading = Opening { read: true, nonblocking: true, ..Opening::default() };
            let reader = reading.open(path).map_err(failed)?;
            let file = how.open(path);
            drop(reader);
            file.map_err(failed)
        }
        other => other.map_err(failed),
    }
}
