//! fdmove, fdclose, fdswap, fdblock, fdreserve, piperw: other descriptors for a program.

use crate::invocation::number;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::sys::limits::Resource;
use s6x_core::sys::{fd, numbered};
use s6x_core::wire::environment::Environment;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// fdmove.
pub static FDMOVE: Applet = Applet {
    name: "fdmove",
    section: Section::Execline,
    about: "Run a program with a descriptor under another number",
    options: &[flag('c', "under both numbers")],
    arguments: "to from prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run: fdmove,
};

/// fdclose.
pub static FDCLOSE: Applet = Applet {
    name: "fdclose",
    section: Section::Execline,
    about: "Run a program without a descriptor",
    options: &[],
    arguments: "fd prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: fdclose,
};

/// fdswap.
pub static FDSWAP: Applet = Applet {
    name: "fdswap",
    section: Section::Execline,
    about: "Run a program with two descriptors exchanged",
    options: &[],
    arguments: "fd1 fd2 prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: fdswap,
};

/// fdblock.
pub static FDBLOCK: Applet = Applet {
    name: "fdblock",
    section: Section::Execline,
    about: "Make reading and writing by a descriptor wait, and run a program",
    options: &[flag('n', "make it not wait")],
    arguments: "fd prog...",
    syntax: Syntax::Posix,
    exit_codes: super::CHAIN_CODES,
    run: fdblock,
};

/// fdreserve.
pub static FDRESERVE: Applet = Applet {
    name: "fdreserve",
    section: Section::Execline,
    about: "Run a program with the numbers of free descriptors in FD0, FD1 and so on",
    options: &[],
    arguments: "n prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: fdreserve,
};

/// piperw.
pub static PIPERW: Applet = Applet {
    name: "piperw",
    section: Section::Execline,
    about: "Run a program with a pipe, which it reads by one descriptor and writes by another",
    options: &[],
    arguments: "fdr fdw prog...",
    syntax: Syntax::Raw,
    exit_codes: super::CHAIN_CODES,
    run: piperw,
};

fn fdmove(call: &Invocation) -> Result<Exit, Failure> {
    let [to, from] = numbers(call, ["to", "from"])?;
    let move_it = if call.has('c') { numbered::copy } else { numbered::relocate };
    let what = || format!("move fd {from} to fd {to}");
    move_it(from, to).map_err(|errno| Error::system(what(), errno))?;
    Ok(chain(call, 2))
}

fn fdclose(call: &Invocation) -> Result<Exit, Failure> {
    let [fd] = numbers(call, ["fd"])?;
    numbered::close(fd);
    Ok(chain(call, 1))
}

fn fdswap(call: &Invocation) -> Result<Exit, Failure> {
    let [one, other] = numbers(call, ["fd1", "fd2"])?;
    numbered::swap(one, other).map_err(|errno| Error::system("swap fds", errno))?;
    Ok(chain(call, 2))
}

fn fdblock(call: &Invocation) -> Result<Exit, Failure> {
    let [fd] = numbers(call, ["fd"])?;
    let what = if call.has('n') { "ndelay_on" } else { "ndelay_off" };
    numbered::set_nonblocking(fd, call.has('n')).map_err(|errno| Error::system(what, errno))?;
    Ok(chain(call, 1))
}

fn fdreserve(call: &Invocation) -> Result<Exit, Failure> {
    let [count] = numbers(call, ["n"])?;
    let limit = Resource::OpenFiles.limit().map_err(|errno| Error::system("getrlimit", errno))?;
    if u64::from(count) > limit.soft {
        return Err(Failure::new(100, "too many requested fds"));
    }
    let free = numbered::lowest_free(count as usize)
        .map_err(|errno| Error::system("reserve fds", errno))?;
    let names: BTreeSet<Vec<u8>> = (0..free.len()).map(|nth| format!("FD{nth}=").into()).collect();
    let is_new = |entry: &OsStr| {
        let equals = entry.as_bytes().iter().position(|&byte| byte == b'=');
        equals.and_then(|at| entry.as_bytes().get(..=at)).is_some_and(|name| names.contains(name))
    };
    let kept = call.environment.entries().filter(|entry| !is_new(entry)).map(OsStr::to_owned);
    let new = free.iter().enumerate().map(|(nth, fd)| OsString::from(format!("FD{nth}={fd}")));
    let environment = Environment::new(kept.chain(new));
    Ok(call.chain(call.rest.get(1..).unwrap_or(&[]), environment))
}

fn piperw(call: &Invocation) -> Result<Exit, Failure> {
    let [reads, writes] = numbers(call, ["fdr", "fdw"])?;
    if reads == writes {
        return Err(Failure::usage("two different descriptors are needed"));
    }
    let (reader, writer) = fd::pipe().map_err(|errno| Error::system("create pipe", errno))?;
    numbered::install_both(reader, reads, writer, writes)
        .map_err(|errno| Error::system("move fds", errno))?;
    Ok(chain(call, 2))
}

/// The leading arguments, all of them numbers, and a program behind them.
fn numbers<const N: usize>(call: &Invocation, names: [&str; N]) -> Result<[u32; N], Failure> {
    let mut numbers = [0; N];
    for (at, (place, name)) in numbers.iter_mut().zip(names).enumerate() {
        let word = call.argument(at, name)?;
        let wrong = || Failure::usage(format!("{name} is not a number"));
        *place = number(word).ok_or_else(wrong)?;
    }
    call.argument(N, "program")?;
    Ok(numbers)
}

fn chain(call: &Invocation, from: usize) -> Exit {
    call.chain(call.rest.get(from..).unwrap_or(&[]), call.environment.clone())
}
