//! s6-logwatch: shows what a logger writes, when it does.
//!
//! `current` is held open. When something happens in the logdir, what it has more is printed; when the
//! name belongs to another file, the old one is read to its end first: its logger has written all
//! of it before it gave it another name.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::dir::{Dir, Open, stat};
use s6x_core::sys::inotify::Watch;
use s6x_core::sys::{fd, poll, signals};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// s6-logwatch.
pub static APPLET: Applet = Applet {
    name: "s6-logwatch",
    section: Section::Utilities,
    about: "Print what is in the current file of a logdir, and what is added, across rotations",
    options: &[value('m', "buflen", "nothing: what is there is printed at once")],
    arguments: "[ logdir ]",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "nobody reads our output any more")],
    run,
};

/// The file that a logger writes to.
const CURRENT: &str = "current";

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.number('m')?;
    call.warn_of_more_than(1);
    let path = call.rest.first().map_or(OsStr::new("."), |word| word);
    let failed = |verb: &'static str| move |errno| Error::on(verb, Path::new(path), errno);
    let watch = Watch::new(path).map_err(failed("watch"))?;
    let dir = Dir::open(path).map_err(failed("open"))?;
    signals::survive_broken_pipes();
    let mut reading = None;
    loop {
        watch.clear(); // before looking: what happens from here on is told again
        if !follow(&dir, &mut reading).map_err(failed("follow"))? {
            return Ok(Exit::SUCCESS);
        }
        let wait = poll::readable_while_read(watch.as_fd(), fd::standard(1));
        if !wait.map_err(|errno| Error::system("wait for events", errno))? {
            return Ok(Exit::SUCCESS);
        }
    }
}

/// Prints all that is there, and ends at the file that has the name now. `false`: nobody reads it.
fn follow(dir: &Dir, reading: &mut Option<OwnedFd>) -> Result<bool, Errno> {
    loop {
        let next = match dir.file(CURRENT, Open::ReadNow) {
            Ok(file) => Some(file),
            Err(Errno::NOT_FOUND) => None, // between two, or before the first
            Err(errno) => return Err(errno),
        };
        if let Some(old) = reading.as_ref() {
            match print(old) {
                Ok(()) => {}
                Err(Errno::BROKEN_PIPE) => return Ok(false),
                Err(errno) => return Err(errno),
            }
        }
        let Some(next) = next else { return Ok(true) };
        let same = match reading.as_ref() {
            Some(old) => stat(old)?.identity == stat(&next)?.identity,
            None => false,
        };
        if same {
            return Ok(true);
        }
        *reading = Some(next);
    }
}

/// Prints the rest of a file.
fn print(file: &OwnedFd) -> Result<(), Errno> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = fd::read(file, &mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        fd::write_all(fd::standard(1), buffer.get(..got).unwrap_or(&[]))?;
    }
}
