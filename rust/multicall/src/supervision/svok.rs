//! s6-svok: is a service supervised?

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::run::observe;

/// s6-svok.
pub static APPLET: Applet = Applet {
    name: "s6-svok",
    section: Section::Status,
    about: "Tell by the exit code whether a service is supervised",
    options: &[],
    arguments: "servicedir",
    syntax: Syntax::Posix,
    exit_codes: &[("0", "it is"), ("1", "it is not")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let service = call.service(call.only_argument("servicedir")?)?;
    let supervised = observe::is_supervised(&service)?;
    Ok(Exit::Code(u8::from(!supervised)))
}
