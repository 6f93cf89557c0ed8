//! Copying a tree.

use super::{above, split};
use crate::error::{Errno, Error, Result};
use crate::sys::dir::{self, Dir, Stat, chmod, chown};
use crate::sys::inode::{self, Inode};
use crate::sys::listing::Listing;
use crate::sys::{fd, process};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The bits of a mode that let a program run with its owner's rights.
const SET_IDS: u32 = 0o6000;

/// Copies a tree: links stay links, modes and (where permitted) owners are kept; into an existing
/// directory it is merged, an existing file is replaced. What fails inside the tree is told to
/// `complain` and left out; only the top itself is an error (contract s6-overlay §3.4, §6.1).
///
/// In the destination, a link to a directory stands for it if root or we have made the link.
pub fn copy(from: &Path, to: &Path, complain: &mut dyn FnMut(Error)) -> Result<()> {
    let Some((into, new)) = split(to)? else {
        return Err(Error::on("create", to, Errno::EXISTS));
    };
    let (dir, name) = match split(from)? {
        Some(there) => there,
        None => (Dir::open(from).map_err(|errno| Error::on("copy", from, errno))?, ".".into()),
    };
    let old = process::umask(0);
    let done = copy_top(&dir, &name, &into, &new, (from, to), complain);
    process::umask(old);
    done
}

fn copy_top(
    dir: &Dir,
    name: &OsStr,
    into: &Dir,
    new: &OsStr,
    (from, to): (&Path, &Path),
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    let named = |failed: Failed| failed.named(from, to);
    let stat = dir.lstat(name).map_err(|errno| named(Failed::Source(errno)))?;
    if !stat.is_dir() {
        return copy_one(dir, name, &stat, into, new).map_err(named);
    }
    let source = dir.sub_nofollow(name).map_err(|errno| named(Failed::Source(errno)))?;
    let (target, _) = make_directory(into, new).map_err(|errno| named(Failed::Target(errno)))?;
    let top = dir::stat(&target).map_err(|errno| named(Failed::Target(errno)))?.identity;
    let level = Level {
        name: OsString::new(),
        source: dir::stat(&source).map_err(|errno| named(Failed::Source(errno)))?,
        target: top,
        waiting: Vec::new(),
        linked_from: None,
    };
    let mut walk = Walk { from, to, top, source, target, levels: vec![level], complain };
    walk.run()
}

/// Why something could not be copied.
enum Failed {
    /// It cannot be read.
    Source(Errno),
    /// The copy cannot be made.
    Target(Errno),
}

impl Failed {
    fn named(self, from: &Path, to: &Path) -> Error {
        match self {
            Failed::Source(errno) => Error::on("copy", from, errno),
            Failed::Target(errno) => Error::on("create", to, errno),
        }
    }
}

/// On the way through a tree.
struct Walk<'a> {
    from: &'a Path,
    to: &'a Path,
    /// What is being made: not to be copied into itself.
    top: (u64, u64),
    source: Dir,
    target: Dir,
    /// From the top down to where we are.
    levels: Vec<Level>,
    complain: &'a mut dyn FnMut(Error),
}

/// A directory that is being copied.
struct Level {
    /// Its name in the one above, on both sides.
    name: OsString,
    source: Stat,
    target: (u64, u64),
    /// Directories in it that are not yet copied: of all that is in a tree, these are in memory at once
    /// for the levels above us.
    waiting: Vec<OsString>,
    /// The directory of the destination above it, if a link leads from there: `..` does not lead back.
    linked_from: Option<Dir>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<()> {
        let read = self.copy_files();
        read.map_err(|errno| Failed::Source(errno).named(self.from, self.to))?;
        loop {
            let Some(level) = self.levels.last_mut() else { return Ok(()) };
            if let Some(name) = level.waiting.pop() {
                match self.enter(&name) {
                    Ok(()) => {
                        if let Err(errno) = self.copy_files() {
                            self.tell(Failed::Source(errno), OsStr::new(""));
                        }
                    }
                    Err(failed) => self.tell(failed, &name),
                }
                continue;
            }
            let finished = keep_rights(&self.target, &level.source).map_err(Failed::Target);
            if self.levels.len() == 1 {
                return finished.map_err(|failed| failed.named(self.from, self.to));
            }
            if let Err(failed) = finished {
                self.tell(failed, OsStr::new(""));
            }
            self.leave()?;
        }
    }

    /// Copies all in this directory that is no directory, and remembers those.
    fn copy_files(&mut self) -> std::result::Result<(), Errno> {
        let mut listing = Listing::of(self.source.sub(".")?);
        let mut waiting = Vec::new();
        while let Some((dir, batch)) = listing.batch()? {
            for entry in batch.filter(|entry| !entry.is_dots()) {
                let stat = match entry.is_dir {
                    Some(true) => Ok(None),
                    Some(false) | None => dir.lstat(entry.name).map(Some),
                };
                let copied = match stat.map_err(Failed::Source) {
                    Ok(Some(stat)) if !stat.is_dir() => {
                        copy_one(dir, entry.name, &stat, &self.target, entry.name)
                    }
                    Ok(_) => {
                        waiting.push(entry.name.to_owned());
                        Ok(())
                    }
                    Err(failed) => Err(failed),
                };
                if let Err(failed) = copied {
                    self.tell(failed, entry.name);
                }
            }
        }
        waiting.reverse(); // taken from the end
        if let Some(level) = self.levels.last_mut() {
            level.waiting = waiting;
        }
        Ok(())
    }

    fn enter(&mut self, name: &OsStr) -> std::result::Result<(), Failed> {
        let source = self.source.sub_nofollow(name).map_err(Failed::Source)?;
        let stat = dir::stat(&source).map_err(Failed::Source)?;
        if stat.identity == self.top {
            return Err(Failed::Source(Errno(libc::ELOOP)));
        }
        let (target, by_link) = make_directory(&self.target, name).map_err(Failed::Target)?;
        let identity = dir::stat(&target).map_err(Failed::Target)?.identity;
        let old = std::mem::replace(&mut self.target, target);
        self.source = source;
        self.levels.push(Level {
            name: name.to_owned(),
            source: stat,
            target: identity,
            waiting: Vec::new(),
            linked_from: by_link.then_some(old),
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        let Some(left) = self.levels.pop() else { return Ok(()) };
        let Some(level) = self.levels.last() else { return Ok(()) };
        let named = |failed: Failed| {
            let (from, to) = self.paths(&left.name);
            failed.named(&from, &to)
        };
        let source = above(&self.source, level.source.identity);
        let source = source.map_err(|errno| named(Failed::Source(errno)))?;
        let target = match left.linked_from {
            Some(dir) => dir,
            None => {
                above(&self.target, level.target).map_err(|errno| named(Failed::Target(errno)))?
            }
        };
        (self.source, self.target) = (source, target);
        Ok(())
    }

    /// Complains about a name in the directory where we are; about the directory itself if it is empty.
    fn tell(&mut self, failed: Failed, name: &OsStr) {
        let (from, to) = self.paths(name);
        (self.complain)(failed.named(&from, &to));
    }

    fn paths(&self, name: &OsStr) -> (PathBuf, PathBuf) {
        let names = self.levels.iter().map(|level| level.name.as_os_str()).chain([name]);
        let names: PathBuf = names.filter(|name| !name.is_empty()).collect();
        if names.as_os_str().is_empty() {
            return (self.from.to_owned(), self.to.to_owned());
        }
        (self.from.join(&names), self.to.join(&names))
    }
}

/// The directory of this name, made if it is not there, and whether a link leads to it.
fn make_directory(into: &Dir, name: &OsStr) -> std::result::Result<(Dir, bool), Errno> {
    match into.mkdir(name, 0o700) {
        Ok(()) | Err(Errno::EXISTS) => {}
        Err(errno) => return Err(errno),
    }
    match into.sub_nofollow(name) {
        Err(errno @ Errno(libc::ENOTDIR | libc::ELOOP)) => {
            let old = into.lstat(name)?;
            let (own, _) = process::effective_ids();
            if old.is_link() && (old.uid == 0 || old.uid == own) {
                Ok((into.sub(name)?, true))
            } else {
                Err(errno)
            }
        }
        opened => Ok((opened?, false)),
    }
}

/// Copies what is no directory.
fn copy_one(
    dir: &Dir,
    name: &OsStr,
    stat: &Stat,
    into: &Dir,
    new: &OsStr,
) -> std::result::Result<(), Failed> {
    if stat.is_file() {
        let source = inode::open_to_read(dir, name).map_err(Failed::Source)?;
        let stat = dir::stat(&source).map_err(Failed::Source)?;
        if !stat.is_file() {
            return Err(Failed::Source(Errno(libc::ESTALE)));
        }
        let target = replace(into, new).map_err(Failed::Target)?;
        copy_content(&source, &target)?;
        return keep_rights(&target, &stat).map_err(Failed::Target);
    }
    match into.unlink(new) {
        Ok(()) | Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(Failed::Target(errno)),
    }
    if stat.is_link() {
        let target = dir.readlink(name).map_err(Failed::Source)?;
        into.symlink(target, new).map_err(Failed::Target)?;
        let _ = Inode::of(into, new).and_then(|made| made.chown(stat.uid, stat.gid));
        return Ok(());
    }
    let source = Inode::of(dir, name).and_then(|inode| Ok((inode.stat()?, inode.device()?)));
    let (stat, device) = source.map_err(Failed::Source)?;
    inode::mknod(into, new, stat.mode, device).map_err(Failed::Target)?;
    let made = Inode::of(into, new).map_err(Failed::Target)?;
    let _ = made.chown(stat.uid, stat.gid);
    made.chmod(stat.permissions()).map_err(Failed::Target)
}

/// A file to write to, in the place of what is there. A file that cannot be removed, such as one that is
/// mounted there, is written anew.
fn replace(into: &Dir, name: &OsStr) -> std::result::Result<OwnedFd, Errno> {
    match inode::create(into, name, 0o600) {
        Err(Errno::EXISTS) => {}
        created => return created,
    }
    match into.unlink(name) {
        Ok(()) | Err(Errno::NOT_FOUND) => inode::create(into, name, 0o600),
        Err(errno) => inode::open_to_overwrite(into, name).map_err(|_| errno),
    }
}

fn copy_content(source: &OwnedFd, target: &OwnedFd) -> std::result::Result<(), Failed> {
    // By the system, as far as it can; what then is left, or the reason that there is an error, is found
    // by copying in the usual way.
    while fd::copy_range(source, target, 1 << 30).is_ok_and(|copied| copied > 0) {}
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match fd::read(source, &mut buffer).map_err(Failed::Source)? {
            0 => return Ok(()),
            got => {
                let bytes = buffer.get(..got).unwrap_or(&[]);
                fd::write_all(target, bytes).map_err(Failed::Target)?;
            }
        }
    }
}

/// Gives a copy its original's owner, where permitted, and mode. Rights that were another owner's
/// to lend are not lent.
fn keep_rights(copy: impl AsFd, original: &Stat) -> std::result::Result<(), Errno> {
    let copy = copy.as_fd();
    let not_lent = if chown(copy, original.uid, original.gid).is_ok() { 0 } else { SET_IDS };
    chmod(copy, original.permissions() & !not_lent)
}
