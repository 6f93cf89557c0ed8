//! s6-alias-sv: the words of runit's sv, done by the programs of s6 (contract s6 §1.9).

use crate::chain::Beside;
use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::run::observe;
use s6x_core::sys::{dir, wait};
use s6x_core::wire::status::Status;
use s6x_core::wire::wait_status::Ending;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-alias-sv.
pub static APPLET: Applet = Applet {
    name: "s6-alias-sv",
    section: Section::Utilities,
    about: "Control services as runit's sv does",
    options: &[
        flag('v', "wait for what up, down, term, once, cont and exit lead to, and show it"),
        value('w', "sec", "wait at most that many seconds (default: $SVWAIT, or 7)"),
    ],
    arguments: "command services...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("0", "it was done everywhere"),
        ("n", "so many services had a failure, at most 99"),
    ],
    run,
};

/// How many seconds are waited if nothing else is said.
const PATIENCE: u32 = 7;
/// Exit codes from 100 up mean something else.
const MOST_FAILURES: u8 = 99;

/// What a command does to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Has s6-svc send a letter.
    Send(&'static str),
    /// The same; with `-v` it sends the second one and waits for a state, which is shown.
    Change(&'static str, &'static str, &'static str),
    /// Sends, waits and shows, whatever `-v` says.
    Await(&'static str, &'static str),
    /// Brings the service down and ends its supervisor; waits and shows only if that is true, or with `-v`.
    Exit(bool),
    /// Waits for the state that is wanted.
    Check,
    /// The same as a restart, if the service is up.
    TryRestart,
    /// SIGHUP.
    Reload,
    Status,
}

use Deed::{Await, Change, Check, Exit as End, Reload, Send, Status as Show, TryRestart};

/// Commands of which any first letters do.
const WORDS: &[(&str, Deed)] = &[
    ("alarm", Send("-a")),
    ("cont", Change("-c", "-c", "-wu")),
    ("down", Change("-d", "-d", "-wD")),
    ("exit", End(false)),
    ("hup", Send("-h")),
    ("interrupt", Send("-i")),
    ("kill", Send("-k")),
    ("once", Change("-o", "-o", "-wU")),
    ("pause", Send("-p")),
    ("quit", Send("-q")),
    ("status", Show),
    ("term", Change("-t", "-r", "-wR")),
    ("up", Change("-u", "-u", "-wU")),
];

/// Commands to be written out.
const WHOLE_WORDS: &[(&str, Deed)] = &[
    ("1", Send("-1")),
    ("2", Send("-2")),
    ("x", End(false)),
    ("check", Check),
    ("reload", Reload),
    ("restart", Await("-ru", "-wR")),
    ("shutdown", End(true)),
    ("start", Await("-u", "-wU")),
    ("stop", Await("-d", "-wD")),
    ("try-restart", TryRestart),
];

/// Commands that runit would have end with SIGKILL.
const FORCED: &[(&str, &str)] = &[
    ("D", "down"),
    ("E", "exit"),
    ("T", "try-restart"),
    ("X", "exit"),
    ("force-reload", "reload"),
    ("force-restart", "restart"),
    ("force-shutdown", "shutdown"),
    ("force-stop", "stop"),
];

/// What a command means, and whether it is a forced one.
fn deed(command: &str) -> Option<(Deed, bool)> {
    let forced = FORCED.iter().find(|(name, _)| *name == command);
    let command = forced.map_or(command, |(_, plain)| *plain);
    let whole = WHOLE_WORDS.iter().find(|(name, _)| *name == command);
    let begun = || WORDS.iter().find(|(name, _)| !command.is_empty() && name.starts_with(command));
    whole.or_else(begun).map(|(_, deed)| (*deed, forced.is_some()))
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let command = call.argument(0, "command")?;
    call.argument(1, "service")?;
    let known = command.to_str().and_then(deed);
    let unknown = || Failure::new(100, format!("{} is no command of sv", quoted(command)));
    let (deed, forced) = known.ok_or_else(unknown)?;
    let seconds = match (call.number('w')?, call.environment.lookup(OsStr::new("SVWAIT"))) {
        (Some(seconds), _) => seconds,
        (None, None) => PATIENCE,
        (None, Some(text)) => number(text).unwrap_or_else(|| {
            call.warning(format!("ignoring SVWAIT={}, which is no number", quoted(text)));
            PATIENCE
        }),
    };
    if forced {
        call.warning(
            "s6-supervise kills what does not end after its timeout-kill, and not at a command",
        );
    }
    if matches!(deed, End(_)) {
        call.warning("commands go to a service alone, not to its logger");
    }
    let sv = Sv { call, waits: call.has('v'), limit: seconds.saturating_mul(1000).to_string() };
    let scan_dir = call.environment.lookup(OsStr::new("SVDIR"));
    let scan_dir = Path::new(scan_dir.unwrap_or(OsStr::new("/run/service")));
    let mut failures = 0_u8;
    for name in call.rest.iter().skip(1).filter(|name| !name.is_empty()) {
        let done = place(scan_dir, name).and_then(|service| sv.perform(deed, &service));
        let fine = done.unwrap_or_else(|failure| {
            call.failed(&failure);
            false
        });
        failures = (failures + u8::from(!fine)).min(MOST_FAILURES);
    }
    Ok(Exit::Code(failures))
}

/// The directory of a service: a path is one, and a name is one in the scan directory if it is there.
fn place(scan_dir: &Path, name: &OsStr) -> Result<OsString, Failure> {
    let bytes = name.as_bytes();
    let is_path = bytes.starts_with(b"/")
        || bytes.ends_with(b"/")
        || bytes.starts_with(b"./")
        || bytes.starts_with(b"../")
        || bytes == b"."
        || bytes == b"..";
    let path = scan_dir.join(name);
    if is_path {
        return Ok(name.to_owned());
    }
    match dir::stat_path(path.as_os_str()) {
        Ok(stat) if stat.is_dir() => Ok(path.into()),
        Ok(_) | Err(Errno::NOT_FOUND) => Ok(name.to_owned()),
        Err(errno) => Err(Error::on("look at", &path, errno).into()),
    }
}

struct Sv<'a> {
    call: &'a Invocation,
    waits: bool,
    /// In milliseconds.
    limit: String,
}

impl Sv<'_> {
    /// Whether all went well.
    fn perform(&self, deed: Deed, service: &OsStr) -> Result<bool, Failure> {
        match deed {
            Send(letters) => self.svc(&[letters], service),
            Change(_, letters, state) if self.waits => self.change(letters, state, service),
            Change(letters, _, _) => self.svc(&[letters], service),
            Await(letters, state) => self.change(letters, state, service),
            End(waits) if waits || self.waits => {
                let down = self.change("-d", "-wD", service)?;
                Ok(self.svc(&["-x"], service)? && down)
            }
            End(_) => self.svc(&["-xd"], service),
            Check => {
                let wanted_up = status(service)?.wanted_up;
                let state = if wanted_up { "-U" } else { "-D" };
                let limit = ["-t", &self.limit];
                let reached = self.run("s6-svwait", &[&[state], &limit[..]].concat(), service)?;
                Ok(self.show(service)? && reached)
            }
            TryRestart if !status(service)?.is_up() => self.show(service),
            TryRestart => self.change("-r", "-wR", service),
            Reload => {
                let sent = self.svc(&["-h"], service)?;
                Ok(self.show(service)? && sent)
            }
            Show => self.show(service),
        }
    }

    fn svc(&self, options: &[&str], service: &OsStr) -> Result<bool, Failure> {
        self.run("s6-svc", options, service)
    }

    /// Sends letters, waits for a state, and shows what it came to.
    fn change(&self, letters: &str, state: &str, service: &OsStr) -> Result<bool, Failure> {
        let reached = self.svc(&[state, "-T", &self.limit, letters], service)?;
        Ok(self.show(service)? && reached)
    }

    /// The state of a service, and of its logger.
    fn show(&self, service: &OsStr) -> Result<bool, Failure> {
        let shown = self.show_one(service)?;
        let log = Path::new(service).join("log");
        let is_log = Path::new(service).file_name() == Some(OsStr::new("log"));
        match dir::stat_path(log.as_os_str()) {
            Ok(stat) if stat.is_dir() && !is_log => Ok(self.show_one(log.as_os_str())? && shown),
            Ok(_) | Err(Errno::NOT_FOUND) => Ok(shown),
            Err(errno) => Err(Error::on("look at", &log, errno).into()),
        }
    }

    fn show_one(&self, service: &OsStr) -> Result<bool, Failure> {
        self.call.print(format!("{}: ", Path::new(service).display()))?;
        self.run("s6-svstat", &[], service)
    }

    /// Runs a program to its end. `false`: it failed, which it has said.
    fn run(&self, program: &str, options: &[&str], service: &OsStr) -> Result<bool, Failure> {
        let words = [&[program], options, &["--"]].concat();
        let words = words.iter().map(OsString::from).chain([service.to_owned()]);
        let words: Vec<OsString> = words.collect();
        let started = Beside::plain(&words, &self.call.environment).start(self.call);
        let failed = |why: String| Failure::new(111, format!("unable to run {program}: {why}"));
        let pid = started.map_err(|errno| failed(errno.to_string()))?;
        let status = wait::wait_for(pid).ok_or_else(|| failed("it is gone".into()))?;
        Ok(status.ending() == Ending::Exited(0))
    }
}

fn status(service: &OsStr) -> Result<Status, Failure> {
    let service = Path::new(service);
    if !observe::is_supervised(service)? {
        let message = format!("{} is not supervised", shown(service));
        return Err(Failure::new(1, message));
    }
    Ok(observe::status(service)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_may_be_cut_short() {
        for (command, expected) in [
            ("u", Some((Change("-u", "-u", "-wU"), false))),
            ("sta", Some((Show, false))),
            ("start", Some((Await("-u", "-wU"), false))),
            ("t", Some((Change("-t", "-r", "-wR"), false))),
            ("interr", Some((Send("-i"), false))),
            ("c", Some((Change("-c", "-c", "-wu"), false))),
            ("check", Some((Check, false))),
            ("D", Some((Change("-d", "-d", "-wD"), true))),
            ("force-stop", Some((Await("-d", "-wD"), true))),
            ("T", Some((TryRestart, true))),
            ("", None),
            ("upp", None),
            ("res", None),
            ("3", None),
        ] {
            assert_eq!(deed(command), expected, "{command}");
        }
        let first = |word: &&str| word.chars().next();
        assert!(WORDS.iter().map(|(word, _)| first(word)).is_sorted(), "no two begin alike");
    }
}
