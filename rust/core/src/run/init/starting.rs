//! Starting what a step names: scripts, workers, the scanner, CMD.

use super::catch_all::CatchAll;
use super::facts::{self, For, hold, path_of};
use super::report::Attempt;
use super::{Container, work};
use crate::error::{Errno, Error, Result, shown};
use crate::machine::init::{At, Event, Phase};
use crate::run::Inheritance;
use crate::run::scan::{Options, Scanner};
use crate::run::script;
use crate::sys::dir::{self, Dir};
use crate::sys::fd;
use crate::sys::process::{self, Side};
use crate::sys::signals::unblock_all;
use crate::sys::spawn::{Launch, Session};
use crate::sys::wait::Pid;
use crate::wire::environment::Environment;
use crate::wire::plan::{FixAttrs, Kind, Rules, Scripts};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

impl Container {
    /// Starts a unit of a step.
    pub(super) fn start(&mut self, at: At, nth: usize) -> Event {
        let Some(step) = self.step(at) else { return Event::Refused(111) };
        let name = self.units.get(nth).cloned().unwrap_or_default();
        (self.attempt, self.ended) = (Attempt::now(), None);
        self.console.forget();
        if let Kind::Scripts(scripts) = &step.kind {
            return self.start_script(at, scripts, &name);
        }
        match self.start_worker(&step.kind, &name, step.fatal.is_some()) {
            Ok(pid) => {
                self.unit = Some(pid);
                Event::Started
            }
            Err(errno) => {
                let what = format!("start {}", String::from_utf8_lossy(&step.name));
                self.warn(&Error::system(what, errno).to_string());
                Event::Refused(111)
            }
        }
    }

    fn start_script(&mut self, at: At, scripts: &Scripts, name: &[u8]) -> Event {
        let path = work::below(&path_of(&scripts.directory, &self.facts), name);
        let whom = match at.phase {
            Phase::Boot => For::Boot,
            Phase::Stop => For::Stop,
        };
        let env = self.environment(whom).to_c();
        let pipes = if at.phase == Phase::Boot { self.console.open_pipes() } else { Vec::new() };
        match self.spawn_script(&path, scripts, &env, &pipes) {
            Ok(pid) => {
                self.unit = Some(pid);
                Event::Started
            }
            Err(errno) => {
                self.attempt.refused = Some(errno);
                self.warn(&format!("unable to spawn {}: {errno}", shown(&path)));
                // Whatever the reason; at the end the originals' time-keeper says so.
                Event::Refused(if at.phase == Phase::Boot { 127 } else { 111 })
            }
        }
    }

    fn spawn_script(
        &self,
        path: &Path,
        scripts: &Scripts,
        env: &[CString],
        output: &[(OwnedFd, RawFd)],
    ) -> std::result::Result<Pid, Errno> {
        let program = [dir::terminated(path.as_os_str())?];
        let cwd = path_of(&scripts.cwd, &self.facts);
        // The directory we were started in is held open: it may have lost its name since.
        let own = cwd.as_os_str().as_bytes() == self.facts.cwd || cwd.as_os_str().is_empty();
        let directory = if own { self.cwd.again()? } else { Dir::open(&cwd)? };
        // Our own has been /dev/null since we became the scanner.
        let input = (!scripts.no_input).then(|| (self.input.as_fd(), 0));
        let mut places = Vec::from_iter(input);
        places.extend(output.iter().map(|(writer, number)| (writer.as_fd(), *number)));
        let launch = Launch {
            directory: Some(directory.as_fd()),
            places: &places,
            apart: true,
            ..Launch::plain(&program, &program, env)
        };
        script::spawn(&launch, &directory)
    }

    /// Forks a child that does a piece of work and exits with its code.
    fn start_worker(
        &mut self,
        kind: &Kind,
        name: &[u8],
        fatal: bool,
    ) -> std::result::Result<Pid, Errno> {
        let affairs = self.affairs();
        match process::fork()? {
            Side::Parent(pid) => return Ok(pid),
            Side::Child => {}
        }
        unblock_all();
        let facts = &self.facts;
        let scandir = || self.scandir().unwrap_or_default();
        let code = match kind {
            Kind::Files(ops) => work::files(ops, facts, affairs, fatal),
            Kind::FixAttrs(FixAttrs { rules, hidden, .. }) => {
                let hidden = hidden.as_ref().is_some_and(|when| hold(when, facts, affairs));
                match rules {
                    Rules::Text(text) => work::rules(Ok(&text.plain(facts)), hidden),
                    Rules::Directory(directory) => {
                        let file = work::below(&path_of(directory, facts), name);
                        work::rules(Err(&file), hidden)
                    }
                }
            }
            Kind::Services(from) => work::services(&path_of(from, facts), &scandir()),
            Kind::Await { from, .. } => work::await_services(&path_of(from, facts), &scandir()),
            Kind::Sync => {
                process::sync();
                0
            }
            Kind::Scripts(_)
            | Kind::Supervise(_)
            | Kind::Command
            | Kind::BringDown { .. }
            | Kind::AwaitDown(_)
            | Kind::Terminate(_)
            | Kind::Kill
            | Kind::Say => 0,
        };
        process::exit_now(code)
    }

    /// The scan directory of the plan.
    pub(super) fn scandir(&self) -> Option<PathBuf> {
        self.plan.boot.iter().find_map(|step| {
            let Kind::Supervise(supervise) = &step.kind else { return None };
            Some(path_of(&supervise.scandir, &self.facts))
        })
    }

    fn environment(&mut self, whom: For) -> Environment {
        let mut problems = Vec::new();
        let affairs = self.affairs();
        let mut complain = |error: Error| problems.push(error);
        let env = facts::environment(&self.plan, &self.facts, affairs, whom, &mut complain);
        for problem in problems {
            self.warn(&problem.to_string());
        }
        env
    }

    /// Becomes the scanner.
    pub(super) fn supervise(&mut self, at: At) -> Event {
        let Some(step) = self.step(at) else { return Event::Refused(111) };
        let Kind::Supervise(supervise) = &step.kind else { return Event::Refused(111) };
        self.attempt = Attempt::now();
        let path = path_of(&supervise.scandir, &self.facts);
        let env = self.environment(For::Tree).to_c();
        let caught = supervise.catch_all.as_ref().map_or(Ok(()), |wanted| self.catch_all(wanted));
        match caught.and_then(|()| self.open_scanner(&path, env)) {
            Ok(scanner) => {
                self.scanner = Some(scanner);
                if let Some(scanner) = &mut self.scanner {
                    scanner.timeout(); // the first scan
                }
                Event::Started
            }
            Err(error) => {
                self.console.complain(format!("init: fatal: {error}\n").as_bytes());
                Event::Refused(111)
            }
        }
    }

    fn open_scanner(&self, path: &Path, env: Vec<CString>) -> Result<Scanner> {
        fd::leave_standard(0); // from here on it is the supervisors', who have none
        let console = self.catch_all.as_ref().map(CatchAll::console).transpose()?;
        let options = Options { console, keeps_output: true, ..Options::default() };
        Scanner::open(path, options, Inheritance::new(env, self.title))
    }

    /// Starts CMD.
    pub(super) fn start_command(&mut self) -> Event {
        let mut problems = Vec::new();
        let affairs = self.affairs();
        let mut complain = |error: Error| problems.push(error);
        let env = facts::command_environment(&self.plan, &self.facts, affairs, &mut complain);
        for problem in problems {
            self.warn(&problem.to_string());
        }
        let word = self.words.first().cloned().unwrap_or_default();
        match self.spawn_command(&env) {
            Ok(pid) => {
                self.command = Some(pid);
                Event::Started
            }
            Err(errno) => {
                let name = shown(Path::new(&word));
                self.console
                    .complain(format!("init: fatal: unable to exec {name}: {errno}\n").as_bytes());
                let none = matches!(errno, Errno(libc::ENOENT | libc::ENOTDIR));
                let command = &self.plan.command;
                let code = if none { command.not_found } else { command.not_executable };
                Event::Refused(code.into())
            }
        }
    }

    fn spawn_command(&self, env: &Environment) -> std::result::Result<Pid, Errno> {
        let argv = self.words.iter().map(|word| dir::terminated(word));
        let argv: Vec<CString> = argv.collect::<std::result::Result<_, _>>()?;
        let paths = env.candidates(self.words.first().map_or(OsStr::new(""), |word| word));
        if paths.is_empty() {
            return Err(Errno::NOT_FOUND);
        }
        let env = env.to_c();
        let mut places = vec![(self.input.as_fd(), 0)];
        places.extend(self.catch_all.iter().flat_map(CatchAll::places_of_command));
        let launch = Launch {
            directory: Some(self.cwd.as_fd()),
            places: &places,
            session: Session::Foreground,
            apart: true,
            ..Launch::plain(&paths, &argv, &env)
        };
        launch.spawn()
    }
}
