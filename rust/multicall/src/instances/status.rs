//! s6-instance-status: s6-svstat of an instance.

use super::place::on_instance;
use crate::supervision::svstat;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};

/// s6-instance-status.
pub static APPLET: Applet = Applet {
    name: "s6-instance-status",
    section: Section::Instances,
    about: "Print the state of an instance of a service, for people or field by field",
    options: &[
        flag('u', "field up: true or false"),
        flag('w', "field wantedup: whether the supervisor means to keep it up"),
        flag('N', "field normallyup: whether there is no file down"),
        flag('r', "field ready: whether it is up and ready"),
        flag('p', "field pid: -1 when down"),
        flag('e', "field exitcode: -1 when up or killed"),
        flag('s', "field signal: NA when up or not killed"),
        flag('t', "field updownfor: seconds since it came up or went down"),
        value(
            'o',
            "fields",
            "these, with commas between; also paused signum updownsince readysince readyfor",
        ),
        flag('n', "for people: signals by number"),
    ],
    arguments: "service name",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "it is not supervised")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    svstat::run(&on_instance(call)?)
}
