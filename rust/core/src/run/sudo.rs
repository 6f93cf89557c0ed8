//! s6-sudod and s6-sudoc: a program that runs where the server is, with its rights and environment, on
//! the client's descriptors (contract s6 §1.9). No program is set-uid: the rights are those of whoever
//! serves the socket, and who may ask is up to the socket and its access rules.

use super::channel::Channel;
use crate::error::{Errno, Error, Result};
use crate::sys::dir::{Open, open};
use crate::sys::poll::{self, Wish};
use crate::sys::signals::{self, SignalFd};
use crate::sys::spawn::Launch;
use crate::sys::wait::{Pid, reap};
use crate::sys::{fd, local};
use crate::wire::clock::Monotonic;
use crate::wire::environment::Environment;
use crate::wire::message::Message;
use crate::wire::signal::Signal;
use crate::wire::sudo::{
    DESCRIPTORS, GREETING, LONGEST, Request, STATUS, Wrong, pack_status, unpack_status,
};
use crate::wire::wait_status::WaitStatus;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// What a server does for its client.
#[derive(Debug)]
pub struct Service<'a> {
    /// The beginning of the command line; the client has the end.
    pub words: Vec<CString>,
    /// The environment, and which of the client's variables it takes.
    pub environment: &'a Environment,
    /// Which of the client's descriptors are not used: input and output are `/dev/null` then, error
    /// output is ours.
    pub spared: [bool; DESCRIPTORS],
    /// Whether the program goes on when the client has gone.
    pub outlives: bool,
    /// When the client must have said what it wants.
    pub deadline: Option<Monotonic>,
}

/// How serving a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// The program has ended.
    Ended,
    /// The client has gone, and the program was told to end.
    Left,
}

/// Serves the client on standard input and output. `Malformed`: what it says is no request.
pub fn serve(service: &Service<'_>) -> Result<Served> {
    signals::survive_broken_pipes();
    let signals =
        SignalFd::new(&[Signal::SIGCHLD]).map_err(|e| Error::system("watch signals", e))?;
    let (client, deadline) = (fd::standard(0), service.deadline);
    let answer = |bytes: &[u8]| {
        put(fd::standard(1), bytes, deadline)
            .map_err(|errno| Error::system("answer the client", errno))
    };
    let failed = |errno| Error::system("read the client's request", errno);
    fd::set_nonblocking(fd::standard(1), true).map_err(failed)?;
    answer(GREETING)?;
    let message = fd::duplicate(client, 3)
        .and_then(|connection| Channel::new(connection, LONGEST)?.receive(deadline))
        .map_err(failed)?;
    let wrong = |how: &str| Error::malformed("understand the client's request", how);
    let Ok(descriptors) = <[OwnedFd; DESCRIPTORS]>::try_from(message.descriptors) else {
        return Err(wrong("it does not come with 3 descriptors"));
    };
    let request = Request::unpack(&message.body);
    if let Err(Wrong::Missing | Wrong::Variable) = request {
        answer(&[Errno::INVALID.0 as u8])?;
    }
    let request = request.map_err(|how| match how {
        Wrong::Message(text) => wrong(text),
        Wrong::Missing => Error::system("make the program's words", Errno::INVALID),
        Wrong::Variable => wrong("one of its variables has no \"=\""),
    })?;
    drop(message.body);
    let child = match launch(service, request, &descriptors) {
        Ok(child) => child,
        Err(error) => {
            let why = error.errno().unwrap_or(Errno::INVALID);
            answer(&[u8::try_from(why.0).unwrap_or(u8::MAX)])?;
            return Err(error);
        }
    };
    drop(descriptors); // so that the client's pipes end when the program does
    let left = answer(&[0]).is_err();
    watch(child, &signals, client, left, service.outlives)
}

/// Starts the program. Its executable is looked for along the server's `PATH`.
fn launch(
    service: &Service<'_>,
    request: Request,
    descriptors: &[OwnedFd; DESCRIPTORS],
) -> Result<Pid> {
    let environment = request.environment(service.environment);
    let argv: Vec<CString> = service.words.iter().cloned().chain(request.words).collect();
    let Some(program) = argv.first() else {
        return Err(Error::malformed("start a program", "neither we nor the client name one"));
    };
    let program = OsStr::from_bytes(program.as_bytes());
    let null = |how| open("/dev/null", how).map_err(|e| Error::on("open", "/dev/null", e));
    let (input, output) = (null(Open::Read)?, null(Open::ReadWrite)?);
    let instead = [input.as_fd(), output.as_fd(), fd::standard(2)];
    let mut places = [(fd::standard(0), 0), (fd::standard(1), 1), (fd::standard(2), 2)];
    for (place, ((given, instead), spared)) in
        places.iter_mut().zip(descriptors.iter().zip(instead).zip(service.spared))
    {
        place.0 = if spared { instead } else { given.as_fd() };
    }
    let paths = service.environment.candidates(program);
    let env = environment.to_c();
    Launch { places: &places, ..Launch::plain(&paths, &argv, &env) }
        .spawn()
        .map_err(|errno| Error::on("exec", program, errno))
}

/// Waits for the program's end, or for the client's.
fn watch(
    child: Pid,
    signals: &SignalFd,
    client: BorrowedFd<'_>,
    mut left: bool,
    outlives: bool,
) -> Result<Served> {
    loop {
        if left && !outlives {
            for signal in [Signal::SIGTERM, Signal::SIGCONT] {
                let _ = child.kill(signal); // it may have ended just now
            }
            return Ok(Served::Left);
        }
        let wishes = [(signals.as_fd(), Wish::Read), (client, Wish::Break)];
        let watched = wishes.get(..2 - usize::from(left)).unwrap_or(&wishes);
        let ready = poll::any(watched, None)
            .map_err(|errno| Error::system("wait for the program", errno))?;
        while signals.take().is_some() {}
        if let Some(status) = reap(child) {
            if !left && ready.get(1) != Some(&true) {
                put(fd::standard(1), &pack_status(status), None)
                    .map_err(|errno| Error::system("tell the client how it ended", errno))?;
            }
            return Ok(Served::Ended);
        }
        left |= ready.get(1) == Some(&true);
    }
}

/// Asks the server behind this connection to run what the request says on our standard descriptors,
/// and waits for its end. `Malformed`: it is no s6-sudod.
///
/// Standard input and output are closed as soon as the server has them: whoever reads and writes at
/// their other ends sees when the program closes them.
pub fn ask(
    reads: impl AsFd,
    writes: OwnedFd,
    request: &Request,
    started_by: Option<Monotonic>,
    ended_by: impl FnOnce() -> Option<Monotonic>,
) -> Result<WaitStatus> {
    signals::survive_broken_pipes();
    let failed = |what: &'static str| move |errno| Error::system(what, errno);
    fd::set_nonblocking(&reads, true).map_err(failed("use the connection"))?;
    let greeting = get::<{ GREETING.len() }>(&reads, started_by)
        .map_err(failed("get the server's greeting: may we use it?"))?;
    if greeting != GREETING {
        return Err(Error::malformed("talk to the server", "it is no s6-sudod"));
    }
    let message = Message {
        body: request.pack(),
        descriptors: vec![fd::standard(0), fd::standard(1), fd::standard(2)],
    };
    Channel::new(writes, LONGEST)
        .and_then(|channel| channel.send(&message, started_by).map(|()| channel))
        .and_then(|_| leave_standard())
        .map_err(failed("send our words to the server"))?;
    let [answer] = get(&reads, started_by)
        .map_err(failed("learn from the server whether it has started the program"))?;
    if answer != 0 {
        let what = "have the program started; the server says";
        return Err(Error::system(what, Errno(answer.into())));
    }
    let status: [u8; STATUS] = get(&reads, ended_by())
        .map_err(failed("learn from the server how the program has ended"))?;
    Ok(unpack_status(status))
}

/// Leaves standard input and output to whoever else has them.
fn leave_standard() -> std::result::Result<(), Errno> {
    fd::place(open("/dev/null", Open::Read)?, 0)?;
    fd::place(open("/dev/null", Open::ReadWrite)?, 1)
}

/// Writes all of it to a socket. `ETIMEDOUT`: the deadline came first.
fn put(
    socket: impl AsFd,
    mut bytes: &[u8],
    deadline: Option<Monotonic>,
) -> std::result::Result<(), Errno> {
    while !bytes.is_empty() {
        match local::send_now(&socket, bytes) {
            Ok(sent) => bytes = bytes.get(sent..).unwrap_or(&[]),
            Err(Errno::AGAIN) => {
                let (_, ready) = poll::either(&[], &[socket.as_fd()], deadline)?;
                if ready != [true] {
                    return Err(Errno(libc::ETIMEDOUT));
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Reads exactly so much. `EPIPE`: the end came first; `ETIMEDOUT`: the deadline did.
fn get<const N: usize>(
    socket: impl AsFd,
    deadline: Option<Monotonic>,
) -> std::result::Result<[u8; N], Errno> {
    let (mut bytes, mut got) = ([0; N], 0);
    while got < N {
        if poll::readable(&[socket.as_fd()], deadline)? != [true] {
            return Err(Errno(libc::ETIMEDOUT));
        }
        match fd::read(&socket, bytes.get_mut(got..).unwrap_or(&mut [])) {
            Ok(0) | Err(Errno(libc::ECONNRESET)) => return Err(Errno(libc::EPIPE)),
            Ok(more) => got += more,
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(bytes)
}
