//! s6-alias: becomes the program of s6 that does what the named one did.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use std::ffi::{OsStr, OsString};

/// s6-alias.
pub static APPLET: Applet = Applet {
    name: "s6-alias",
    section: Section::Utilities,
    about: "Run the program of s6 that does what one of daemontools or runit did",
    options: &[flag('v', "say which one that is")],
    arguments: "name args...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("100", "wrong usage, or s6 has nothing that does the same"),
        ("126", "the program of s6 cannot be executed"),
        ("127", "it is not there"),
    ],
    run,
};

/// What there is instead of a program.
enum Instead {
    /// A program that takes the same words, behind these.
    Program(&'static [&'static str]),
    /// These words, whatever was given.
    Words(&'static [&'static str]),
    /// Nothing that could take its words; the text says what to do.
    Nothing(&'static str),
}

use Instead::{Nothing, Program, Words};

/// Every name, sorted.
static NAMES: &[(&str, Instead)] = &[
    ("chpst", Program(&["s6-alias-chpst"])),
    ("envdir", Program(&["s6-envdir"])),
    ("envuidgid", Program(&["s6-envuidgid"])),
    ("fghack", Program(&["s6-fghack"])),
    ("multilog", Program(&["s6-log"])),
    ("pgrphack", Program(&["s6-setsid"])),
    ("readproctitle", Nothing("s6-svscanboot logs what no logger takes")),
    ("runit", Nothing("/init boots a container")),
    ("runit-init", Nothing("/init boots a container")),
    ("runsv", Program(&["s6-supervise"])),
    ("runsvchdir", Nothing("s6-rc changes between sets of services")),
    ("runsvdir", Program(&["s6-svscan", "-t0"])),
    ("setlock", Program(&["s6-setlock"])),
    ("setuidgid", Program(&["s6-setuidgid"])),
    ("softlimit", Program(&["s6-softlimit"])),
    ("supervise", Program(&["s6-supervise"])),
    ("sv", Program(&["s6-alias-sv"])),
    ("svc", Program(&["s6-svc"])),
    ("svlogd", Nothing("s6-log does what it does, but takes its configuration as words")),
    ("svok", Program(&["s6-svok"])),
    ("svscan", Program(&["s6-svscan"])),
    ("svscanboot", Words(&["s6-svscanboot", "-c", "/dev/console", "--", "/service"])),
    ("svstat", Program(&["s6-svstat"])),
    ("tai64n", Program(&["s6-tai64n"])),
    ("tai64nlocal", Program(&["s6-tai64nlocal"])),
    ("utmpset", Nothing("no program of s6 writes utmp")),
];

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "name")?;
    let known = |name: &OsStr| NAMES.iter().find(|(its, _)| *its == name);
    let Some((_, instead)) = known(name) else {
        let message = format!("{} is no program of daemontools or runit", quoted(name));
        return Err(Failure::new(100, message));
    };
    let (words, given) = match instead {
        Program(words) => (words, call.rest.get(1..).unwrap_or(&[])),
        Words(words) => (words, &[][..]),
        Nothing(what) => {
            let message = format!("there is no {} here: {what}", name.display());
            return Err(Failure::new(100, message));
        }
    };
    if call.has('v') {
        call.info(format!("{} is {} here", name.display(), words.join(" ")));
    }
    let words = words.iter().map(OsString::from).chain(given.iter().cloned());
    Ok(call.chain(&words.collect::<Vec<_>>(), call.environment.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn every_program_is_there() {
        for (name, instead) in NAMES {
            match instead {
                Program([program, ..]) | Words([program, ..]) => {
                    assert!(table::named(program).is_some(), "{name}: {program}");
                }
                Program([]) | Words([]) => panic!("{name}: no program"),
                Nothing(what) => assert!(!what.is_empty(), "{name}"),
            }
        }
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
    }
}
