//! export, unexport: one variable.

use super::{CHAIN_CODES, variable};
use crate::{Applet, Exec, Exit, Failure, Invocation, Section, Syntax};

/// export.
pub static EXPORT: Applet = Applet {
    name: "export",
    section: Section::Execline,
    about: "Set a variable and run a program",
    options: &[],
    arguments: "variable value prog...",
    syntax: Syntax::Raw,
    exit_codes: CHAIN_CODES,
    run: |call| change(call, true),
};

/// unexport.
pub static UNEXPORT: Applet = Applet {
    name: "unexport",
    about: "Remove a variable and run a program",
    arguments: "variable prog...",
    run: |call| change(call, false),
    ..EXPORT
};

fn change(call: &Invocation, set: bool) -> Result<Exit, Failure> {
    let name = call.argument(0, "variable")?;
    let mut environment = call.environment.clone();
    let used = if set { 2 } else { 1 };
    let value = if set { Some(call.argument(1, "value")?) } else { None };
    call.argument(used, "program")?;
    let name = variable(name)?;
    match value {
        Some(value) => environment.put(name, value),
        None => environment.take(name),
    }
    Ok(Exit::Exec(Exec::new(call.rest.get(used..).unwrap_or(&[]).to_vec(), environment)))
}
