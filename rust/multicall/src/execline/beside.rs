//! background, pipeline: a block that runs on while the chain goes on.

use super::blocks::Blocks;
use super::{CHAIN_CODES, children, go_on};
use crate::chain::Beside;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::process::{self, Side};
use s6x_core::sys::wait::{self, Pid};
use s6x_core::sys::{fd, numbered};
use std::ffi::OsString;
use std::os::fd::AsFd;

/// What the exit codes of these commands mean.
const CODES: &[(&str, &str)] =
    &[("111", "the block cannot be run"), CHAIN_CODES[0], CHAIN_CODES[1]];

/// background.
pub static BACKGROUND: Applet = Applet {
    name: "background",
    section: Section::Execline,
    about: "Start a block, and run a program; ! is the block's process id",
    options: &[flag('d', "the block is nobody's child")],
    arguments: "{ block } prog...",
    syntax: Syntax::Posix,
    exit_codes: CODES,
    run: background,
};

/// pipeline.
pub static PIPELINE: Applet = Applet {
    name: "pipeline",
    about: "Start a block that writes to a pipe, and run a program that reads from it",
    options: &[
        flag('d', "the block is nobody's child"),
        flag('r', "the program reads (default)"),
        flag('w', "the program writes, and the block reads"),
    ],
    run: pipeline,
    ..BACKGROUND
};

fn background(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let block = blocks.filled("unterminated block")?;
    let beside = Beside::plain(&block, &call.environment);
    let orphaned = call.has('d') && !blocks.rest().is_empty();
    let pid = started(call, &beside, orphaned, &block)?;
    Ok(with_pid(call, pid, blocks.rest()))
}

fn pipeline(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let block = blocks.need("unterminated block")?;
    if blocks.rest().is_empty() {
        return Err(Failure::new(100, "empty remainder"));
    }
    if block.is_empty() {
        return Err(Failure::new(100, "empty block"));
    }
    let (reader, writer) = fd::pipe().map_err(|errno| Error::system("make a pipe", errno))?;
    let (its, its_number, ours, number) = if call.last_of("rw") == Some('w') {
        (reader, 0, writer, 1)
    } else {
        (writer, 1, reader, 0)
    };
    let beside = Beside {
        place: Some((its.as_fd(), its_number)),
        private: &[its.as_fd(), ours.as_fd()],
        ..Beside::plain(&block, &call.environment)
    };
    let pid = started(call, &beside, call.has('d'), &block)?;
    drop(its);
    numbered::install(ours, number)
        .map_err(|errno| Error::system(format!("put the pipe on descriptor {number}"), errno))?;
    Ok(with_pid(call, pid, blocks.rest()))
}

/// Goes on, a child's process id being `!`.
fn with_pid(call: &Invocation, pid: Pid, words: &[OsString]) -> Exit {
    let mut environment = call.environment.clone();
    environment.put("!", pid.number().to_string());
    go_on(words.to_vec(), environment)
}

fn started(
    call: &Invocation,
    beside: &Beside<'_>,
    orphaned: bool,
    block: &[OsString],
) -> Result<Pid, Failure> {
    let pid = if orphaned { start_orphan(call, beside) } else { beside.start(call) };
    pid.map_err(|errno| Failure::new(111, children::not_started(block, errno)))
}

/// Starts a block as nobody's child, by way of a process in between, which tells what became of it.
fn start_orphan(call: &Invocation, beside: &Beside<'_>) -> Result<Pid, Errno> {
    let (reader, writer) = fd::pipe()?;
    match process::fork()? {
        Side::Child => {
            let private = [beside.private, &[reader.as_fd(), writer.as_fd()]].concat();
            let beside = Beside { private: &private, ..*beside };
            let number = match beside.start(call) {
                Ok(pid) => pid.number(),
                Err(errno) => -errno.0,
            };
            let told = fd::write_all(&writer, &number.to_ne_bytes());
            process::exit_now(u8::from(told.is_err()))
        }
        Side::Parent(between) => {
            drop(writer);
            let told = fd::read_up_to(&reader, 4);
            wait::wait_for(between);
            let bytes: [u8; 4] = told?.try_into().map_err(|_| Errno::NO_PROCESS)?;
            let number = i32::from_ne_bytes(bytes);
            Pid::new(number).ok_or(Errno(-number))
        }
    }
}
