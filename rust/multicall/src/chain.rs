//! Chains of programs in one process (contract execline §4).
//!
//! Many programs change one thing and become another one. If that is one of ours too, nothing is
//! executed: we go on in its place. What it finds is what an exec would have left it (words, environment,
//! descriptors, signals), and a program of the same name that comes earlier on `PATH` is the one that
//! is run, because what counts is the file that the search ends at.

use crate::applet::{Applet, Section};
use crate::exit::{self, Exec, Exit, Failure};
use crate::invocation::{self, Invocation};
use crate::options::{self, Syntax};
use crate::table;
use s6x_core::error::Errno;
use s6x_core::sys::process::{self, Side};
use s6x_core::sys::spawn::Launch;
use s6x_core::sys::title::Title;
use s6x_core::sys::wait::Pid;
use s6x_core::sys::{dir, fd, signals};
use s6x_core::wire::environment::Environment;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// A program of ours, about to run.
#[derive(Debug)]
pub(crate) struct Link {
    /// Which one.
    pub applet: &'static Applet,
    /// The word it is called by.
    pub called: OsString,
    /// The words behind.
    pub words: Vec<OsString>,
    /// What it is started with.
    pub environment: Environment,
    /// What `ps` shows of us.
    pub title: Option<Title>,
    /// Called as `s6x WORD`.
    pub as_word: bool,
}

/// Runs a program of ours, and all that it becomes without an exec; returns the exit code.
pub(crate) fn run(mut link: Link) -> u8 {
    let covered = !takes_descriptors_as_they_are(link.applet);
    if covered {
        let _ = fd::cover_standard(); // without /dev/null there is nothing better to put there
    }
    loop {
        link = match step(link) {
            Ok(next) => next,
            Err(code) => return code,
        };
        if covered {
            fd::uncover_standard();
        }
        if let Ok(name) = CString::new(link.applet.name) {
            process::set_name(&name);
        }
    }
}

/// Whether a program must find closed what was closed, rather than `/dev/null`: what it does with
/// descriptors is seen by those behind it in the chain.
fn takes_descriptors_as_they_are(applet: &Applet) -> bool {
    matches!(applet.section, Section::Execline | Section::Utilities)
}

/// Whether a program leaves nothing behind that an exec would have put away: handlers, masks, memory.
fn goes_on_in_place(applet: &Applet) -> bool {
    match applet.section {
        Section::Execline | Section::Process | Section::Utilities => true,
        Section::Overlay => {
            matches!(applet.name, "with-contenv" | "with-contenv-legacy" | "printcontenv")
        }
        Section::Supervision
        | Section::Status
        | Section::Notification
        | Section::Logging
        | Section::Instances
        | Section::FdHolding
        | Section::Sockets
        | Section::Rc => false,
    }
}

/// Runs one program: to the next one of ours, or to the exit code.
fn step(link: Link) -> Result<Link, u8> {
    let Link { applet, called, words, environment, title, as_word } = link;
    let asked_for_help = words.first().is_some_and(|word| word == "--help");
    if asked_for_help && (as_word || applet.syntax != Syntax::Raw) {
        return Err(invocation::show(applet.name, &applet.help()));
    }
    let parsed = match options::parse(applet.syntax, applet.options, &words) {
        Ok(parsed) => parsed,
        Err(message) => return Err(invocation::report(applet, &Failure::usage(message))),
    };
    let (options, rest) = (parsed.options, parsed.rest);
    let call = Invocation { applet, called, options, rest, environment, title, as_word };
    match (applet.run)(&call) {
        Ok(Exit::Code(code)) => Err(code),
        Ok(Exit::Killed(signal)) => signals::die_of(signal),
        Ok(Exit::Exec(wanted)) => become_next(&call, wanted),
        Ok(Exit::ExecUnder(wanted, limits)) => {
            Err(call.failed(&exit::exec_under(&wanted, &call.environment, &limits)))
        }
        Err(failure) => Err(call.failed(&failure)),
    }
}

/// What is to be run instead of `call`: one of ours in place, anything else by exec.
fn become_next(call: &Invocation, mut wanted: Exec) -> Result<Link, u8> {
    wanted.candidates = wanted.places(&call.environment);
    let Some(applet) = own(&wanted.candidates) else {
        return Err(call.failed(&exit::exec(&wanted, &call.environment)));
    };
    let mut words = wanted.argv;
    let first = words.remove(0);
    let called = wanted.argv0.unwrap_or(first);
    let environment = wanted.environment;
    Ok(Link { applet, called, words, environment, title: call.title, as_word: false })
}

/// The program of ours that an exec of these paths would start, if it can go on in place.
fn own(candidates: &[CString]) -> Option<&'static Applet> {
    let own = identity()?;
    for path in candidates {
        match dir::stat_path(Path::new(OsStr::from_bytes(path.to_bytes()))) {
            // For everybody executable, and with nobody's rights: else it is for the kernel to decide.
            Ok(found) if found.identity == own && found.permissions() & 0o6111 == 0o111 => {
                let name = path.to_bytes().rsplit(|&byte| byte == b'/').next()?;
                let applet = table::named(str::from_utf8(name).ok()?)?;
                return goes_on_in_place(applet).then_some(applet);
            }
            Err(Errno::NOT_FOUND | Errno::NOT_A_DIRECTORY) => {}
            Ok(_) | Err(_) => return None,
        }
    }
    None
}

/// Whether an exec of these paths would start a program of ours that goes on in place.
pub(crate) fn is_own(candidates: &[CString]) -> bool {
    own(candidates).is_some()
}

/// Device and inode of the file that this process runs. Without `/proc` nobody knows, and every program
/// is executed.
fn identity() -> Option<(u64, u64)> {
    static OWN: OnceLock<Option<(u64, u64)>> = OnceLock::new();
    *OWN.get_or_init(|| dir::stat_path("/proc/self/exe").ok().map(|found| found.identity))
}

/// A program to run beside us: a block, or a command line.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    /// Its words. The first one is looked for along the `PATH` that we were started with.
    pub words: &'a [OsString],
    /// The environment it gets.
    pub environment: &'a Environment,
    /// A descriptor of ours, and the number it gets there.
    pub place: Option<(BorrowedFd<'a>, RawFd)>,
    /// Descriptors of ours that it must not have.
    pub private: &'a [BorrowedFd<'a>],
    /// Whether it gets our signal mask, rather than an empty one.
    pub keeps_mask: bool,
}

impl<'a> Beside<'a> {
    /// With our descriptors and our signal mask.
    pub(crate) fn plain(words: &'a [OsString], environment: &'a Environment) -> Beside<'a> {
        Beside { words, environment, place: None, private: &[], keeps_mask: true }
    }

    /// Starts it. An error means that its first word could not be executed (contract execline §0.3); one
    /// of ours always can be, and goes on in a copy of this process.
    pub(crate) fn start(&self, call: &Invocation) -> Result<Pid, Errno> {
        let program = self.words.first().map(OsString::as_os_str).unwrap_or_default();
        if program.is_empty() {
            return Err(Errno::NOT_FOUND);
        }
        let candidates = call.environment.candidates(program);
        if let Some(applet) = own(&candidates) {
            return match process::fork()? {
                Side::Parent(pid) => Ok(pid),
                Side::Child => self.live(applet, program),
            };
        }
        let argv = self.words.iter().map(|word| CString::new(word.as_bytes()));
        let argv: Vec<CString> = argv.collect::<Result<_, _>>().map_err(|_| Errno::INVALID)?;
        let env = self.environment.to_c();
        let launch = Launch {
            places: self.place.as_slice(),
            keeps_mask: self.keeps_mask,
            ..Launch::plain(&candidates, &argv, &env)
        };
        launch.spawn()
    }

    /// The life of a child that is one of ours.
    fn live(&self, applet: &'static Applet, called: &OsStr) -> ! {
        let target = self.place.map(|(_, number)| number);
        if let Some((from, number)) = self.place {
            let placed = if from.as_raw_fd() == number {
                fd::keep_across_exec(from)
            } else {
                fd::place(from, number)
            };
            if let Err(errno) = placed {
                let what = format!("unable to use descriptor {number}: {errno}");
                process::exit_now(invocation::report(applet, &Failure::new(111, what)));
            }
        }
        for fd in self.private.iter().map(AsRawFd::as_raw_fd).filter(|fd| Some(*fd) != target) {
            fd::close_in_child(fd);
        }
        if !self.keeps_mask {
            signals::unblock_all();
        }
        if let Ok(name) = CString::new(applet.name) {
            process::set_name(&name);
        }
        process::exit_now(run(Link {
            applet,
            called: called.to_owned(),
            words: self.words.get(1..).unwrap_or(&[]).to_vec(),
            environment: self.environment.clone(),
            title: None,
            as_word: false,
        }))
    }
}
