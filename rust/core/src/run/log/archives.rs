//! The archives of a logdir: complete files under names that tell when they were made.

use crate::error::{Errno, Error, Result};
use crate::sys::clock;
use crate::sys::dir::Dir;
use crate::wire::tai64::Tai;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What became of an archive's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is as it should be: `.s`.
    Complete,
    /// It was left by a crash, or by a processor that failed: `.u`.
    Unprocessed,
}

/// A logdir as a place for archives.
pub(super) struct Archives<'a> {
    pub(super) dir: &'a Dir,
    pub(super) path: &'a Path,
    /// How many are kept.
    pub(super) most: u32,
    /// How many bytes they may have together; 0: any.
    pub(super) total: u64,
}

impl Archives<'_> {
    /// Makes an archive of a file. `false`: it is not there, so that is done already. An empty one is
    /// not worth a name. May be repeated after a failure at any point.
    pub(super) fn add(&self, name: &str, kind: Kind) -> Result<bool> {
        let failed = |verb: &'static str| move |errno| Error::on(verb, self.path.join(name), errno);
        let stat = match self.dir.stat(name) {
            Ok(stat) => stat,
            Err(Errno::NOT_FOUND) => return Ok(false),
            Err(errno) => return Err(failed("look at")(errno)),
        };
        // A second name: it got its archive's before, and was not removed.
        if stat.links == 1 && stat.size > 0 {
            self.link(name, kind).map_err(failed("archive"))?;
        }
        self.dir.unlink(name).map(|()| true).map_err(failed("remove"))
    }

    /// Under the first label from now on that is free. If the clock was set back, after that of the newest
    /// archive: trimming goes by names, and the oldest names are to be of the oldest lines.
    fn link(&self, name: &str, kind: Kind) -> std::result::Result<(), Errno> {
        let suffix = match kind {
            Kind::Complete => 's',
            Kind::Unprocessed => 'u',
        };
        let names = self.dir.names().unwrap_or_default();
        let newest =
            names.iter().filter_map(|name| label_of(name)).filter(|tai| tai.is_in_calendar()).max();
        let mut label = newest.map_or_else(clock::wall, |newest| clock::wall().max(newest.next()));
        loop {
            match self.dir.link(name, format!("{label}.{suffix}")) {
                Err(Errno::EXISTS) => label = label.next(),
                result => return result,
            }
        }
    }

    /// Removes the oldest archives, as long as they are too many or too large. Gives what could not
    /// be done; that is no reason not to go on.
    pub(super) fn trim(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        let names = match self.dir.names() {
            Ok(names) => names,
            Err(errno) => return vec![Error::on("list", self.path, errno)],
        };
        let mut archives: Vec<(OsString, u64)> = Vec::new();
        for name in names.into_iter().filter(|name| label_of(name).is_some()) {
            match self.dir.stat(&name) {
                Ok(stat) => archives.push((name, stat.size)),
                Err(Errno::NOT_FOUND) => {}
                Err(errno) => errors.push(Error::on("look at", self.path.join(&name), errno)),
            }
        }
        archives.sort_unstable();
        let mut count = archives.len();
        let mut size: u64 = archives.iter().map(|(_, size)| size).sum();
        for (name, own) in archives {
            if count <= self.most as usize && (self.total == 0 || size <= self.total) {
                break;
            }
            match self.dir.unlink(&name) {
                Ok(()) | Err(Errno::NOT_FOUND) => size -= own,
                Err(errno) => errors.push(Error::on("remove", self.path.join(&name), errno)),
            }
            count -= 1;
        }
        errors
    }
}

/// The label of an archive: what stands before `.s` or `.u`.
fn label_of(name: &OsStr) -> Option<Tai> {
    let (label, rest) = Tai::split_label(name.as_bytes())?;
    (rest == b".s" || rest == b".u").then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives() {
        for (name, is) in [
            ("@400000006553f12500000005.s", true),
            ("@400000006553f12500000005.u", true),
            ("@400000006553f12500000005.t", false),
            ("@400000006553f12500000005", false),
            ("@400000006553f12500000005.sx", false),
            ("@40000000655xf12500000005.s", false),
            ("current", false),
        ] {
            assert_eq!(label_of(OsStr::new(name)).is_some(), is, "{name}");
        }
    }
}
