//! What is true in this container: conditions, which environment who sees, CMD's words.

use crate::error::{Errno, Error};
use crate::model::envdir::{self, Reading};
use crate::sys::dir::{self, Dir};
use crate::wire::environment::Environment;
use crate::wire::plan::text::{Facts, Text};
use crate::wire::plan::{Condition, Plan, decimal};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What conditions ask for besides facts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Affairs {
    /// There is a CMD.
    pub(super) command: bool,
    /// Its end is why we stop.
    pub(super) command_ended: bool,
}

/// Whether all of these conditions hold.
pub(super) fn hold(conditions: &[Condition], facts: &Facts, affairs: Affairs) -> bool {
    conditions.iter().all(|condition| holds(condition, facts, affairs))
}

fn holds(condition: &Condition, facts: &Facts, affairs: Affairs) -> bool {
    let value = |name: &[u8]| {
        facts.env.filled(OsStr::from_bytes(name)).map(OsStr::as_bytes).unwrap_or_default()
    };
    match condition {
        Condition::Set(name) => !value(name).is_empty(),
        Condition::Zero(name) => value(name).is_empty() || decimal(value(name)) == Some(0),
        Condition::Equals(name, wanted, default) => {
            let found = value(name);
            wanted == if found.is_empty() { default.as_slice() } else { found }
        }
        Condition::Directory(path) => Dir::open(path_of(path, facts)).is_ok(),
        Condition::Missing(path) => {
            let found = Dir::open("/").and_then(|root| root.lstat(path_of(path, facts)));
            matches!(found, Err(Errno(libc::ENOENT | libc::ENOTDIR)))
        }
        Condition::Writable(path) => dir::may_write(path_of(path, facts)),
        Condition::Root => facts.uid == 0,
        Condition::Command => affairs.command,
        Condition::CommandEnded => affairs.command_ended,
        Condition::Not(condition) => !holds(condition, facts, affairs),
    }
}

/// A text that is a path.
pub(super) fn path_of(text: &Text, facts: &Facts) -> PathBuf {
    PathBuf::from(OsString::from_vec(text.plain(facts)))
}

/// Which scripts an environment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// Supervisors and services.
    Tree,
    /// Scripts of boot.
    Boot,
    /// Scripts of stop.
    Stop,
}

/// The environment of a part of the tree.
pub(super) fn environment(
    plan: &Plan,
    facts: &Facts,
    affairs: Affairs,
    whom: For,
    complain: &mut dyn FnMut(Error),
) -> Environment {
    let rules = &plan.environment;
    let keep = rules.keep_when.as_ref().is_some_and(|when| hold(when, facts, affairs));
    let mut environment = if keep { facts.env.clone() } else { Environment::default() };
    let tree: &[Text] = if keep { &[] } else { &rules.tree };
    let more: &[Text] = match whom {
        For::Tree => &[],
        For::Boot => &rules.scripts,
        For::Stop => &rules.stop,
    };
    for text in tree.iter().chain(more) {
        let directory = path_of(text, facts);
        match envdir::merge(&directory, Reading::FirstLine, &mut environment, complain) {
            Err(error) if error.errno() != Some(Errno::NOT_FOUND) => complain(error),
            Ok(()) | Err(_) => {}
        }
    }
    environment
}

/// The environment of CMD.
pub(super) fn command_environment(
    plan: &Plan,
    facts: &Facts,
    affairs: Affairs,
    complain: &mut dyn FnMut(Error),
) -> Environment {
    let mut environment = if plan.command.sees_container {
        container_environment(plan, facts, complain)
    } else {
        environment(plan, facts, affairs, For::Tree, complain)
    };
    for (name, value) in &plan.command.defaults {
        if environment.lookup(OsStr::from_bytes(name)).is_none() {
            environment.set(OsStr::from_bytes(name), OsStr::from_bytes(value));
        }
    }
    for name in &plan.command.unset {
        environment.unset(OsStr::from_bytes(name));
    }
    environment
}

/// What `with-contenv` gives: the dumped files, else the container's own environment.
fn container_environment(
    plan: &Plan,
    facts: &Facts,
    complain: &mut dyn FnMut(Error),
) -> Environment {
    let Some(dump) = &plan.environment.dump else { return facts.env.clone() };
    let mut environment = Environment::default();
    let directory = path_of(dump, facts);
    match envdir::merge(&directory, Reading::Exact, &mut environment, complain) {
        Ok(()) => environment,
        Err(error) => {
            if error.errno() != Some(Errno::NOT_FOUND) {
                complain(error);
            }
            facts.env.clone()
        }
    }
}

/// The words of CMD: the lines of the plan's variable, empty ones too, then the arguments of init.
pub(super) fn command_words(plan: &Plan, facts: &Facts, arguments: &[OsString]) -> Vec<OsString> {
    let name = plan.command.arg0_env.as_deref().unwrap_or_default();
    let first = facts.env.lookup(OsStr::from_bytes(name)).unwrap_or_default().as_bytes();
    let whole = first.strip_suffix(b"\n").unwrap_or(first);
    let lines = whole.split(|&byte| byte == b'\n').filter(|_| !first.is_empty());
    let lines = lines.map(|line| OsStr::from_bytes(line).to_owned());
    lines.chain(arguments.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_the_environment_and_on_files() {
        let entries = ["ONE=1", "NULL=00", "WORD=yes", "EMPTY="].map(OsString::from);
        let facts = Facts { env: Environment::new(entries), ..Facts::default() };
        let affairs = Affairs { command: true, command_ended: false };
        let is = |condition| hold(&[condition], &facts, affairs);
        let zero = |name: &str| is(Condition::Zero(name.into()));
        assert_eq!(
            ["ONE", "NULL", "WORD", "EMPTY", "NO"].map(zero),
            [false, true, false, true, true]
        );
        let equals = |name: &str| is(Condition::Equals(name.into(), b"1".into(), b"1".into()));
        assert_eq!(["ONE", "NULL", "EMPTY", "NO"].map(equals), [true, false, true, true]);
        let path = |text: &str| Text::parse(text.as_bytes(), &[]).expect("plain");
        assert!(is(Condition::Directory(path("/proc/self"))));
        assert!(!is(Condition::Directory(path("/proc/self/stat"))));
        assert!(is(Condition::Missing(path("/proc/self/stat/below"))));
        assert!(!is(Condition::Missing(path("/proc/self"))));
        assert!(is(Condition::Command) && is(Condition::Not(Box::new(Condition::CommandEnded))));
    }
}
