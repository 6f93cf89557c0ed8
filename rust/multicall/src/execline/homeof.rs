//! homeof: a user's home directory.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::sys::user::Accounts;
use std::path::Path;

/// homeof.
pub static APPLET: Applet = Applet {
    name: "homeof",
    section: Section::Execline,
    about: "Print a user's home directory",
    options: &[],
    arguments: "user",
    syntax: Syntax::Raw,
    exit_codes: &[("111", "there is no such user")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let name = call.argument(0, "user")?;
    let accounts = Accounts::of_root_exactly(Path::new("/"))?;
    let unknown = || {
        let name = name.to_string_lossy();
        Failure::new(111, format!("unable to get passwd entry for {name}: no such user"))
    };
    let user = name.to_str().and_then(|name| accounts.user(name)).ok_or_else(unknown)?;
    call.print(user.home + "\n")?;
    Ok(Exit::SUCCESS)
}
