//! multisubstitute: several substitutions at once, none of which sees what another puts in.

use super::blocks::Blocks;
use super::directive::{CODES, Found, Kind, Options};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::error::shown;
use std::path::Path;

/// multisubstitute.
pub static APPLET: Applet = Applet {
    name: "multisubstitute",
    section: Section::Execline,
    about: "Replace several keys in the words that follow, all at once",
    options: &[],
    arguments: "{ define ... importas ... elglob ... elgetpositionals ... multidefine ... } prog...",
    syntax: Syntax::Raw,
    exit_codes: CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let mut blocks = Blocks::of(call, &call.rest);
    call.argument(0, "block")?;
    let block = blocks.need("unterminated block")?;
    if blocks.rest().is_empty() {
        return Err(Failure::usage("no program given"));
    }
    let mut inner = blocks.within(&block);
    let mut found = Found::default();
    let mut words = block.as_slice();
    while let Some((name, rest)) = words.split_first() {
        let Some(kind) = Kind::named(name) else {
            let name = shown(Path::new(name));
            return Err(Failure::new(100, format!("syntax error: unrecognized directive {name}")));
        };
        let parsed = Options::taken(kind.options(), rest);
        let read = parsed.and_then(|(options, used)| {
            let own = rest.get(used..).unwrap_or(&[]);
            kind.read(&options, own, &mut inner, &mut found)
        });
        words = read.map_err(|wrong| wrong.of_directive(name))?;
    }
    found.go_on(call, blocks.rest())
}
