//! s6-svdt: lists the deaths of a service.

use super::waiting::temporary;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::observe;
use s6x_core::wire::signal::Signal;
use s6x_core::wire::tally::Death;
use std::fmt::Write;

/// s6-svdt.
pub static APPLET: Applet = Applet {
    name: "s6-svdt",
    section: Section::Status,
    about: "List the last deaths of a service, oldest first",
    options: &[
        flag('S', "signals by name (default)"),
        flag('s', "signals by number"),
        value('n', "maxentries", "only the last ones, at most that many"),
    ],
    arguments: "servicedir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let most = call.number('n')?.map_or(usize::MAX, |most| most as usize);
    let service = call.service(call.only_argument("servicedir")?)?;
    if most == 0 {
        return Ok(Exit::SUCCESS);
    }
    let deaths = observe::deaths(&service).map_err(|error| temporary(&error))?;
    let numbers = call.last_of("Ss") == Some('s');
    let last = deaths.len().saturating_sub(most);
    let mut text = String::new();
    for death in deaths.iter().skip(last) {
        let _ = writeln!(text, "{} {}", death.stamp, ending(*death, numbers));
    }
    call.print(text)?;
    Ok(Exit::SUCCESS)
}

fn ending(death: Death, numbers: bool) -> String {
    match Signal::new(death.signal) {
        Some(signal) if numbers => format!("signal {}", signal.number()),
        Some(signal) => format!("signal {signal}"),
        None if death.signal == 0 => format!("exitcode {}", death.code),
        // No signal of this system.
        None if numbers => format!("signal {}", death.signal),
        None => "signal SIG???".to_owned(),
    }
}
