//! init: boots the container, runs it, stops it. Called as `/init` and as `init-stage1`.
//!
//! What is to be done is in the plan: made when the image was built, or now by the Python planner
//! (`docs/formats.md`). Without either there is one sentence that says what to do, never a container that
//! stays up and does nothing.

use crate::applet::{Applet, Section};
use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::Syntax;
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::run::init::{self, Planner, Unplanned, staleness};
use s6x_core::sys::clock;
use s6x_core::sys::dir::Dir;
use s6x_core::sys::signals::SignalFd;
use s6x_core::wire::environment::Environment;
use s6x_core::wire::plan::text::Facts;
use s6x_core::wire::plan::{self, Plan};
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Where the plan lies that was made with the image.
const PLAN: &str = "/etc/s6x/plan";
/// It is a few kilobytes.
const PLAN_MOST: usize = 16 * 1024 * 1024;
/// How long planning may take; it takes a tenth of a second.
const PLANNER_LIMIT: Duration = Duration::from_secs(30);
/// Interpreters besides those on PATH.
const INTERPRETERS: [&str; 3] =
    ["/package/s6x/bin/python3", "/usr/local/bin/python3", "/usr/bin/python3"];

const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "stopped; any other code is that of the command"),
    ("1", "the image cannot be planned, or boot failed"),
    ("111", "a system call failed, or there is no plan"),
];

/// init.
pub static APPLET: Applet = Applet {
    name: "init",
    section: Section::Overlay,
    about: "Boot the container, run it and its command, and stop it",
    options: &[],
    arguments: "[ command... ]",
    syntax: Syntax::Raw,
    exit_codes: EXIT_CODES,
    run,
};

/// The same under the name of s6-overlay's first stage.
pub static STAGE1: Applet = Applet { name: "init-stage1", ..APPLET };

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let signals = init::watch_signals()?;
    let facts = init::first_facts(call.environment.clone());
    let plan = match find_plan(call, &facts, &signals) {
        Ok(plan) => plan,
        Err(failure) if failure.message.is_empty() => return Ok(Exit::Code(failure.code)),
        Err(failure) => return Err(failure),
    };
    let ended = init::run(plan, facts, &call.rest, call.title, signals);
    // Whatever it is, it will not be better the next time: not a usage error, though.
    ended.map(Exit::Code).map_err(|error| Failure::new(111, error.to_string()))
}

/// The prebuilt plan if it is still right, else a new one.
fn find_plan(call: &Invocation, facts: &Facts, signals: &SignalFd) -> Result<Plan, Failure> {
    let (old, why) = match read_plan() {
        Ok(plan) => match staleness(&plan, facts) {
            None => return Ok(plan),
            Some(why) => (Some(plan), why),
        },
        Err(error) if error.errno() == Some(Errno::NOT_FOUND) => (None, String::new()),
        Err(error) => {
            call.warning(format!("{PLAN}: {error}"));
            (None, error.to_string())
        }
    };
    let planner = Planner {
        interpreters: interpreters(&call.environment),
        // Not `-m`: Python would import a fifth of its library to find the module.
        words: ["-I", "-c", "from s6x.overlay.__main__ import run; run()"]
            .map(|w| CString::new(w).unwrap_or_default())
            .to_vec(),
        probe: ["-I", "-c", "import s6x.overlay"]
            .map(|w| CString::new(w).unwrap_or_default())
            .to_vec(),
        environment: call.environment.clone(),
        limit: PLANNER_LIMIT,
    };
    let began = clock::monotonic();
    match (planner.plan(signals), old) {
        (Ok(plan), _) => Ok(plan),
        (Err(Unplanned::NoInterpreter | Unplanned::NoPackage), Some(old)) => {
            call.warning(format!(
                "{PLAN} is stale ({why}) and nothing here can make a new one: going on with it; \
                 run `s6x build --root DIR` whenever the image changes"
            ));
            Ok(old)
        }
        (Err(Unplanned::Stopped), _) => Err(Failure::new(0, "")),
        (Err(none @ (Unplanned::NoInterpreter | Unplanned::NoPackage)), None) => {
            let found = if why.is_empty() { format!("there is no {PLAN}") } else { why };
            Err(Failure::new(
                none.exit_code(),
                format!("{found}, and {none}: run `s6x build --root DIR` when building the image"),
            ))
        }
        (
            Err(
                other @ (Unplanned::Failed(_)
                | Unplanned::Killed(_)
                | Unplanned::TimedOut(_)
                | Unplanned::Broken(_)),
            ),
            _,
        ) => {
            let took = clock::monotonic().since(began);
            let rest = format!("the planner ran for {took:.1?}, and nothing of boot was done");
            Err(Failure::new(other.exit_code(), format!("{other}; {rest}")))
        }
    }
}

fn read_plan() -> Result<Plan, Error> {
    let failed = |errno| Error::on("read", PLAN, errno);
    let bytes = Dir::open("/").and_then(|root| root.read(PLAN, PLAN_MOST)).map_err(failed)?;
    plan::decode(&bytes)
}

/// The interpreter that was named, or every one that there may be.
fn interpreters(environment: &Environment) -> Vec<CString> {
    let path = |path: &OsStr| CString::new(path.as_bytes()).ok();
    if let Some(named) = environment.filled("S6X_PYTHON") {
        return path(named).into_iter().collect();
    }
    let usual = INTERPRETERS.iter().filter_map(|name| path(OsStr::new(name)));
    let mut all: Vec<CString> = usual.collect();
    all.extend(environment.candidates(OsStr::new("python3")));
    all.retain(|python| Path::new(OsStr::from_bytes(python.to_bytes())).exists());
    all
}
