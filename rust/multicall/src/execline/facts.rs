//! getcwd, getpid, withstdinas: a fact in a variable, or substituted at once.

use super::{AUTOIMPORT, NO_AUTOIMPORT, directory, filled_variable, go_on_with};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::execline::MOST_BYTES;
use s6x_core::sys::{fd, process};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// getcwd.
pub static GETCWD: Applet = Applet {
    name: "getcwd",
    section: Section::Execline,
    about: "Run a program with the working directory's path in a variable",
    options: &[AUTOIMPORT, NO_AUTOIMPORT],
    arguments: "variable prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run: getcwd,
};

/// getpid.
pub static GETPID: Applet = Applet {
    name: "getpid",
    section: Section::Execline,
    about: "Run a program with its process id in a variable",
    options: &[
        AUTOIMPORT,
        NO_AUTOIMPORT,
        flag('P', "that of its parent"),
        flag('p', "its own (default)"),
    ],
    arguments: "variable prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run: getpid,
};

/// withstdinas.
pub static WITHSTDINAS: Applet = Applet {
    name: "withstdinas",
    section: Section::Execline,
    about: "Read all of standard input into a variable, and run a program",
    options: &[
        flag('i', "fail if there is a NUL in it"),
        flag('I', "leave the variable unset then"),
        value('D', "default", "take this value then"),
        flag('N', "keep a newline at its end"),
        flag('n', "cut one newline from its end (default)"),
        AUTOIMPORT,
        NO_AUTOIMPORT,
    ],
    arguments: "variable prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "with -i: there is a NUL in standard input"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run: withstdinas,
};

fn getcwd(call: &Invocation) -> Result<Exit, Failure> {
    let (name, prog) = name_and_program(call)?;
    go_on_with(call, name, Some(&directory::current_directory()?), prog, call.environment.clone())
}

fn getpid(call: &Invocation) -> Result<Exit, Failure> {
    let (name, prog) = name_and_program(call)?;
    let parents = call.last_of("Pp") == Some('P');
    let pid = if parents { process::parent_pid() } else { process::own_pid() };
    go_on_with(call, name, Some(pid.to_string().as_ref()), prog, call.environment.clone())
}

fn name_and_program(call: &Invocation) -> Result<(&OsStr, &[OsString]), Failure> {
    let name = call.argument(0, "variable")?;
    call.argument(1, "program")?;
    Ok((filled_variable(name)?, call.rest.get(1..).unwrap_or(&[])))
}

fn withstdinas(call: &Invocation) -> Result<Exit, Failure> {
    let name = filled_variable(call.argument(0, "variable")?)?;
    let failed = |errno| Failure::from(Error::system("read standard input", errno));
    let most = MOST_BYTES;
    let mut text = fd::read_up_to(fd::standard(0), most + 1).map_err(failed)?;
    if text.len() > most {
        return Err(failed(Errno::TOO_LONG));
    }
    let value = if let Some(nul) = text.iter().position(|&byte| byte == 0) {
        of_text_with_nul(call, text.get(..nul).unwrap_or(&[]))?
    } else {
        if call.last_of("Nn") != Some('N') && text.last() == Some(&b'\n') {
            text.pop();
        }
        Some(text.as_slice())
    };
    go_on_with(
        call,
        name,
        value.map(OsStr::from_bytes),
        call.rest.get(1..).unwrap_or(&[]),
        call.environment.clone(),
    )
}

/// What stands for a text with a NUL, which no variable can hold: what is in front of it unless the options
/// say otherwise.
fn of_text_with_nul<'a>(
    call: &'a Invocation,
    front: &'a [u8],
) -> Result<Option<&'a [u8]>, Failure> {
    const NUL: &str = "stdin contained a null character";
    match (call.last_of("iI"), call.value('D')) {
        (Some('i'), _) => Err(Failure::new(1, NUL)),
        (Some(_), _) => Ok(None),
        (None, Some(default)) => {
            call.warning(format!("{NUL} - using default instead"));
            Ok(Some(default.as_bytes()))
        }
        (None, None) => Ok(Some(front)),
    }
}
