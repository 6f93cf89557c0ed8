//! define, importas (import), elglob, elgetpositionals, multidefine: keys replaced in the words that follow.

use super::blocks::Blocks;
use super::directive::{CODES, Found, Kind, Options, Wrong};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

/// define.
pub static DEFINE: Applet = Applet {
    name: "define",
    section: Section::Execline,
    about: "Replace a key by a value in the words that follow",
    options: Kind::Define.options(),
    arguments: "key value prog...",
    syntax: Syntax::Posix,
    exit_codes: CODES,
    run: |call| run(call, Kind::Define, &call.options),
};

/// importas.
pub static IMPORTAS: Applet = Applet {
    name: "importas",
    about: "Replace a key by a variable's value in the words that follow",
    options: Kind::Importas.options(),
    arguments: "key variable prog...",
    run: |call| run(call, Kind::Importas, &call.options),
    ..DEFINE
};

/// import, as execline had it up to 2.4.
pub static IMPORT: Applet = Applet {
    name: "import",
    about: "Replace a variable's name by its value in the words that follow: importas -S",
    arguments: "variable prog...",
    run: |call| {
        let by_its_name = [call.options.as_slice(), &[('S', None)]].concat();
        run(call, Kind::Importas, &by_its_name)
    },
    ..IMPORTAS
};

/// elglob.
pub static ELGLOB: Applet = Applet {
    name: "elglob",
    about: "Replace a key by the names of files that match a pattern",
    options: Kind::Elglob.options(),
    arguments: "key pattern prog...",
    run: |call| run(call, Kind::Elglob, &call.options),
    ..DEFINE
};

/// elgetpositionals.
pub static ELGETPOSITIONALS: Applet = Applet {
    name: "elgetpositionals",
    about: "Replace #, @, 0, 1 and so on by the script's arguments",
    options: Kind::Elgetpositionals.options(),
    arguments: "prog...",
    run: |call| run(call, Kind::Elgetpositionals, &call.options),
    ..DEFINE
};

/// multidefine.
pub static MULTIDEFINE: Applet = Applet {
    name: "multidefine",
    about: "Replace several keys, each by its word of a value",
    options: Kind::Multidefine.options(),
    arguments: "value { keys... } prog...",
    run: |call| run(call, Kind::Multidefine, &call.options),
    ..DEFINE
};

/// Runs a command that is one directive.
fn run(
    call: &Invocation,
    kind: Kind,
    options: &[(char, Option<std::ffi::OsString>)],
) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    let mut found = Found::default();
    let rest = kind.read(&Options::of(options), &call.rest, &mut blocks, &mut found);
    found.go_on(call, rest.map_err(Wrong::of_command)?)
}
