//! s6-ipcserver-access: turns away a client that no rule lets in.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::model::access_rules::{Database, Rules};
use s6x_core::sys::{fd, local, process};
use s6x_core::wire::access_rules::{Rule, Terms};
use std::ffi::{OsStr, OsString};

/// s6-ipcserver-access.
pub static APPLET: Applet = Applet {
    name: "s6-ipcserver-access",
    section: Section::Sockets,
    about: "Run a program for a client whom the access rules let in",
    options: &[
        flag('e', "tell the program about the client (as usual)"),
        flag('E', "remove the variables that tell about the client"),
        value('v', "verbosity", "0: quiet, 1: who comes in (as usual), 2: who is turned away, too"),
        value('l', "localname", "what ${PROTO}LOCALPATH is to say, not the name of the socket"),
        value('i', "rulesdir", "the rules are in this directory"),
        value('x', "rulesfile", "the rules are in this cdb"),
    ],
    arguments: "prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the client is turned away"),
        ("100", "wrong usage, or the variables of a super-server are not there"),
        ("111", "the rules cannot be used; the client is turned away"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

/// What a super-server says about a client, behind the name of the protocol.
const TOLD: [&str; 5] = ["REMOTEEUID", "REMOTEEGID", "REMOTEPATH", "LOCALPATH", "CONNNUM"];

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let verbosity = call.number('v')?.unwrap_or(1);
    if call.argument(0, "program")?.is_empty() {
        return Err(Failure::usage("the program is an empty word"));
    }
    let set = |name: &OsStr| {
        let missing = || Failure::new(100, format!("${} is not set", name.display()));
        call.environment.lookup(name).ok_or_else(missing)
    };
    let proto = set(OsStr::new("PROTO"))?;
    let variable = |suffix: &str| -> OsString { [proto, OsStr::new(suffix)].into_iter().collect() };
    let id = |suffix: &str| {
        let name = variable(suffix);
        let wrong = || Failure::new(100, format!("${} is no numerical id", name.display()));
        number(set(&name)?).ok_or_else(wrong)
    };
    let client = (id("REMOTEEUID")?, id("REMOTEEGID")?);

    let who = format!("pid {} uid {} gid {}", process::own_pid(), client.0, client.1);
    let Some(terms) = terms(call, client, verbosity)? else {
        if verbosity >= 2 {
            call.info(format!("deny {who}"));
        }
        return Ok(Exit::Code(1));
    };
    if verbosity > 0 {
        call.info(format!("allow {who}"));
    }
    let mut environment = call.environment.clone();
    terms.apply(&mut environment);
    if call.last_of("eE") == Some('E') {
        for suffix in TOLD {
            environment.unset(variable(suffix));
        }
        environment.unset("PROTO");
    } else {
        let path = match call.value('l') {
            Some(name) => name.to_owned(),
            None => local::own_path(fd::standard(0))
                .map_err(|errno| Error::system("name the socket on standard input", errno))?,
        };
        environment.set(variable("LOCALPATH"), path);
    }
    Ok(match terms.exec {
        Some(line) => call.chain(&["execlineb".into(), "-Pc".into(), line], environment),
        None => call.chain(&call.rest, environment),
    })
}

/// The terms on which a client comes in; `None`: it does not.
fn terms(call: &Invocation, client: (u32, u32), verbosity: u32) -> Result<Option<Terms>, Failure> {
    // Whatever is wrong with rules: nobody comes in, and it may be put right.
    let unusable = |error: Error| Failure::new(111, error.to_string());
    let given = call.options.iter().rev().find(|(letter, _)| matches!(letter, 'i' | 'x'));
    let rules = match given {
        Some(('i', Some(path))) => Rules::Directory(path.into()),
        Some((_, Some(path))) => Rules::Database(Database::open(path).map_err(unusable)?),
        Some((_, None)) | None => {
            if verbosity >= 2 {
                call.warning("there are no rules: everybody comes in");
            }
            return Ok(Some(Terms::default()));
        }
    };
    let rule = rules.look_up(client, process::effective_ids()).map_err(unusable)?;
    Ok(match rule {
        Some(Rule::Allow(terms)) => Some(terms),
        Some(Rule::Deny) | None => None,
    })
}
