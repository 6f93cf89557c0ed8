//! The plan: what `/init` does in one image (`docs/formats.md`).
//!
//! These types follow the format key by key; `s6x.overlay` makes the bytes, [`decode`] reads them, and
//! PID 1 runs them. Everything is checked here, so that a plan that was read can be run.

mod decode;
mod fields;
mod ops;
#[cfg(test)]
mod tests;
pub mod text;

pub use decode::decode;

use crate::wire::environment::Environment;
use crate::wire::signal::Signal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use text::Text;

/// A whole plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which generation it behaves as; for people.
    pub generation: Vec<u8>,
    /// Where one does not hold, the plan is not meant for this environment.
    pub valid_when: Vec<Condition>,
    /// What the planner read.
    pub inputs: Vec<Input>,
    /// What `ps` shows for PID 1.
    pub title: Text,
    /// Candidates for the runtime directory, best first.
    pub run: Vec<Text>,
    /// PATH of a container that has none.
    pub default_path: Vec<u8>,
    /// Who sees which variables.
    pub environment: Variables,
    /// How CMD is formed and run.
    pub command: Command,
    /// What a failed checked step means.
    pub failure: Failure,
    /// What signals mean; others do nothing.
    pub signals: Vec<(Signal, Meaning)>,
    /// The steps of boot.
    pub boot: Vec<Rc<Step>>,
    /// The steps of stop.
    pub stop: Vec<Rc<Step>>,
    /// The longest that stopping may take, in ms; 0: no limit of its own.
    pub stop_limit_ms: Number,
    /// Where the container's exit code is written and read.
    pub exit_file: Option<Text>,
}

/// Something the planner read, and what it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The absolute path.
    pub path: Vec<u8>,
    /// What it was.
    pub fingerprint: Fingerprint,
}

/// What a file was when the plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// `-`: nothing there, or neither file nor directory.
    Absent,
    /// `e`: there, whatever it holds.
    There,
    /// `d`: a directory; the hash of its sorted names, NUL after each.
    Directory(u64),
    /// `f`: a file; the hash of its content.
    File(u64),
}

/// A condition on the container's environment, the image, or the state of affairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The variable is not empty.
    Set(Vec<u8>),
    /// The variable is unset, empty, or a decimal zero.
    Zero(Vec<u8>),
    /// The variable has this value; unset or empty, it counts as the last.
    Equals(Vec<u8>, Vec<u8>, Vec<u8>),
    /// A directory, links followed.
    Directory(Text),
    /// Nothing is there.
    Missing(Text),
    /// We may write to it: rights and a read-only file system are looked at.
    Writable(Text),
    /// We are root, in our user namespace.
    Root,
    /// There is a CMD.
    Command,
    /// The end of CMD is why we stop.
    CommandEnded,
    /// The contrary.
    Not(Box<Condition>),
}

/// A number that the environment may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// Always this.
    Fixed(u64),
    /// The variable where it is a decimal number, else the default.
    Variable {
        /// Its name.
        name: Vec<u8>,
        /// Without it.
        default: u64,
        /// At most this.
        max: Option<u64>,
    },
}

impl Number {
    /// What it is in this environment.
    pub fn within(&self, env: &Environment) -> u64 {
        match self {
            Number::Fixed(number) => *number,
            Number::Variable { name, default, max } => {
                let value = env.lookup(OsStr::from_bytes(name));
                let value = value.map(OsStr::as_bytes).and_then(decimal).unwrap_or(*default);
                max.map_or(value, |max| value.min(max))
            }
        }
    }
}

/// The number that these digits are; one that does not fit counts as the largest.
pub fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Who sees which variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variables {
    /// The variable that gets the working directory.
    pub export_cwd: Option<Vec<u8>>,
    /// When the whole tree sees the container's environment; `None`: never.
    pub keep_when: Option<Vec<Condition>>,
    /// Otherwise it sees what is in these directories.
    pub tree: Vec<Text>,
    /// Merged on top for scripts of boot.
    pub scripts: Vec<Text>,
    /// Merged on top for scripts of stop.
    pub stop: Vec<Text>,
    /// Where the container's environment is dumped.
    pub dump: Option<Text>,
}

/// How CMD is formed and run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The variable whose lines are put in front.
    pub arg0_env: Option<Vec<u8>>,
    /// Whether it sees the container's environment rather than the tree's.
    pub sees_container: bool,
    /// Variables added where unset.
    pub defaults: Vec<(Vec<u8>, Vec<u8>)>,
    /// Variables removed.
    pub unset: Vec<Vec<u8>>,
    /// The code when there is no such program.
    pub not_found: u8,
    /// The code when it cannot be executed.
    pub not_executable: u8,
    /// Added to the signal for the log.
    pub signal_base: u16,
    /// Added to the signal for the exit code.
    pub signal_exit_base: u8,
}

/// What a failed checked step means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 0: go on; 1: skip the rest of boot; 2 and above: stop.
    pub level: Number,
    /// Printed from level 1.
    pub banner: Text,
    /// The container's exit code from level 2.
    pub exit_code: u8,
}

/// What a signal to PID 1 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Stop.
    Stop,
    /// Stop without telling the supervisors first.
    StopNow,
    /// Scan again.
    Rescan,
    /// Scan again and end what has gone.
    RescanAndPrune,
}

/// One step of boot or stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// For reports.
    pub name: Vec<u8>,
    /// Skipped unless all hold.
    pub when: Vec<Condition>,
    /// Printed before.
    pub say: Text,
    /// Printed after.
    pub done: Text,
    /// Printed on stderr when its limit has passed.
    pub late: Text,
    /// A non-zero code counts as a failure.
    pub checked: bool,
    /// A non-zero code ends the container with this one.
    pub fatal: Option<u8>,
    /// What it does.
    pub kind: Kind,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// File operations, in order.
    Files(Vec<Op>),
    /// PID 1 becomes the scanner of a directory.
    Supervise(Supervise),
    /// Rules about owners and modes.
    FixAttrs(FixAttrs),
    /// Every file of a directory, run one after the other.
    Scripts(Scripts),
    /// Every subdirectory is copied into the scan directory.
    Services(Text),
    /// Waits until those services are ready, or up.
    Await {
        /// The services' directory.
        from: Text,
        /// How long, in ms.
        limit_ms: Number,
    },
    /// Runs CMD.
    Command,
    /// Tells the supervisors to bring their services down.
    BringDown {
        /// When to wait for them; `None`: never.
        wait_when: Option<Vec<Condition>>,
        /// How long, in ms.
        limit_ms: Number,
    },
    /// Waits until no supervisor is left, so many ms.
    AwaitDown(Number),
    /// Flushes the disks.
    Sync,
    /// TERM to everything left; waits so many ms for its end.
    Terminate(Number),
    /// KILL to everything left.
    Kill,
    /// Only prints.
    Say,
}

impl Kind {
    /// The directory whose entries are taken one after the other.
    pub fn directory(&self) -> Option<&Text> {
        if let Kind::Scripts(Scripts { directory, .. })
        | Kind::FixAttrs(FixAttrs { rules: Rules::Directory(directory), .. }) = self
        {
            Some(directory)
        } else {
            None
        }
    }

    /// What is printed before and after each of those entries.
    pub fn each(&self) -> Option<(&Text, &Text)> {
        if let Kind::Scripts(Scripts { each, each_done, .. })
        | Kind::FixAttrs(FixAttrs { each, each_done, .. }) = self
        {
            Some((each, each_done))
        } else {
            None
        }
    }
}

/// A step of `supervise`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervise {
    /// The scan directory.
    pub scandir: Text,
    /// Where output goes that no logger takes; `None`: to the container's own stdout and stderr.
    pub catch_all: Option<CatchAll>,
}

/// The catch-all logger's side of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatchAll {
    /// There is one only where all of these hold.
    pub when: Vec<Condition>,
    /// The FIFO that it reads.
    pub fifo: Text,
    /// When CMD's output goes there as well; `None`: never.
    pub command: Option<Vec<Condition>>,
}

/// A step of `fix-attrs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixAttrs {
    /// The rules, or where they are.
    pub rules: Rules,
    /// When hidden files are included; `None`: never.
    pub hidden: Option<Vec<Condition>>,
    /// Printed before each file.
    pub each: Text,
    /// Printed after each file.
    pub each_done: Text,
}

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// The text itself.
    Text(Text),
    /// Every file of a directory.
    Directory(Text),
}

/// A step of `scripts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripts {
    /// Where they are.
    pub directory: Text,
    /// Printed before each.
    pub each: Text,
    /// Printed after each.
    pub each_done: Text,
    /// Where they run.
    pub cwd: Text,
    /// How long each may take, in ms; 0: no limit.
    pub limit_ms: Number,
    /// What a script counts as that took too long.
    pub limit_code: u8,
    /// Whether they find the end of their stdin at once, instead of reading the container's.
    pub no_input: bool,
    /// Whether one that cannot be executed skips the rest of boot but CMD.
    pub unspawnable_aborts: bool,
}

/// A file operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Makes a directory and its parents.
    Mkdir(Text, u32),
    /// Removes whatever is there.
    Remove(Text),
    /// Copies a hierarchy: from, to.
    Copy(Text, Text),
    /// Makes a symbolic link: target, path.
    Link(Text, Text),
    /// Makes a FIFO.
    Fifo(Text, u32),
    /// Writes a file: path, content, mode.
    Write(Text, Text, u32),
    /// One file for each variable of the container.
    DumpEnvironment(Text),
    /// Reports nothing and goes on.
    Try(Box<Op>),
    /// Only if the conditions hold when its turn comes.
    When(Vec<Condition>, Box<Op>),
}
