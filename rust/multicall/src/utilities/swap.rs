//! s6-swapon and s6-swapoff: space to swap to.

use super::mount::{count, text};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::Error;
use s6x_core::error::Errno;
use s6x_core::sys::mount;
use s6x_core::wire::mount::{entries, swaps};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// s6-swapon.
pub static ON: Applet = Applet {
    name: "s6-swapon",
    section: Section::Utilities,
    about: "Swap to a device, or to all that fstab names",
    options: &[flag('a', "to everything of type swap in /etc/fstab").long("all")],
    arguments: "[ device ]",
    syntax: Syntax::Long,
    exit_codes: &[("N", "with -a: so many failed, 99 for more")],
    run: |call| {
        let listed = || {
            let fstab = text("/etc/fstab")?;
            let swap = entries(&fstab).filter(|entry| entry.kind == "swap");
            Ok(swap.map(|entry| entry.device).collect())
        };
        each(call, "swap to", mount::swap_on, listed)
    },
};

/// s6-swapoff.
pub static OFF: Applet = Applet {
    name: "s6-swapoff",
    section: Section::Utilities,
    about: "Swap to a device no more, or to none",
    options: &[flag('a', "none of those in /proc/swaps").long("all")],
    arguments: "[ device ]",
    syntax: Syntax::Long,
    exit_codes: &[("N", "with -a: so many failed, 99 for more")],
    run: |call| {
        let listed = || Ok(swaps(&text("/proc/swaps")?).collect());
        each(call, "bring back what was swapped to", mount::swap_off, listed)
    },
};

/// The device given, or with `-a` all that are listed.
fn each(
    call: &Invocation,
    verb: &str,
    act: fn(&OsStr) -> Result<(), Errno>,
    listed: impl FnOnce() -> Result<Vec<OsString>, Failure>,
) -> Result<Exit, Failure> {
    let act =
        |device: &OsStr| act(device).map_err(|errno| Error::on(verb, Path::new(device), errno));
    if !call.has('a') {
        act(call.only_argument("device")?)?;
        return Ok(Exit::SUCCESS);
    }
    call.warn_of_more_than(0);
    let mut failures = 0;
    for device in listed()? {
        if let Err(error) = act(&device) {
            call.warning(error.to_string());
            failures += 1;
        }
    }
    Ok(Exit::Code(count(failures)))
}
