//! s6-instance-control: s6-svc on an instance.

use super::place::on_instance;
use crate::options::without;
use crate::supervision::svc;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};

/// s6-instance-control.
pub static APPLET: Applet = Applet {
    name: "s6-instance-control",
    section: Section::Instances,
    about: "Control an instance of a service: send it signals, bring it up or down",
    options: &without::<22>("lPCKQs", svc::OPTIONS),
    arguments: "service name",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "it failed for good or lost its supervisor while waited for"),
        ("99", "timed out"),
        ("100", "wrong usage, or no supervisor listens"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    svc::run(&on_instance(call)?)
}
