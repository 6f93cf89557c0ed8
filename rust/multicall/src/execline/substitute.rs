//! define, importas, import: one key replaced in the words that follow.

use super::directive::{
    self, CHOMP, CODES, CRUNCH, DELIMITERS, Found, KEEP, Options, SPLIT, SPREAD, Wrong,
};
use crate::options::Opt;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use std::ffi::OsString;

/// Options of importas.
pub(super) const OF_IMPORTAS: &[Opt] = &[
    flag('S', "the variable's name is the key"),
    flag('i', "fail if it is not set"),
    value('D', "default", "take this if it is not set"),
    flag('u', "remove the variable"),
    SPLIT,
    KEEP,
    CHOMP,
    CRUNCH,
    SPREAD,
    DELIMITERS,
];

/// Options of define.
pub(super) const OF_DEFINE: &[Opt] = &[SPLIT, KEEP, CHOMP, CRUNCH, SPREAD, DELIMITERS];

/// define.
pub static DEFINE: Applet = Applet {
    name: "define",
    section: Section::Execline,
    about: "Replace a key by a value in the words that follow",
    options: OF_DEFINE,
    arguments: "key value prog...",
    syntax: Syntax::Posix,
    exit_codes: CODES,
    run: |call| {
        let mut found = Found::default();
        let rest = directive::define(&Options::of(&call.options), &call.rest, &mut found);
        go_on(call, &found, rest)
    },
};

/// importas.
pub static IMPORTAS: Applet = Applet {
    name: "importas",
    section: Section::Execline,
    about: "Replace a key by a variable's value in the words that follow",
    options: OF_IMPORTAS,
    arguments: "key variable prog...",
    syntax: Syntax::Posix,
    exit_codes: CODES,
    run: |call| importas(call, false),
};

/// import, as execline had it up to 2.4.
pub static IMPORT: Applet = Applet {
    name: "import",
    about: "Replace a variable's name by its value in the words that follow: importas -S",
    arguments: "variable prog...",
    run: |call| importas(call, true),
    ..IMPORTAS
};

fn importas(call: &Invocation, by_its_name: bool) -> Result<Exit, Failure> {
    let mut given = call.options.clone();
    if by_its_name {
        given.push(('S', None));
    }
    let mut found = Found::default();
    let rest = directive::importas(&Options::of(&given), &call.rest, &call.environment, &mut found);
    go_on(call, &found, rest)
}

/// Replaces what was found.
pub(super) fn go_on(
    call: &Invocation,
    found: &Found,
    rest: Result<&[OsString], Wrong>,
) -> Result<Exit, Failure> {
    let rest = rest.map_err(Wrong::of_command)?;
    let mut environment = call.environment.clone();
    for name in &found.unset {
        environment.take(name);
    }
    super::substitute(rest, &found.keys, environment)
}
