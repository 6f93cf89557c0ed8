//! s6-instance-list: the instances of a service.

use super::place::{running, service};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::Error;
use s6x_core::sys::dir::Dir;
use std::os::unix::ffi::OsStrExt;

/// s6-instance-list.
pub static APPLET: Applet = Applet {
    name: "s6-instance-list",
    section: Section::Instances,
    about: "Print the names of the instances of a service, one per line",
    options: &[],
    arguments: "service",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "the service is not running")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let service = service(call)?;
    call.warn_of_more_than(1);
    let scan_dir = running(&service)?;
    let names = Dir::open(&scan_dir).and_then(|dir| dir.sorted_names());
    let mut names = names.map_err(|errno| Error::on("read", &scan_dir, errno))?;
    names.retain(|name| !name.as_bytes().starts_with(b"."));
    let lines: Vec<u8> = names.iter().flat_map(|name| [name.as_bytes(), b"\n"].concat()).collect();
    call.print(lines)?;
    Ok(Exit::SUCCESS)
}
