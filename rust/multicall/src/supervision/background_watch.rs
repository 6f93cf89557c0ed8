//! s6-background-watch: for daemons that put themselves into the background.
//!
//! The daemon's first process, the *parent*, ends when the daemon runs; the daemon becomes our child,
//! because we adopt orphans. From then on we are its stand-in under the supervisor.

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{self, Dir, Open};
use s6x_core::sys::signals::SignalFd;
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::wait::{self, Pid, PidFd};
use s6x_core::sys::{fd, poll, process};
use s6x_core::wire::clock::Monotonic;
use s6x_core::wire::signal::Signal;
use s6x_core::wire::wait_status::{Ending, WaitStatus};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-background-watch.
pub static APPLET: Applet = Applet {
    name: "s6-background-watch",
    section: Section::Supervision,
    about: "Stand in for a daemon that goes into the background: pass signals on, end with it",
    options: &[
        value('t', "ms", "kill the parent if it has not ended after that many milliseconds")
            .long("timeout-ready"),
        value('d', "fd", "write a newline to fd when the daemon is in the background")
            .long("notification-fd"),
    ],
    arguments: "pidfile prog...",
    syntax: Syntax::Long,
    exit_codes: &[
        ("104", "pidfile does not name a process that prog left behind"),
        ("126", "prog cannot be executed"),
        ("127", "prog is not there"),
        (
            "128..192",
            "128 + the signal that killed the parent or the daemon; 128: its code was more",
        ),
    ],
    run,
};

/// The pidfile is of no use.
const NO_DAEMON: u8 = 104;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let pidfile = Path::new(call.argument(0, "pidfile")?);
    call.argument(1, "program")?;
    let readiness = readiness(call)?;
    let deadline = call.deadline('t')?;
    let cannot = |what: &'static str| move |errno| Failure::from(Error::system(what, errno));
    let signals = SignalFd::new(&catchable()).map_err(cannot("listen to signals"))?;
    process::become_subreaper().map_err(cannot("adopt orphans"))?;

    let program = &call.rest[1];
    let parent = spawn(call, &call.rest[1..])?;
    let status = watch_parent(call, &signals, parent, deadline)?;
    let whose = format!("{} (parent)", shown(Path::new(program)));
    if status != WaitStatus::exited(0) {
        let _ = std::fs::remove_file(pidfile); // it may not be there
        let how = match status.ending() {
            Ending::Exited(code) => format!("{whose} exited {code}"),
            Ending::Killed(signal) => format!("{whose} was killed by {signal}"),
        };
        return Err(Failure::new(status.folded(), how));
    }
    let daemon = daemon(pidfile, &whose)?;
    // Before anybody is told that it is ready: who waits for that may kill it at once.
    let held = hold(daemon)?;
    if let Some(readiness) = readiness {
        tell_readiness(&readiness, &signals, daemon);
    }
    watch_daemon(&signals, daemon, held.as_ref()).map(|status| Exit::Code(status.folded()))
}

/// The descriptor for readiness, which the daemon does not get.
fn readiness(call: &Invocation) -> Result<Option<OwnedFd>, Failure> {
    let Some(number) = call.number('d')? else { return Ok(None) };
    if number < 3 {
        return Err(Failure::new(100, "option -d: descriptors 0, 1 and 2 are the daemon's"));
    }
    let given = fd::take_inherited(i32::try_from(number).unwrap_or(i32::MAX));
    let failed = |errno| Error::system(format!("use descriptor {number} (option -d)"), errno);
    Ok(Some(given.map_err(failed)?))
}

/// A supervisor that does not listen any more earns us a SIGPIPE, which is not for the daemon.
fn tell_readiness(readiness: &OwnedFd, signals: &SignalFd, daemon: Pid) {
    if fd::write_all(readiness, b"\n").is_err() {
        while let Some(signal) = signals.take() {
            if signal != Signal::SIGPIPE {
                pass_on(signal, daemon);
            }
        }
    }
}

/// Every signal that can be caught; those that libc keeps for itself are none of ours.
fn catchable() -> Vec<Signal> {
    let all = (1..=64).filter(|number| !(32..=33).contains(number)).filter_map(Signal::new);
    all.filter(|&signal| signal != Signal::SIGKILL && signal != Signal::SIGSTOP).collect()
}

fn spawn(call: &Invocation, argv: &[OsString]) -> Result<Pid, Failure> {
    let program = argv.first().map(OsString::as_os_str).unwrap_or_default();
    let failed = |errno: Errno| {
        let code = if errno == Errno::NOT_FOUND { 127 } else { 126 };
        Failure::new(code, format!("unable to spawn {}: {errno}", shown(Path::new(program))))
    };
    let words: Result<Vec<CString>, _> =
        argv.iter().map(|word| CString::new(word.as_bytes())).collect();
    let words = words.map_err(|_| failed(Errno::INVALID))?;
    let (paths, env) = (call.environment.candidates(program), call.environment.to_c());
    Launch::plain(&paths, &words, &env).spawn().map_err(failed)
}

/// Waits for the parent's end, passing signals on to it; kills it, once, when the time is up. Nobody
/// else is reaped meanwhile: the daemon's end must not be missed.
fn watch_parent(
    call: &Invocation,
    signals: &SignalFd,
    parent: Pid,
    mut deadline: Option<Monotonic>,
) -> Result<WaitStatus, Failure> {
    loop {
        while let Some(signal) = signals.take() {
            pass_on(signal, parent);
        }
        if let Some(status) = wait::reap(parent) {
            return Ok(status);
        }
        let ready = poll::readable(&[signals.as_fd()], deadline)
            .map_err(|errno| Error::system("wait for the parent", errno))?;
        if !ready.contains(&true) {
            call.warning("the parent did not end in time (option -t), killing it");
            let _ = parent.kill(Signal::SIGKILL); // ours, and not reaped: it is there
            deadline = None;
        }
    }
}

/// One whose own parent still runs is no child of ours: only a descriptor tells its end. `None` where
/// the kernel has none (before 5.3).
fn hold(daemon: Pid) -> Result<Option<PidFd>, Failure> {
    match PidFd::open(daemon) {
        Ok(held) => Ok(Some(held)),
        Err(Errno::NO_PROCESS) => Err(ended_elsewhere()),
        Err(_) => Ok(None),
    }
}

fn ended_elsewhere() -> Failure {
    Failure::new(111, "the daemon has ended, but only its own parent was told how")
}

/// Waits for the daemon's end, passing signals on to it, and reaps whoever else comes our way.
fn watch_daemon(
    signals: &SignalFd,
    daemon: Pid,
    held: Option<&PidFd>,
) -> Result<WaitStatus, Failure> {
    loop {
        while let Some(signal) = signals.take() {
            pass_on(signal, daemon);
        }
        while let Some((pid, status)) = wait::next_dead() {
            if pid == daemon {
                return Ok(status);
            }
        }
        if let Some(held) = held.filter(|held| held.has_ended()) {
            // Perhaps it became our child, and a zombie, just now.
            let status = wait::reap(daemon).or_else(|| held.ending_of_stranger());
            return status.ok_or_else(ended_elsewhere);
        }
        let fds: Vec<_> =
            [Some(signals.as_fd()), held.map(AsFd::as_fd)].into_iter().flatten().collect();
        poll::readable(&fds, None).map_err(|errno| Error::system("wait for the daemon", errno))?;
    }
}

/// It may have ended just now, or be another user's: nothing to do about either.
fn pass_on(signal: Signal, process: Pid) {
    if signal != Signal::SIGCHLD {
        let _ = process.kill(signal);
    }
}

/// The process that the pidfile names, if it descends from us. The pidfile of an earlier run may name
/// any process by now, and that must not get our signals.
fn daemon(pidfile: &Path, whose: &str) -> Result<Pid, Failure> {
    let useless = |why: String| {
        let (message, file) = (format!("{whose} exited 0, but"), shown(pidfile));
        Failure::new(NO_DAEMON, format!("{message} pidfile {file} {why}"))
    };
    let content = match dir::open(pidfile, Open::ReadNow) {
        Ok(file) => fd::read_up_to(file, 128),
        Err(Errno::NOT_FOUND) => return Err(useless("does not exist".into())),
        Err(errno) => Err(errno),
    };
    let content = content.map_err(|errno| Error::on("read", pidfile, errno))?;
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let text = OsStr::from_bytes(line.trim_ascii());
    let pid = number(text).and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::new);
    let pid = pid.ok_or_else(|| useless(format!("holds {} and no pid", quoted(text))))?;
    if descends_from_us(pid) {
        return Ok(pid);
    }
    let why = format!("names process {}, which it did not start; a leftover?", pid.number());
    Err(useless(why))
}

/// Whether we are among a process's ancestors, orphans having been given to us.
fn descends_from_us(pid: Pid) -> bool {
    let own = process::own_pid();
    if parent_of(own).is_none() {
        return true; // no /proc: nobody can tell
    }
    let mut next = parent_of(pid.number());
    while let Some(parent) = next.filter(|&parent| parent > 0) {
        if parent == own {
            return true;
        }
        next = parent_of(parent);
    }
    false
}

/// The second field behind the name, which may hold anything, in a line of `/proc/PID/stat`.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = Dir::open(format!("/proc/{pid}")).and_then(|proc| proc.read("stat", 1024)).ok()?;
    let text = String::from_utf8_lossy(&stat);
    text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
