//! The way of one rule through one tree.
//!
//! A file costs one system call, which looks at it by its name in a directory that is held open, and a second one if
//! nothing but its owner is wrong. Whatever else is wrong is held by itself, looked at once more, and changed by
//! that, so that nobody's new link in its place is followed. Down
//! to some depth all directories above are held open, in the middle of being read, and only the names of one
//! batch are in memory; further down each is read to its end first, and the walk comes back to it by `..`.

use super::helpers::{self, Half, Helpers};
use super::report::Report;
use crate::error::{Errno, Error};
use crate::run::tree::above;
use crate::sys::dir::{self, Dir, Stat};
use crate::sys::fd;
use crate::sys::inode::Inode;
use crate::sys::listing::Listing;
use std::ffi::{OsStr, OsString};
use std::mem::take;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many directories are held open at most.
const OPEN: usize = 64;
/// The bits of a mode that a change of owner clears.
const SET_IDS: u32 = 0o6000;
/// Paths in messages are cut in the middle when they would be longer than this, in bytes.
const PATH_SHOWN: usize = 4096;

/// What is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Owner and group.
    pub(super) ids: (u32, u32),
    /// The mode of what is no directory.
    pub(super) file_mode: Option<u32>,
    /// The mode of directories.
    pub(super) directory_mode: Option<u32>,
    /// Whether names that begin with a dot are gone through, too.
    pub(super) hidden: bool,
}

/// On the way through a tree.
pub(super) struct Walk<'a, 'b> {
    wanted: Wanted,
    report: &'a mut Report<'b>,
    /// How many levels are held open.
    open: usize,
    /// From the top down to where we are.
    levels: Vec<Level>,
    helpers: Helpers,
}

/// A directory that is being gone through.
struct Level {
    /// Its name in the one above; of the top, its path.
    name: OsString,
    identity: (u64, u64),
    /// Further down than is held open, `None` while we are below it.
    listing: Option<Listing>,
    /// Whether all of its names have been read.
    read: bool,
    /// Directories in it that are still to be gone through.
    waiting: Vec<OsString>,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(
        wanted: Wanted,
        helpers: Helpers,
        report: &'a mut Report<'b>,
    ) -> Walk<'a, 'b> {
        let open = usize::try_from(fd::limit() / 4).unwrap_or(0).clamp(1, OPEN);
        Walk { wanted, report, open, levels: Vec::new(), helpers }
    }

    /// Goes for a path that the rule names, links followed, and for all below it if `recurse`.
    pub(super) fn run(&mut self, path: &Path, recurse: bool) {
        self.start(path, recurse);
        self.go();
    }

    pub(super) fn start(&mut self, path: &Path, recurse: bool) {
        let top = Dir::open("/").and_then(|root| Inode::behind(&root, path));
        let top = match top {
            Ok(inode) => inode,
            Err(errno) => return self.failed("open", path, errno),
        };
        if let Some(stat) = self.fix(&top, path)
            && recurse
            && stat.is_dir()
        {
            match top.open_dir() {
                Ok(dir) => self.push(path.into(), &stat, dir),
                Err(errno) => self.failed("read", path, errno),
            }
        }
    }

    pub(super) fn go(&mut self) {
        while !self.levels.is_empty() {
            if self.helpers.are_wanted(self.report) {
                self.share();
            }
            self.step();
        }
        self.helpers.join(self.report);
    }

    /// Gives a third of what is waiting, as far up as possible, to a helper: so the last parts are small, and
    /// nobody waits long for the others.
    fn share(&mut self) {
        let shareable = |level: &Level| level.listing.is_some() && level.waiting.len() > 1;
        let Some(at) = self.levels.iter().take(self.open).position(shareable) else { return };
        let path = shown(self.levels.iter().take(at + 1).map(|level| level.name.as_os_str()));
        let Some(level) = self.levels.get_mut(at) else { return };
        let kept = level.waiting.len() - level.waiting.len().div_ceil(3);
        let mut taken = level.waiting.split_off(kept);
        match self.helpers.fork() {
            Ok(Half::Ours) => {}
            Ok(Half::Theirs(telling)) => {
                let (listing, identity) = (level.listing.take(), level.identity);
                let name = path.into_os_string();
                self.levels = vec![Level { name, identity, listing, read: true, waiting: taken }];
                self.report.be_silent();
                let before = self.report.counts;
                self.go();
                helpers::tell(self.report.counts.since(before), &telling);
            }
            Err(_) => {
                level.waiting.append(&mut taken);
                self.helpers = Helpers::new(0);
            }
        }
    }

    pub(super) fn step(&mut self) {
        let far = self.levels.len() > self.open;
        let Some(level) = self.levels.last_mut() else { return };
        if !level.read && (far || level.waiting.is_empty()) {
            self.read();
        } else if let Some(name) = level.waiting.pop() {
            self.enter(&name);
        } else {
            self.leave();
        }
    }

    /// Looks at the next names of the directory where we are.
    fn read(&mut self) {
        let Some(level) = self.levels.last_mut() else { return };
        let Some(mut listing) = level.listing.take() else {
            level.read = true;
            return;
        };
        let mut waiting = take(&mut level.waiting);
        let more = match listing.batch() {
            Ok(Some((dir, batch))) => {
                for entry in batch {
                    if entry.is_dots()
                        || (!self.wanted.hidden && entry.name.as_bytes().starts_with(b"."))
                    {
                        continue;
                    }
                    if entry.is_dir == Some(true) || self.look(dir, entry.name) {
                        waiting.push(entry.name.to_owned());
                    }
                }
                true
            }
            Ok(None) => false,
            Err(errno) => {
                self.failed("read", &self.path(None), errno);
                false
            }
        };
        self.report.went_on();
        if let Some(level) = self.levels.last_mut() {
            (level.listing, level.waiting, level.read) = (Some(listing), waiting, !more);
        }
    }

    /// Looks at a name, and puts right what is wrong. Is it a directory? Those are not touched yet.
    pub(super) fn look(&mut self, dir: &Dir, name: &OsStr) -> bool {
        match dir.lstat(name) {
            Ok(stat) if stat.is_dir() => true,
            Ok(stat) if self.wanted.is_met(&stat) => {
                self.report.looked();
                false
            }
            Ok(stat) if self.wanted.mode_is_met(&stat) && stat.permissions() & SET_IDS == 0 => {
                self.change_owner(dir, name);
                false
            }
            Ok(_) => self.fix_name(dir, name).is_some(),
            Err(errno) => {
                self.failed_unless_gone("stat", name, errno);
                false
            }
        }
    }

    /// Gives a name to its right owner, with one system call more: nothing but the owner is wrong, and a change of
    /// it clears no bits.
    fn change_owner(&mut self, dir: &Dir, name: &OsStr) {
        self.report.looked();
        let (uid, gid) = self.wanted.ids;
        match dir.lchown(name, uid, gid) {
            Ok(()) => self.report.changed(),
            Err(errno) => self.failed_unless_gone("chown", name, errno),
        }
    }

    /// Puts right whatever has this name by now; a directory comes back.
    fn fix_name(&mut self, dir: &Dir, name: &OsStr) -> Option<(Inode, Stat)> {
        match Inode::of(dir, name) {
            Ok(inode) => {
                let stat = self.fix(&inode, &self.path(Some(name)))?;
                stat.is_dir().then_some((inode, stat))
            }
            Err(errno) => {
                self.failed_unless_gone("open", name, errno);
                None
            }
        }
    }

    /// Changes what is wrong, and nothing else.
    fn fix(&mut self, inode: &Inode, path: &Path) -> Option<Stat> {
        let stat = match inode.stat() {
            Ok(stat) => stat,
            Err(errno) => {
                self.failed("stat", path, errno);
                return None;
            }
        };
        self.report.looked();
        let (uid, gid) = self.wanted.ids;
        let wrong_owner = (stat.uid, stat.gid) != self.wanted.ids;
        let mut changed = false;
        if wrong_owner {
            match inode.chown(uid, gid) {
                Ok(()) => changed = true,
                Err(errno) => self.failed("chown", path, errno),
            }
        }
        if let Some(mode) = self.wanted.mode(&stat) {
            // A change of owner may have cleared the set-id bits.
            let cleared = wrong_owner && mode & SET_IDS != 0;
            if cleared || stat.permissions() != mode {
                match inode.chmod(mode) {
                    Ok(()) => changed = true,
                    Err(errno) => self.failed("change mode of", path, errno),
                }
            }
        }
        if changed {
            self.report.changed();
        }
        Some(stat)
    }

    fn enter(&mut self, name: &OsStr) {
        let Some(listing) = self.levels.last_mut().and_then(|level| level.listing.take()) else {
            return;
        };
        let parent = listing.dir();
        let opened = parent.sub_nofollow(name).and_then(|dir| Ok((dir::stat(&dir)?, dir)));
        let entered = match opened {
            Ok((stat, dir)) if self.wanted.is_met(&stat) => {
                self.report.looked();
                Some((stat, dir))
            }
            // Wrong, or not to be read yet, or no directory any more.
            Ok(_) | Err(_) => {
                self.fix_name(parent, name).and_then(|(inode, stat)| match inode.open_dir() {
                    Ok(dir) => Some((stat, dir)),
                    Err(errno) => {
                        self.failed_unless_gone("read", name, errno);
                        None
                    }
                })
            }
        };
        let keep = entered.is_none() || self.levels.len() <= self.open;
        if let Some(level) = self.levels.last_mut() {
            level.listing = keep.then_some(listing);
        }
        if let Some((stat, dir)) = entered {
            self.push(name.to_owned(), &stat, dir);
        }
    }

    fn push(&mut self, name: OsString, stat: &Stat, dir: Dir) {
        let (identity, listing) = (stat.identity, Some(Listing::of(dir)));
        self.levels.push(Level { name, identity, listing, read: false, waiting: Vec::new() });
    }

    /// Goes up. If the directory is elsewhere by now, to the lowest one above that is held open.
    fn leave(&mut self) {
        let left = self.levels.pop();
        while let Some(level) = self.levels.last_mut().filter(|level| level.listing.is_none()) {
            let below = left.as_ref().and_then(|left| left.listing.as_ref());
            let up =
                below.map_or(Err(Errno(libc::ESTALE)), |below| above(below.dir(), level.identity));
            match up {
                Ok(dir) => level.listing = Some(Listing::of(dir)),
                Err(errno) => {
                    self.failed("go back to", &self.path(None), errno);
                    self.levels.pop();
                }
            }
        }
    }

    /// Where we are, or a name there.
    fn path(&self, name: Option<&OsStr>) -> PathBuf {
        shown(self.levels.iter().map(|level| level.name.as_os_str()).chain(name))
    }

    fn failed(&mut self, verb: &str, path: &Path, errno: Errno) {
        self.report.problem(&Error::on(verb, path, errno).to_string());
    }

    /// The same of a name in the directory where we are: who removes it has done no harm.
    fn failed_unless_gone(&mut self, verb: &str, name: &OsStr, errno: Errno) {
        if errno != Errno::NOT_FOUND {
            self.failed(verb, &self.path(Some(name)), errno);
        }
    }
}

impl Wanted {
    fn is_met(&self, stat: &Stat) -> bool {
        (stat.uid, stat.gid) == self.ids && self.mode_is_met(stat)
    }

    fn mode_is_met(&self, stat: &Stat) -> bool {
        self.mode(stat).is_none_or(|mode| mode == stat.permissions())
    }

    /// The mode that is right for this kind of file; links have none.
    fn mode(&self, stat: &Stat) -> Option<u32> {
        if stat.is_dir() {
            return self.directory_mode;
        }
        self.file_mode.filter(|_| !stat.is_link())
    }
}

/// The path that names make, cut in the middle where it is very long.
pub(super) fn shown<'a>(names: impl DoubleEndedIterator<Item = &'a OsStr> + Clone) -> PathBuf {
    let length: usize = names.clone().map(|name| name.len() + 1).sum();
    if length <= PATH_SHOWN {
        return names.collect();
    }
    let first: PathBuf = names.clone().take(3).collect();
    let last: Vec<&OsStr> = names.rev().take(3).collect();
    first.join("...").join(last.into_iter().rev().collect::<PathBuf>())
}

#[cfg(test)]
impl Walk<'_, '_> {
    pub(super) fn hold_open(&mut self, levels: usize) {
        self.open = levels;
    }

    pub(super) fn helpers(&mut self) -> &mut Helpers {
        &mut self.helpers
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        self.levels.last().is_some_and(|level| level.name == name)
    }

    /// How many names are in memory; `None` at the end.
    pub(super) fn waiting(&self) -> Option<usize> {
        let names = self.levels.iter().map(|level| level.waiting.len()).sum();
        (!self.levels.is_empty()).then_some(names)
    }
}
