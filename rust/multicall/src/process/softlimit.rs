//! s6-softlimit: resource limits for a program.

use crate::invocation::quoted;
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::sys::limits::{Limit, Resource, UNLIMITED};
use std::ffi::OsStr;

/// s6-softlimit.
pub static APPLET: Applet = Applet {
    name: "s6-softlimit",
    section: Section::Process,
    about: "Run a program under resource limits; = as a value means: as much as allowed",
    options: &[
        flag('h', "the options behind this one set how far a limit may be raised"),
        flag('H', "the options behind this one set both the limit and how far it may be raised"),
        value('a', "bytes", "address space"),
        value('c', "bytes", "size of a core file"),
        value('d', "bytes", "data"),
        value('f', "bytes", "size of a file that is written"),
        value('l', "bytes", "locked memory"),
        value('m', "bytes", "data, stack, locked memory, and address space: each as much"),
        value('o', "files", "open files"),
        value('p', "processes", "processes of the user"),
        value('P', "priority", "real-time priority"),
        value('r', "bytes", "resident memory (not enforced by Linux)"),
        value('s', "bytes", "stack"),
        value('t', "seconds", "processor time"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("111", "a limit is refused; the program is not run"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

/// Which of the two limits an option sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Soft,
    Hard,
    Both,
}

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.argument(0, "program")?;
    let mut which = Which::Soft;
    let mut steps = Vec::new();
    for (letter, word) in &call.options {
        match (letter, word) {
            ('h', _) => which = Which::Hard,
            ('H', _) => which = Which::Both,
            (_, None) => {} // no other option is without a value
            (letter, Some(word)) => {
                let wanted = amount(*letter, word)?;
                steps.extend(resources(*letter).iter().map(|&what| (what, which, wanted)));
            }
        }
    }
    let mut limits: Vec<(Resource, Limit)> = Vec::new();
    for (resource, which, wanted) in steps {
        match limits.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, limit)) => *limit = changed(*limit, which, wanted),
            None => limits.push((resource, changed(in_force(resource)?, which, wanted))),
        }
    }
    let environment = call.environment.clone();
    let program = Exec::new(call.rest.clone(), environment);
    Ok(Exit::ExecUnder(program, limits))
}

fn in_force(resource: Resource) -> Result<Limit, Failure> {
    let what = || format!("read the limit of {}", resource.title());
    resource.limit().map_err(|errno| Error::system(what(), errno).into())
}

fn resources(letter: char) -> &'static [Resource] {
    match letter {
        'a' => &[Resource::AddressSpace],
        'c' => &[Resource::Core],
        'd' => &[Resource::Data],
        'f' => &[Resource::FileSize],
        'l' => &[Resource::LockedMemory],
        'm' => &[Resource::Data, Resource::Stack, Resource::LockedMemory, Resource::AddressSpace],
        'o' => &[Resource::OpenFiles],
        'p' => &[Resource::Processes],
        'P' => &[Resource::RealtimePriority],
        'r' => &[Resource::Resident],
        's' => &[Resource::Stack],
        't' => &[Resource::Cpu],
        _ => &[],
    }
}

/// A number, or `None` for `=`: all that is allowed.
fn amount(letter: char, word: &OsStr) -> Result<Option<u64>, Failure> {
    if word == "=" {
        return Ok(None);
    }
    let digits = word.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let wrong = || format!("option -{letter}: {} is neither a number nor =", quoted(word));
    digits.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| Failure::usage(wrong()))
}

/// The new limit. A soft one is never above the hard one.
fn changed(old: Limit, which: Which, wanted: Option<u64>) -> Limit {
    let hard = match which {
        Which::Soft => old.hard,
        Which::Hard | Which::Both => wanted.unwrap_or(UNLIMITED),
    };
    let soft = match which {
        Which::Soft | Which::Both => wanted.unwrap_or(hard),
        Which::Hard => old.soft,
    };
    Limit { soft: soft.min(hard), hard }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_with_a_value_limits_something() {
        for option in APPLET.options {
            assert_eq!(option.value.is_some(), !resources(option.letter).is_empty());
        }
    }

    #[test]
    fn what_the_options_do() {
        let old = Limit { soft: 50, hard: 100 };
        for (which, wanted, soft, hard) in [
            (Which::Soft, Some(70), 70, 100),
            (Which::Soft, Some(700), 100, 100),
            (Which::Soft, None, 100, 100),
            (Which::Hard, Some(70), 50, 70),
            (Which::Hard, Some(20), 20, 20),
            (Which::Hard, None, 50, UNLIMITED),
            (Which::Both, Some(700), 700, 700),
            (Which::Both, None, UNLIMITED, UNLIMITED),
        ] {
            assert_eq!(changed(old, which, wanted), Limit { soft, hard }, "{which:?} {wanted:?}");
        }
    }
}
