//! The container's output: what init says, and what the scripts of boot say through it.
//!
//! A script of boot writes into pipes that init reads, so that a report can tell its last lines. Nothing
//! else changes for it: what it writes goes to where stdout and stderr of the container lead, byte for
//! byte, and before anything that init says after its end. Where both lead to the same place, the script
//! has one pipe for both, and their order is kept. A terminal it keeps for itself. What a script leaves
//! running may go on writing for as long as the container lives.
//!
//! Init is its own relay here because it never waits: it reads only what it can pass on. When the reader
//! of the container's output has stopped, the pipe fills, and the script waits, as it would without us.
//! A process in between would cost a fork and its memory, and its death would take the writers along.

use super::output::{CHUNK, Output};
use super::tail::Tail;
use crate::error::Errno;
use crate::sys::poll::{self, Wish};
use crate::sys::{clock, dir, fd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// How many chunks of one script are passed on before others have their turn: a pipe's worth.
const ROUNDS: usize = 16;
/// With so many pipes of processes that scripts left running, later scripts write directly.
const MOST_PIPES: usize = 64;
/// What may be in a pipe whose size the system does not tell.
const USUAL_PIPE: usize = 64 * 1024;
/// How long the last lines of a container may take to be read.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where the output of a script goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Through us.
    All,
    /// To the terminal, at least in part.
    Terminal,
    /// To the container's own stdout and stderr, because there is no pipe.
    Nothing,
}

/// The container's stdout and stderr.
#[derive(Debug)]
pub(super) struct Console {
    /// The two that there are now come last. Earlier ones stay, at their place, for as long as somebody
    /// writes to them.
    outputs: Vec<Option<Output>>,
    /// Which of the two are terminals.
    terminals: [bool; 2],
    /// Whether both lead to the same place.
    same: bool,
    pipes: Vec<Pipe>,
    tail: Tail,
    heard: Heard,
}

/// What some script, or what it left running, writes.
#[derive(Debug)]
struct Pipe {
    reader: OwnedFd,
    /// 0 for stdout, 1 for stderr.
    stream: usize,
    /// Where it goes: a place in [`Console::outputs`].
    to: usize,
    /// Whether it is that of the unit that runs.
    is_current: bool,
    /// How much of it may have been written before the unit's end.
    owed: usize,
    has_ended: bool,
}

impl Console {
    /// What descriptors 1 and 2 lead to now.
    pub(super) fn new() -> Console {
        let identity = |number| dir::stat(fd::standard(number)).map(|stat| stat.identity);
        Console {
            outputs: [1, 2].map(|number| Some(Output::new(number))).into(),
            terminals: [1, 2].map(|number| fd::is_terminal(fd::standard(number))),
            same: identity(1).is_ok_and(|first| identity(2) == Ok(first)),
            pipes: Vec::new(),
            tail: Tail::default(),
            heard: Heard::Nothing,
        }
    }

    /// Descriptors 1 and 2 have become something else. What scripts left running writes to where it
    /// wrote before.
    pub(super) fn reopen(&mut self) {
        let new = Console::new();
        self.outputs.extend(new.outputs);
        (self.terminals, self.same) = (new.terminals, new.same);
        self.let_go();
    }

    /// Prints on stdout, without waiting.
    pub(super) fn say(&mut self, text: &[u8]) {
        self.print(0, text);
    }

    /// Prints on stderr, without waiting.
    pub(super) fn complain(&mut self, text: &[u8]) {
        self.print(1, text);
    }

    fn print(&mut self, stream: usize, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.pass_on();
        let at = self.place(stream);
        if let Some(Some(output)) = self.outputs.get_mut(at) {
            output.print(text);
        }
    }

    /// The place of one of the streams that there are now.
    fn place(&self, stream: usize) -> usize {
        self.outputs.len() - 2 + stream
    }

    /// Pipes for a script that is about to be started: what to place where. Where it gets none, it
    /// writes to our own descriptors.
    pub(super) fn open_pipes(&mut self) -> Vec<(OwnedFd, RawFd)> {
        self.forget();
        self.heard = if self.terminals.contains(&true) { Heard::Terminal } else { Heard::All };
        let mut writers: Vec<(OwnedFd, RawFd)> = Vec::new();
        for (stream, number) in [(0, 1), (1, 2)] {
            if self.terminals.get(stream) == Some(&true) {
                continue;
            }
            let writer = match writers.first() {
                Some((first, _)) if self.same => fd::duplicate(first, 3),
                _ => self.open_pipe(stream),
            };
            match writer {
                Ok(writer) => writers.push((writer, number)),
                Err(_) => self.heard = Heard::Nothing,
            }
        }
        writers
    }

    /// The unit that ran is not listened to any more; what it left running is passed on.
    pub(super) fn forget(&mut self) {
        self.tail.clear();
        self.heard = Heard::Nothing;
        for pipe in &mut self.pipes {
            (pipe.is_current, pipe.owed) = (false, 0);
        }
    }

    fn open_pipe(&mut self, stream: usize) -> Result<OwnedFd, Errno> {
        if self.pipes.len() >= MOST_PIPES {
            return Err(Errno(libc::EMFILE));
        }
        let (reader, writer) = fd::pipe()?;
        fd::set_nonblocking(&reader, true)?;
        // Programs that gave up our rights may open /dev/stdout and /dev/stderr, too.
        let _ = dir::chmod(&writer, 0o622);
        let to = self.place(stream);
        self.pipes.push(Pipe { reader, stream, to, is_current: true, owed: 0, has_ended: false });
        Ok(writer)
    }

    /// The unit has ended: all that it wrote is in the pipes now.
    pub(super) fn unit_ended(&mut self) {
        for pipe in self.pipes.iter_mut().filter(|pipe| pipe.is_current) {
            pipe.owed = fd::pipe_size(&pipe.reader).unwrap_or(USUAL_PIPE);
        }
        self.pass_on();
    }

    /// Whether all that the ended unit wrote was passed on.
    pub(super) fn is_settled(&self) -> bool {
        self.pipes.iter().all(|pipe| pipe.owed == 0)
    }

    /// The last lines of the unit, and where its output went.
    pub(super) fn last_lines(&self, most: usize) -> (Vec<String>, Heard) {
        (self.tail.last(most), self.heard)
    }

    /// What to wait for: what can be read where it can be passed on, what can be written where
    /// something waits for that.
    pub(super) fn wishes(&self) -> impl Iterator<Item = (BorrowedFd<'_>, Wish)> {
        let readers = self.pipes.iter().filter(|pipe| self.is_idle(pipe.to));
        let readers = readers.map(|pipe| (pipe.reader.as_fd(), Wish::Read));
        let busy = self.outputs.iter().flatten().filter(|output| !output.is_idle());
        readers.chain(busy.map(|output| (output.target(), Wish::Write)))
    }

    fn is_idle(&self, place: usize) -> bool {
        self.outputs.get(place).and_then(Option::as_ref).is_none_or(Output::is_idle)
    }

    /// Passes on what can be passed on now.
    pub(super) fn pass_on(&mut self) {
        for output in self.outputs.iter_mut().flatten() {
            output.flush();
        }
        for pipe in &mut self.pipes {
            if let Some(Some(output)) = self.outputs.get_mut(pipe.to) {
                pipe.pass_on(output, &mut self.tail);
            }
        }
        let before = self.pipes.len();
        self.pipes.retain(|pipe| !pipe.has_ended);
        if self.pipes.len() < before {
            self.let_go();
        }
    }

    /// Closes outputs of earlier that nobody uses any more.
    fn let_go(&mut self) {
        let current = self.outputs.len() - 2;
        for (place, output) in self.outputs.iter_mut().enumerate().take(current) {
            if self.pipes.iter().all(|pipe| pipe.to != place) {
                *output = None;
            }
        }
    }

    /// Before the end: gives a slow reader a moment.
    pub(super) fn finish(&mut self) {
        let end = clock::monotonic() + FAREWELL;
        loop {
            self.pass_on();
            let now = clock::monotonic();
            if self.outputs.iter().flatten().all(Output::is_idle) || now >= end {
                return;
            }
            let _ = poll::readable(&[], Some(now + Duration::from_millis(5)));
        }
    }
}

impl Pipe {
    /// Reads and prints, for as long as it goes on without waiting. A line that does not fit into a
    /// chunk as a whole begins the next one: on a pipe, then, no line of a service comes in between.
    fn pass_on(&mut self, output: &mut Output, tail: &mut Tail) {
        let mut buffer = [0; CHUNK];
        let mut held = 0;
        for _ in 0..ROUNDS {
            if !output.is_idle() {
                break;
            }
            let room = buffer.get_mut(held..).unwrap_or_default();
            let wanted = room.len();
            let got = match fd::read(&self.reader, room) {
                Ok(got @ 1..) => got,
                Err(Errno::AGAIN) => {
                    self.owed = 0;
                    break;
                }
                Ok(0) | Err(_) => {
                    (self.owed, self.has_ended) = (0, true);
                    break;
                }
            };
            self.owed = self.owed.saturating_sub(got);
            if self.is_current {
                tail.take(self.stream, buffer.get(held..held + got).unwrap_or_default());
            }
            let filled = held + got;
            let end = if got == wanted { end_of_lines(&buffer) } else { filled };
            output.print(buffer.get(..end).unwrap_or_default());
            buffer.copy_within(end..filled, 0);
            held = filled - end;
        }
        output.print(buffer.get(..held).unwrap_or_default());
    }
}

/// Where the last whole line of a full buffer ends; its end if it holds none.
fn end_of_lines(buffer: &[u8]) -> usize {
    buffer.iter().rposition(|&byte| byte == b'\n').map_or(buffer.len(), |at| at + 1)
}
