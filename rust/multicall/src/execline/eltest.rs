//! eltest: whether a condition holds.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::execline::condition::{Access, Condition, Facts, File};
use s6x_core::regex::Regex;
use s6x_core::sys::dir::{self, Stat};
use s6x_core::sys::open::{self, is_allowed};
use s6x_core::sys::{numbered, process};
use s6x_core::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// eltest.
pub static APPLET: Applet = Applet {
    name: "eltest",
    section: Section::Execline,
    about: "Tell by the exit code whether a condition about words and files holds",
    options: &[],
    arguments: "expression...",
    syntax: Syntax::Raw,
    exit_codes: &[("0", "it does"), ("1", "it does not"), ("100", "it makes no sense")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    if call.rest.is_empty() {
        return Ok(Exit::Code(1));
    }
    let wrong = |message| Failure::new(100, message);
    let condition = Condition::parse(&call.rest).map_err(wrong)?;
    let holds = condition.holds(&World(&call.environment)).map_err(wrong)?;
    Ok(Exit::Code(u8::from(!holds)))
}

/// The world as this process sees it.
struct World<'a>(&'a Environment);

impl Facts for World<'_> {
    fn file(&self, path: &OsStr, follow: bool) -> Option<File> {
        let stat = if follow { dir::stat_path(path) } else { dir::lstat_path(path) };
        stat.ok().map(file)
    }

    fn may(&self, path: &OsStr, access: Access) -> bool {
        let access = match access {
            Access::Exist => open::Access::Exist,
            Access::Read => open::Access::Read,
            Access::Write => open::Access::Write,
            Access::Execute => open::Access::Execute,
        };
        is_allowed(path, access)
    }

    fn effective_ids(&self) -> (u32, u32) {
        process::effective_ids()
    }

    fn is_terminal(&self, fd: u32) -> bool {
        numbered::is_terminal(fd)
    }

    fn is_set(&self, variable: &OsStr) -> bool {
        self.0.lookup(variable).is_some()
    }

    fn matches(&self, text: &OsStr, expression: &OsStr) -> Result<bool, String> {
        let wrong = |reason| {
            let expression = expression.to_string_lossy();
            format!("unable to compile {expression} into a regular expression: {reason}")
        };
        Ok(Regex::new(expression.as_bytes()).map_err(wrong)?.is_match(text.as_bytes()))
    }
}

fn file(stat: Stat) -> File {
    let Stat { identity, mode, uid, gid, size, modified, accessed, .. } = stat;
    File { mode, uid, gid, size, identity, modified, accessed }
}
