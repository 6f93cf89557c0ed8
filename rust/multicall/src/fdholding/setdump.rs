//! s6-fdholder-setdump: have everything held that the environment describes.

use super::asking::{COUNT, DESCRIPTOR, EXIT_CODES, LIMIT, NAME, TIMEOUT, connect, id, refused};
use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::error::{Errno, Error};
use s6x_core::sys::{clock, fd};
use s6x_core::wire::fdholder::Entry;
use s6x_core::wire::tai64::Tai;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// s6-fdholder-setdump.
pub static APPLET: Applet = Applet {
    name: "s6-fdholder-setdump",
    section: Section::FdHolding,
    about: "Give an s6-fdholderd the descriptors that S6_FD#, S6_FD_0, S6_FDID_0... describe",
    options: &[TIMEOUT],
    arguments: "socket",
    syntax: Syntax::Posix,
    exit_codes: EXIT_CODES,
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.only_argument("socket")?;
    let count = number_in(call, COUNT)?;
    let described: Vec<(Entry, i32)> =
        (0..count).map(|number| described(call, number)).collect::<Result<_, _>>()?;
    let mut holder = connect(call)?;
    let descriptors: Result<Vec<(Entry, OwnedFd)>, Errno> = described
        .into_iter()
        .map(|(entry, number)| {
            let open = fd::was_inherited(number);
            let descriptor = if open { fd::duplicate_number(number) } else { Err(Errno::NOT_OPEN) };
            descriptor.map(|descriptor| (entry, descriptor))
        })
        .collect();
    let set = descriptors.and_then(|dump| holder.set_dump(&dump));
    set.map_err(refused("set the dump"))?;
    Ok(Exit::SUCCESS)
}

/// The descriptor with this number in the dump.
fn described(call: &Invocation, number: u32) -> Result<(Entry, i32), Failure> {
    let descriptor = number_in(call, &format!("{DESCRIPTOR}{number}"))?;
    let variable = format!("{NAME}{number}");
    let id = id(variable_of(call, &variable)?).map_err(|errno| invalid(&variable, errno))?;
    let variable = format!("{LIMIT}{number}");
    let limit = match call.environment.lookup(&variable) {
        None => clock::wall().never(),
        Some(label) => match Tai::split_label(label.as_bytes()) {
            Some((limit, [])) => limit,
            Some(_) | None => return Err(invalid(&variable, Errno::INVALID)),
        },
    };
    Ok((Entry { id, limit }, i32::try_from(descriptor).unwrap_or(-1)))
}

fn number_in(call: &Invocation, variable: &str) -> Result<u32, Failure> {
    let text = variable_of(call, variable)?;
    let wrong = || Failure::new(100, format!("${variable}: {} is not a number", quoted(text)));
    number(text).ok_or_else(wrong)
}

fn variable_of<'a>(call: &'a Invocation, variable: &str) -> Result<&'a OsStr, Failure> {
    let missing = || format!("${variable} is not set; s6-fdholder-getdump sets it");
    call.environment.lookup(variable).ok_or_else(|| Failure::new(100, missing()))
}

fn invalid(variable: &str, errno: Errno) -> Failure {
    Failure::new(100, Error::system(format!("use ${variable}"), errno).to_string())
}
