//! s6-ftrig-listen: runs a program and waits for events from several directories.

use super::listening::{self, Listening};
use super::waiting;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::execline::block;

/// s6-ftrig-listen.
pub static APPLET: Applet = Applet {
    name: "s6-ftrig-listen",
    section: Section::Notification,
    about: "Subscribe to event directories, run a program, and wait for matching events",
    options: &[
        flag('a', "wait for all of them (default)").long("and"),
        flag('o', "wait for one of them").long("or"),
        listening::LIMIT,
    ],
    arguments: "fifodir1 regexp1 ... \"\" prog...",
    syntax: Syntax::Long,
    exit_codes: &[("1", "timed out")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let deadline = waiting::deadline(call, 't')?;
    call.argument(0, "fifodir")?;
    let (words, prog) = block::split(&call.rest).ok_or_else(|| {
        Failure::usage("unterminated fifodir and regexp block: an empty word must end it")
    })?;
    let (pairs, odd) = words.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Err(Failure::usage("every fifodir needs its regexp"));
    }
    if prog.is_empty() {
        return Err(Failure::usage("no prog given"));
    }
    let pairs = pairs.iter().map(|[directory, expression]| (&**directory, &**expression));
    let listening = Listening::to(pairs)?;
    waiting::start(call, prog)?;
    listening.finish(waiting::enough(call), deadline, |_| Ok(()))
}
