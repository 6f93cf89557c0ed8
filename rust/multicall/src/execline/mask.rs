//! umask, posix-umask: which rights new files do not get.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::execline::mask;
use s6x_core::sys::process;
use std::os::unix::ffi::OsStrExt;

/// execline-umask, also called `umask`.
pub static UMASK: Applet = Applet {
    name: "execline-umask",
    section: Section::Execline,
    about: "Run a program with another umask",
    options: &[],
    arguments: "mask prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: umask,
};

/// posix-umask.
pub static POSIX_UMASK: Applet = Applet {
    name: "posix-umask",
    section: Section::Execline,
    about: "Print the umask, or run a program with another one, as POSIX says of umask",
    options: &[flag('S', "print which rights are left, not which are taken")],
    arguments: "[ mask ] [ prog... ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "the mask is none"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run: posix_umask,
};

fn umask(call: &Invocation) -> Result<Exit, Failure> {
    let word = call.argument(0, "mask")?;
    call.argument(1, "program")?;
    let wrong = || Failure::usage(format!("{} does not begin with an octal digit", quoted(word)));
    process::umask(mask::leading_octal(word.as_bytes()).ok_or_else(wrong)?);
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), call.environment.clone()))
}

fn posix_umask(call: &Invocation) -> Result<Exit, Failure> {
    let old = process::umask(0);
    process::umask(old);
    let Some((word, prog)) = call.rest.split_first() else {
        let text = if call.has('S') { mask::symbolic(old) } else { mask::octal(old) };
        call.print(text)?;
        return Ok(Exit::SUCCESS);
    };
    let wrong = || Failure::new(1, format!("invalid mode string: {}", quoted(word)));
    process::umask(mask::parse(word.as_bytes(), old).ok_or_else(wrong)?);
    if prog.is_empty() {
        return Ok(Exit::SUCCESS);
    }
    Ok(call.chain(prog, call.environment.clone()))
}
