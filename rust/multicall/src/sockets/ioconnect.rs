//! s6-ioconnect: copies between standard input and output and a connection. The copying itself is in
//! the core, `run::relay`.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::run::relay::{Outcome, Route, relay};
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::fd;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// s6-ioconnect.
pub static APPLET: Applet = Applet {
    name: "s6-ioconnect",
    section: Section::Sockets,
    about: "Copy standard input to descriptor 7, and descriptor 6 to standard output",
    options: &[
        flag('0', "accepted, as sockets are recognised"),
        flag('1', "accepted, as sockets are recognised"),
        flag('6', "accepted, as sockets are recognised"),
        flag('7', "accepted, as sockets are recognised"),
        value('t', "ms", "give up when nothing happens for that many milliseconds (0: never)"),
        value('r', "fdr", "read from this descriptor (6)"),
        value('w', "fdw", "write to this descriptor (7)"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "both directions have ended"), ("1", "nothing happened for too long")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let idle = call.number('t')?.filter(|&ms| ms != 0);
    let idle = idle.map(|ms| Duration::from_millis(ms.into()));
    let (reads, writes) = (descriptor(call, 'r', 6)?, descriptor(call, 'w', 7)?);
    call.warn_of_more_than(0);
    // Taken before anything is opened that could get one of their numbers.
    let unusable =
        |number: i32| move |errno| Error::system(format!("use descriptor {number}"), errno);
    let from_there = fd::take_inherited(reads).map_err(unusable(reads))?;
    let to_there = match writes {
        same if same == reads => fd::duplicate(&from_there, 3),
        other => fd::take_inherited(other),
    }
    .map_err(unusable(writes))?;
    let from_here = leave(0)?;
    let to_here = leave(1)?;
    let routes = [
        Route { from: (from_here, 0), to: (to_there, writes) },
        Route { from: (from_there, reads), to: (to_here, 1) },
    ];
    Ok(match relay(routes, idle, &|message| call.warning(message))? {
        Outcome::Done => Exit::SUCCESS,
        Outcome::Idle => Exit::Code(1),
    })
}

/// The value of an option that names a descriptor.
fn descriptor(call: &Invocation, letter: char, usual: i32) -> Result<i32, Failure> {
    let Some(text) = call.value(letter) else { return Ok(usual) };
    let wrong = || {
        let text = text.to_string_lossy();
        Failure::usage(format!("option -{letter}: descriptor {text:?} must be a number from 3 up"))
    };
    let number = number(text).and_then(|number| i32::try_from(number).ok());
    number.filter(|&number| number >= 3).ok_or_else(wrong)
}

/// Takes a standard descriptor away from its number, so that closing it closes it.
fn leave(number: i32) -> Result<OwnedFd, Failure> {
    let take = || -> Result<OwnedFd, Errno> {
        let taken = fd::duplicate(fd::standard(number), 3)?;
        let how = if number == 0 { Open::Read } else { Open::ReadWrite };
        fd::place(open("/dev/null", how)?, number)?;
        Ok(taken)
    };
    take().map_err(|errno| Error::system(format!("use descriptor {number}"), errno).into())
}
