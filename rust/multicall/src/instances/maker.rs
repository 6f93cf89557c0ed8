//! s6-instance-maker: a service that can have instances, made from a service directory.

use super::place::{COPIES, SCAN_DIR, TEMPLATE};
use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, maker, value};
use s6x_core::error::{Errno, Error, Result as CoreResult};
use s6x_core::run::service_maker::{Form, Logging, Script, make, make_directory};
use s6x_core::run::tree;
use s6x_core::sys::user::{Accounts, User};
use s6x_core::sys::{dir, process};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-instance-maker.
pub static APPLET: Applet = Applet {
    name: "s6-instance-maker",
    section: Section::Instances,
    about: "Make a service that can have instances, from a service directory as a template",
    options: &[
        value('c', "max", "plan for at most that many instances (500)"),
        value('u', "user", "run the supervisor of the instances, and them, as this user"),
        maker::LOG_USER,
        value('L', "logdir", "with a logger, which logs there"),
        maker::STAMPS,
        maker::ARCHIVES,
        maker::SIZE,
        maker::TOTAL,
        maker::PREFIX,
        value('r', "service[/logger[/pipeline]]", "make source directories for s6-rc in dir"),
    ],
    arguments: "template dir",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let most = call.number('c')?.unwrap_or(500).clamp(1, 90_000);
    let logging = logging(call)?;
    let form = match call.value('r') {
        None => Form::ServiceDirectory,
        Some(names) => form(names, logging.is_some())?,
    };
    let user = user(call)?;
    let template = Path::new(call.argument(0, "template")?);
    let template = template
        .canonicalize()
        .map_err(|error| Failure::from(Error::on("look at", template, Errno::of(&error))))?;
    let at = Path::new(call.argument(1, "directory to make")?);
    call.warn_of_more_than(2);

    let mut script = Script::new(&call.environment)?.text("\nfdmove -c 2 1\n");
    if let Some(user) = user {
        script = script.text("s6-setuidgid ").word(user).text("\n");
    }
    let script = script.text(&format!("s6-svscan -d3 -c{most} -- {SCAN_DIR}\n"));
    let logging = logging.as_ref().map(|logging| (logging, &call.environment));
    let owner = user.and_then(owner);
    make(at, form, &script, logging, |service| fill(service, form, &template, owner.as_ref()))?;
    Ok(Exit::SUCCESS)
}

/// The logger, if there is to be one.
fn logging(call: &Invocation) -> Result<Option<Logging<'_>>, Failure> {
    // Mistakes in its other options are told without a directory, too.
    let logging = maker::logging(call, call.value('L').unwrap_or_default())?;
    if call.value('L').is_none() {
        return Ok(None);
    }
    if !logging.directory.as_bytes().starts_with(b"/") {
        return Err(Failure::new(100, "option -L: the log directory must be an absolute path"));
    }
    Ok(Some(logging))
}

/// The value of `-r`. A logger needs a directory, and the other way round.
fn form(names: &OsStr, logs: bool) -> Result<Form<'_>, Failure> {
    let wrong = |how: &str| Failure::new(100, format!("option -r: {}: {how}", quoted(names)));
    let form = Form::parse(names).map_err(wrong)?;
    match form {
        Form::Sources { logger: Some(_), .. } if !logs => Err(wrong("a logger needs -L")),
        Form::Sources { logger: None, .. } if logs => Err(wrong("with -L, it names a logger too")),
        Form::Sources { .. } | Form::ServiceDirectory => Ok(form),
    }
}

fn user(call: &Invocation) -> Result<Option<&OsStr>, Failure> {
    match call.value('u') {
        Some(user) if user.as_bytes().iter().any(|byte| b" \t\n".contains(byte)) => {
            Err(Failure::new(100, format!("option -u: {} is no user", quoted(user))))
        }
        user => Ok(user.filter(|user| !user.is_empty())),
    }
}

/// The account that is to run the instances, if we can give directories to it.
fn owner(name: &OsStr) -> Option<User> {
    let (uid, _) = process::effective_ids();
    if uid == 0 { Accounts::of_root(Path::new("/")).user(name.to_str()?) } else { None }
}

/// What makes a service one that can have instances. s6-rc makes the directories of instances itself.
fn fill(service: &Path, form: Form<'_>, template: &Path, owner: Option<&User>) -> CoreResult<()> {
    if matches!(form, Form::ServiceDirectory) {
        for part in [SCAN_DIR, COPIES] {
            let path = service.join(part);
            let made = make_directory(&path)?;
            if let Some(owner) = owner {
                let given = dir::chown(&made, owner.uid, owner.gid);
                given.map_err(|errno| Error::on("change the owner of", path, errno))?;
            }
        }
    }
    let mut failure = None;
    tree::copy(template, &service.join(TEMPLATE), &mut |error| {
        failure.get_or_insert(error);
    })?;
    failure.map_or(Ok(()), Err)
}
