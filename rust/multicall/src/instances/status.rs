//! s6-instance-status: s6-svstat of an instance.

use super::place::on_instance;
use crate::options::without;
use crate::supervision::svstat;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

/// s6-instance-status.
pub static APPLET: Applet = Applet {
    name: "s6-instance-status",
    section: Section::Instances,
    about: "Print the state of an instance of a service, for people or field by field",
    options: &without::<10>("g", svstat::OPTIONS),
    arguments: "service name",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "it is not supervised")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    svstat::run(&on_instance(call)?)
}
