//! forx: a program for each of some words.

use super::blocks::Blocks;
use super::crew::{self, AT_MOST, Crew, END_AT, GO_ON_AT, PARALLEL};
use super::{AUTOIMPORT, NO_AUTOIMPORT, filled_variable};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

/// forx.
pub static APPLET: Applet = Applet {
    name: "forx",
    section: Section::Execline,
    about: "Run a program once for each word, which it has in a variable",
    options: &[AUTOIMPORT, NO_AUTOIMPORT, PARALLEL, AT_MOST, GO_ON_AT, END_AT],
    arguments: "variable { words... } prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "several ran at a time, and one of them exited with a code that ends the loop"),
        crew::CODES[0],
        crew::CODES[1],
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let most = crew::at_a_time(call, u32::MAX)?;
    crew::Ending::of(call)?;
    let name = call.argument(0, "variable")?;
    call.argument(1, "block")?;
    let name = filled_variable(name)?;
    let mut blocks = Blocks::of(call, call.rest.get(1..).unwrap_or(&[]));
    let values = blocks.need("unterminated block")?;
    if values.is_empty() || blocks.rest().is_empty() {
        return Ok(Exit::SUCCESS);
    }
    let mut crew = Crew::new(call, name, blocks.rest(), most)?;
    for value in &values {
        if let Some(code) = crew.take(value)? {
            return Ok(Exit::Code(code));
        }
    }
    let is_over = crew.finish()?;
    Ok(Exit::Code(u8::from(most > 1 && is_over)))
}
