//! trap: a block for each signal, while a program runs.

use super::blocks::Blocks;
use super::children;
use crate::chain::Beside;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::error::shown;
use s6x_core::sys::clock;
use s6x_core::sys::held::HeldSignals;
use s6x_core::sys::wait::{self, Pid};
use s6x_core::wire::signal::Signal;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// trap.
pub static APPLET: Applet = Applet {
    name: "trap",
    section: Section::Execline,
    about: "Run a program, and a block whenever a signal comes meanwhile",
    options: &[flag('x', "hand signals that have no block on to the program")],
    arguments: "{ signal { block... } ... } prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("N", "the program's code, or 128 and the signal that killed it"),
        ("111", "the program or a block cannot be run"),
    ],
    run,
};

/// The block of each signal.
type Handlers = BTreeMap<Signal, Vec<OsString>>;

/// The process of each signal's block, as far as we know.
type Running = BTreeMap<Signal, Pid>;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "block")?;
    let mut blocks = Blocks::of(call, &call.rest);
    let directives = blocks.filled("unterminated block")?;
    if blocks.rest().is_empty() {
        return Err(Failure::usage("no program given"));
    }
    let handlers = handlers(&blocks, &directives)?;
    let wanted = |signal: &Signal| call.has('x') || handlers.contains_key(signal);
    let watched: Vec<Signal> = catchable().filter(wanted).collect();
    // Two sets: whatever came before the program's end is answered before that is looked for.
    let events = HeldSignals::new(&watched);
    let all: Vec<Signal> = watched.iter().copied().chain([Signal::SIGCHLD]).collect();
    let all = HeldSignals::new(&all);
    let program = start(call, blocks.rest(), &[])?;
    let mut running = Running::new();
    loop {
        let first = all.next(None).filter(|signal| *signal != Signal::SIGCHLD);
        let mut came = first.or_else(|| events.next(Some(clock::monotonic())));
        while let Some(signal) = came {
            answer(call, signal, &handlers, program, &mut running)?;
            came = events.next(Some(clock::monotonic()));
        }
        while let Some((pid, status)) = wait::next_dead() {
            running.retain(|_, other| *other != pid);
            if pid == program {
                // What came just before; it has nobody any more to be handed on to.
                while let Some(signal) = events.next(Some(clock::monotonic())) {
                    if handlers.contains_key(&signal) {
                        answer(call, signal, &handlers, program, &mut running)?;
                    }
                }
                return Ok(Exit::Code(status.folded()));
            }
        }
    }
}

/// Runs a signal's block, unless it runs already.
fn answer(
    call: &Invocation,
    signal: Signal,
    handlers: &Handlers,
    program: Pid,
    running: &mut Running,
) -> Result<(), Failure> {
    let Some(words) = handlers.get(&signal) else {
        let _ = program.kill(signal); // it may have ended just now
        return Ok(());
    };
    let runs = running.get(&signal).is_some_and(|pid| wait::reap(*pid).is_none());
    if words.is_empty() || runs {
        return Ok(());
    }
    let variables = [("!", program.number().to_string()), ("SIGNAL", signal.number().to_string())];
    let pid = start(call, words, &variables)?;
    running.insert(signal, pid);
    Ok(())
}

fn start(
    call: &Invocation,
    words: &[OsString],
    variables: &[(&str, String)],
) -> Result<Pid, Failure> {
    let mut environment = call.environment.clone();
    for (name, value) in variables {
        environment.put(name, value);
    }
    let beside = Beside { keeps_mask: false, ..Beside::plain(words, &environment) };
    beside.start(call).map_err(|errno| Failure::new(111, children::not_started(words, errno)))
}

/// Reads the directives: a signal's name, and its block.
fn handlers(outer: &Blocks<'_>, directives: &[OsString]) -> Result<Handlers, Failure> {
    let (mut handlers, mut default) = (Handlers::new(), None);
    let mut blocks = outer.within(directives);
    while let Some((name, rest)) = blocks.rest().split_first() {
        let name_shown = shown(Path::new(name));
        let wrong = |what: &str| Failure::new(100, format!("{what}: {name_shown}"));
        let Some(signal) = directive(name) else {
            return Err(wrong("unrecognized directive"));
        };
        blocks.go_to(rest);
        let unterminated = format!("unterminated internal block for directive {name_shown}");
        let words = blocks.need(&unterminated)?;
        let is_new = match signal {
            None => default.replace(words).is_none(),
            Some(signal) if catchable().any(|other| other == signal) => {
                handlers.insert(signal, words).is_none()
            }
            Some(signal) => {
                let number = signal.number();
                return Err(Failure::new(100, format!("{signal} ({number}) cannot be trapped")));
            }
        };
        if !is_new {
            return Err(wrong("duplicate directive"));
        }
    }
    if let Some(words) = default {
        for signal in catchable() {
            handlers.entry(signal).or_insert_with(|| words.clone());
        }
    }
    Ok(handlers)
}

/// A signal, or `None` for all others.
#[expect(clippy::option_option, reason = "the outer one is whether it is any directive")]
fn directive(name: &OsStr) -> Option<Option<Signal>> {
    let name = name.to_str()?;
    if name.eq_ignore_ascii_case("default") { Some(None) } else { Signal::parse(name).map(Some) }
}

/// The signals that can be answered. SIGCHLD is what tells us of ends; 32 and 33 are the C library's own.
fn catchable() -> impl Iterator<Item = Signal> {
    let never = [Signal::SIGKILL, Signal::SIGSTOP, Signal::SIGCHLD];
    let numbers = (1..=31).chain(34..=64).filter_map(Signal::new);
    numbers.filter(move |signal| !never.contains(signal))
}
