//! The driver of the init machine: one loop for the scanner and for the steps of a plan.
//!
//! PID 1 itself waits nowhere but in `poll`, and does nothing that could block on a file or a reader:
//! that is the work of short-lived children ([`work`]). What the scripts of boot write, it passes on
//! ([`console`]). The same loop runs as an ordinary process, which
//! then is the reaper of its descendants, and signals nothing else.

mod catch_all;
mod console;
mod deeds;
mod facts;
mod left;
mod oom;
mod output;
mod planner;
mod report;
mod runtime;
mod stale;
mod starting;
mod tail;
mod work;

pub use planner::{Planner, Unplanned};
pub use stale::staleness;

use crate::error::{Error, Result};
use crate::machine::init::{Event, Fact, Init};
use crate::run::scan::{SIGNALS, Scanner};
use crate::sys::dir::Dir;
use crate::sys::poll::Wish;
use crate::sys::signals::{SignalFd, survive_broken_pipes};
use crate::sys::title::Title;
use crate::sys::wait::Pid;
use crate::sys::{clock, fd, offspring, process, wait};
use crate::wire::clock::Monotonic;
use crate::wire::control::ScanControl;
use crate::wire::environment::Environment;
use crate::wire::plan::text::Facts;
use crate::wire::plan::{Meaning, Plan};
use crate::wire::signal::Signal;
use crate::wire::wait_status::WaitStatus;
use catch_all::CatchAll;
use console::Console;
use facts::Affairs;
use oom::Kills;
use report::Attempt;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::rc::Rc;

/// What is true of this process before it has done anything.
pub fn first_facts(environment: Environment) -> Facts {
    Facts {
        run: Vec::new(),
        cwd: process::working_directory().unwrap_or_else(|| b"/".to_vec()),
        uid: process::effective_ids().0,
        env: environment,
    }
}

/// Takes the signals that init understands; before anything else, so that none is lost.
pub fn watch_signals() -> Result<SignalFd> {
    let mut signals = SIGNALS.to_vec();
    signals.push(Signal::SIGTTOU); // writing to a terminal whose foreground is CMD must not stop us
    SignalFd::new(&signals).map_err(|errno| Error::system("watch signals", errno))
}

/// Not as PID 1, makes us the parent of whatever our descendants leave behind.
fn adopt_orphans() -> Result<()> {
    if process::own_pid() == 1 {
        return Ok(());
    }
    process::become_subreaper()
        .map_err(|errno| Error::system("become the reaper of our descendants", errno))
}

/// Boots, runs and stops the container that `plan` describes, and returns its exit code. `arguments`
/// are CMD; the environment of `facts` is the container's.
///
/// Errors: nothing was started, because there is no place for the state of the container, or the system
/// refuses what every process needs.
pub fn run(
    plan: Plan,
    mut facts: Facts,
    arguments: &[OsString],
    title: Option<Title>,
    signals: SignalFd,
) -> Result<u8> {
    fd::sanitize_standard().map_err(|errno| Error::on("open", "/dev/null", errno))?;
    survive_broken_pipes();
    fd::drop_unread_complaints();
    adopt_orphans()?;
    if facts.env.lookup("PATH").is_none() && !plan.default_path.is_empty() {
        facts.env.set("PATH", OsStr::from_bytes(&plan.default_path));
    }
    if let Some(name) = &plan.environment.export_cwd {
        let cwd = OsStr::from_bytes(&facts.cwd).to_owned();
        facts.env.set(OsStr::from_bytes(name), cwd);
    }
    let (place, _held) = runtime::choose(&plan, &facts)?;
    facts.run = place.into_os_string().into_vec();
    let mut container = Container::new(plan, facts, arguments, title, signals)?;
    container.show_title();
    let first = container.machine.begin(clock::monotonic());
    if let Some(answer) = container.perform(first) {
        container.feed(answer);
    }
    while container.exit.is_none() {
        container.turn();
    }
    container.console.finish();
    Ok(container.exit.unwrap_or(0))
}

/// The container, as its PID 1 sees it.
#[derive(Debug)]
struct Container {
    plan: Rc<Plan>,
    facts: Facts,
    machine: Init,
    signals: SignalFd,
    scanner: Option<Scanner>,
    title: Option<Title>,
    /// The container's stdin, for scripts and CMD; ours becomes `/dev/null` for the supervisors.
    input: OwnedFd,
    /// Whether that is a terminal.
    terminal: bool,
    /// Where init was started.
    cwd: Dir,
    /// CMD.
    words: Vec<OsString>,
    command: Option<Pid>,
    unit: Option<Pid>,
    /// What became of it.
    attempt: Attempt,
    /// It has ended so, but not all that it wrote was passed on.
    ended: Option<WaitStatus>,
    /// The names of the current step's units.
    units: Vec<Vec<u8>>,
    /// How supervisors are told to end.
    farewell: ScanControl,
    console: Console,
    /// Whom the kernel killed for want of memory.
    kills: Kills,
    /// The catch-all logger, from the start of supervision.
    catch_all: Option<CatchAll>,
    exit: Option<u8>,
}

impl Container {
    fn new(
        plan: Plan,
        facts: Facts,
        arguments: &[OsString],
        title: Option<Title>,
        signals: SignalFd,
    ) -> Result<Container> {
        let input = fd::duplicate(fd::standard(0), 3)
            .map_err(|errno| Error::system("keep standard input", errno))?;
        let cwd = Dir::open(".").or_else(|_| Dir::open("/"));
        let cwd = cwd.map_err(|errno| Error::on("open", ".", errno))?;
        Ok(Container {
            machine: Init::new(deeds::settings(&plan, &facts)),
            words: facts::command_words(&plan, &facts, arguments),
            terminal: fd::is_terminal(&input),
            plan: Rc::new(plan),
            facts,
            signals,
            scanner: None,
            title,
            input,
            cwd,
            command: None,
            unit: None,
            attempt: Attempt::now(),
            ended: None,
            units: Vec::new(),
            farewell: ScanControl::Terminate,
            console: Console::new(),
            kills: Kills::now(),
            catch_all: None,
            exit: None,
        })
    }

    fn show_title(&self) {
        if let Some(title) = self.title {
            let text = self.plan.title.plain(&self.facts);
            let words: Vec<&[u8]> =
                text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).collect();
            if !words.is_empty() {
                title.set(&words);
            }
        }
    }

    /// One round: waits for something, and deals with all that came.
    fn turn(&mut self) {
        if let Some(fact) = self.machine.awaits() {
            self.reap();
            if self.holds(fact) && self.machine.awaits() == Some(fact) {
                return self.feed(Event::Came);
            }
        }
        let mut wishes = vec![(self.signals.as_fd(), Wish::Read)];
        let control = self.scanner.as_ref().and_then(Scanner::control);
        wishes.extend(control.map(|control| (control, Wish::Read)));
        wishes.extend(self.console.wishes());
        offspring::wait(&wishes, self.deadline());
        self.console.pass_on();
        self.take_signals();
        self.reap();
        self.take_controls();
        let now = clock::monotonic();
        if let Some(scanner) = &mut self.scanner
            && scanner.deadline().is_some_and(|due| due <= now)
        {
            scanner.timeout();
        }
        if self.machine.deadline().is_some_and(|due| due <= now) {
            self.feed(Event::Timeout);
        }
        self.settle();
    }

    fn deadline(&self) -> Option<Monotonic> {
        let scanner = self.scanner.as_ref().and_then(Scanner::deadline);
        [self.machine.deadline(), scanner].into_iter().flatten().min()
    }

    fn holds(&self, fact: Fact) -> bool {
        match fact {
            Fact::SupervisorsGone => {
                self.scanner.as_ref().is_none_or(|scanner| scanner.supervisors_left_to_log() == 0)
            }
            Fact::NothingLeft => !wait::has_children(),
        }
    }

    /// Tells the machine something, and does what it says to that. Its questions are answered in turn
    /// rather than within each other: there may be any number of them.
    fn feed(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take().filter(|_| self.exit.is_none()) {
            let actions = self.machine.step(clock::monotonic(), event);
            next = self.perform(actions);
        }
    }

    fn affairs(&self) -> Affairs {
        Affairs { command: !self.words.is_empty(), command_ended: self.machine.stops_for_command() }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.take() {
            if matches!(signal, Signal::SIGCHLD | Signal::SIGTTOU) {
                continue;
            }
            let stopping = self.machine.is_stopping();
            let sits_there = self.terminal && self.command.is_none();
            if signal == Signal::SIGINT && stopping && sits_there {
                self.feed(Event::KillNow); // ^C, and again: somebody waits
                continue;
            }
            // Once stopping, a script that catches signals has had its chance.
            if !stopping && self.scanner.as_mut().is_some_and(|scanner| scanner.divert(signal)) {
                continue;
            }
            let meaning = self.plan.signals.iter().find(|(named, _)| *named == signal);
            match meaning.map(|(_, meaning)| *meaning) {
                Some(Meaning::Stop) => {
                    if signal == Signal::SIGQUIT && !stopping {
                        self.farewell = ScanControl::Quit;
                    }
                    self.feed(Event::Stop);
                }
                Some(Meaning::StopNow) => self.feed(Event::StopNow),
                Some(Meaning::Rescan) => self.ask(ScanControl::Rescan),
                Some(Meaning::RescanAndPrune) => self.ask(ScanControl::RescanAndPrune),
                None => {}
            }
        }
    }

    fn take_controls(&mut self) {
        let controls = self.scanner.as_mut().map(Scanner::controls).unwrap_or_default();
        for control in controls {
            match control {
                ScanControl::Terminate | ScanControl::Interrupt | ScanControl::Quit => {
                    if !self.machine.is_stopping() {
                        self.farewell = control;
                    }
                    self.feed(Event::Stop);
                }
                ScanControl::Abort => self.feed(Event::StopNow),
                ScanControl::Zap => self.reap(),
                ScanControl::Rescan
                | ScanControl::RescanAndPrune
                | ScanControl::Nuke
                | ScanControl::ReallyNuke => self.ask(control),
            }
        }
    }

    /// Asks the scanner for something that makes no sense any more once services are to end.
    fn ask(&mut self, control: ScanControl) {
        if let Some(scanner) = self.scanner.as_mut().filter(|_| !self.machine.is_stopping()) {
            scanner.ask(control);
        }
    }

    fn reap(&mut self) {
        while let Some((pid, how)) = wait::next_dead() {
            if self.unit == Some(pid) {
                self.unit = None;
                self.ended = Some(how);
                self.attempt.end(how);
                self.console.unit_ended();
                self.settle();
            } else if self.command == Some(pid) {
                self.command = None;
                self.report_command(how);
                self.feed(Event::CommandEnded(how));
            } else if let Some(scanner) = &mut self.scanner {
                scanner.child_died(pid, how); // or an orphan
            }
        }
    }
}
