//! s6-mount and s6-umount: file systems, by mount(2) and umount(2) alone.

use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::error::{Errno, shown};
use s6x_core::sys::dir::{Open, open};
use s6x_core::sys::{fd, mount};
use s6x_core::wire::mount::{Entry, Options, entries};
use std::ffi::OsStr;
use std::path::Path;

/// s6-mount.
pub static MOUNT: Applet = Applet {
    name: "s6-mount",
    section: Section::Utilities,
    about: "Mount a file system, or all of fstab; without arguments, show what is mounted",
    options: &[
        flag('n', "nothing: there is no mtab to leave out"),
        flag('r', "read-only"),
        flag('w', "for reading and writing (default)"),
        flag('a', "everything that fstab names"),
        value('z', "fstab", "with -a: this file (/etc/fstab)"),
        value('t', "type", "the type of the file system (none)"),
        value('o', "option[,option...]", "how: words that mount(2) has flags for, and others"),
    ],
    arguments: "[ device mountpoint ]",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("1", "it is in use: most likely mounted already"),
        ("N", "with -a: so many could not be mounted, 99 for more"),
    ],
    run: mount,
};

/// s6-umount.
pub static UMOUNT: Applet = Applet {
    name: "s6-umount",
    section: Section::Utilities,
    about: "Unmount what is mounted on a directory, or everything",
    options: &[flag('a', "everything, what was mounted last first").long("all")],
    arguments: "[ mountpoint ]",
    syntax: Syntax::Long,
    exit_codes: &[("N", "with -a: so many could not be unmounted, 99 for more")],
    run: unmount,
};

/// What is mounted here, as the kernel tells.
const MOUNTS: &str = "/proc/mounts";

/// The longest list of mounts that is read.
const LIMIT: usize = 64 << 20;

fn mount(call: &Invocation) -> Result<Exit, Failure> {
    let mut options = Options::default();
    for (letter, word) in &call.options {
        match (letter, word) {
            ('r', _) => options.add(OsStr::new("ro")),
            ('w', _) => options.add(OsStr::new("rw")),
            ('o', Some(word)) => options.add(word),
            _ => {} // read where they are needed
        }
    }
    if call.has('a') {
        call.warn_of_more_than(0);
        return mount_all(call, call.value('z').unwrap_or(OsStr::new("/etc/fstab")));
    }
    let Some(device) = call.rest.first() else {
        call.print(text(MOUNTS)?)?;
        return Ok(Exit::SUCCESS);
    };
    let place = call.argument(1, "mountpoint")?;
    call.warn_of_more_than(2);
    let kind = call.value('t').unwrap_or(OsStr::new("none"));
    mount::mount(device, place, kind, options.flags, &options.data)
        .map_err(|errno| failed(device, place, errno))?;
    Ok(Exit::SUCCESS)
}

fn mount_all(call: &Invocation, fstab: &OsStr) -> Result<Exit, Failure> {
    let text = text(fstab)?;
    let mut failures = 0;
    for Entry { device, place, kind, options: words } in entries(&text) {
        let mut options = Options::default();
        options.add(&words);
        if let Err(errno) = mount::mount(&device, &place, &kind, options.flags, &options.data) {
            call.warning(failed(&device, &place, errno).message);
            failures += 1;
        }
    }
    Ok(Exit::Code(count(failures)))
}

fn unmount(call: &Invocation) -> Result<Exit, Failure> {
    let unmount = |place: &OsStr| {
        mount::unmount(place).map_err(|errno| Error::on("unmount", Path::new(place), errno))
    };
    if !call.has('a') {
        unmount(call.only_argument("mountpoint")?)?;
        return Ok(Exit::SUCCESS);
    }
    call.warn_of_more_than(0);
    let text = text(MOUNTS)?;
    let mounted: Vec<Entry> = entries(&text).collect();
    let mut failures = 0;
    for entry in mounted.iter().rev() {
        if let Err(error) = unmount(&entry.place) {
            call.warning(error.to_string());
            failures += 1;
        }
    }
    Ok(Exit::Code(count(failures)))
}

fn failed(device: &OsStr, place: &OsStr, errno: Errno) -> Failure {
    let (device, place) = (shown(Path::new(device)), shown(Path::new(place)));
    let code = if errno == Errno::BUSY { 1 } else { 111 };
    Failure::new(code, format!("unable to mount {device} on {place}: {errno}"))
}

/// The content of a list of file systems.
pub(super) fn text(path: impl AsRef<Path>) -> Result<Vec<u8>, Failure> {
    let path = path.as_ref();
    let file = open(path, Open::Read).map_err(|errno| Error::on("open", path, errno))?;
    Ok(fd::read_up_to(file, LIMIT).map_err(|errno| Error::on("read", path, errno))?)
}

/// A number of failures as an exit code, which is never one with another meaning.
pub(super) fn count(failures: usize) -> u8 {
    failures.min(99) as u8
}
