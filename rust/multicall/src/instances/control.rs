//! s6-instance-control: s6-svc on an instance.

use super::place::on_instance;
use crate::supervision::svc;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};

/// s6-instance-control.
pub static APPLET: Applet = Applet {
    name: "s6-instance-control",
    section: Section::Instances,
    about: "Control an instance of a service: send it signals, bring it up or down",
    options: &[
        flag('a', "SIGALRM to the instance"),
        flag('b', "SIGABRT"),
        flag('q', "SIGQUIT"),
        flag('h', "SIGHUP"),
        flag('k', "SIGKILL"),
        flag('t', "SIGTERM"),
        flag('i', "SIGINT"),
        flag('1', "SIGUSR1"),
        flag('2', "SIGUSR2"),
        flag('p', "pause: SIGSTOP"),
        flag('c', "continue: SIGCONT"),
        flag('y', "SIGWINCH"),
        flag('r', "restart: its down-signal, and it is started again if wanted up"),
        flag('o', "up once: start it, do not restart it"),
        flag('d', "down: its down-signal, then SIGCONT"),
        flag('u', "up: start it, restart it whenever it dies"),
        flag('D', "down, and down when supervision starts again"),
        flag('U', "up, and up when supervision starts again"),
        flag('x', "the supervisor exits when the instance is down"),
        flag('O', "once at most: do not restart it"),
        value('w', "uUdDrR", "wait until up, down, restarted; a capital letter: and ready"),
        value('T', "timeout", "wait at most that many milliseconds"),
    ],
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
