//! Removing a tree.

use super::{above, split};
use crate::error::{Errno, Error, Result};
use crate::sys::dir::{self, Dir};
use crate::sys::listing::Listing;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// How many levels down a walker remembers all the directories it has just read the names of. Further
/// down it remembers one and reads the names again, so that no tree is too much for memory.
const REMEMBERING: usize = 100;

/// How often a directory may have got new entries while it was emptied.
const PATIENCE: u32 = 16;

/// Removes whatever is at `path`, with everything below it; a link is removed, not followed. Nothing
/// there is fine. The error names what could not be removed; what is behind it is left.
pub fn remove(path: &Path) -> Result<()> {
    let (parent, name) = match split(path) {
        Ok(Some(there)) => there,
        Ok(None) if path.as_os_str().is_empty() => return Ok(()),
        Ok(None) => return Err(Error::on("remove", path, Errno::INVALID)),
        Err(error) if matches!(error.errno(), Some(Errno(libc::ENOENT | libc::ENOTDIR))) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match parent.unlink(&name) {
        Ok(()) | Err(Errno::NOT_FOUND) => return Ok(()),
        Err(Errno(libc::EISDIR)) => {}
        Err(errno) => return Err(Error::on("remove", path, errno)),
    }
    let failed = |errno| Error::on("remove", path, errno);
    let top = Level {
        name: path.parent().unwrap_or(Path::new("")).into(),
        identity: dir::stat(&parent).map_err(failed)?.identity,
        waiting: vec![name],
        refilled: 0,
    };
    let mut walk = Walk { here: Listing::of(parent), levels: vec![top] };
    walk.run().map_err(|(name, errno)| Error::on("remove", walk.path(&name), errno))
}

/// On the way through a tree.
struct Walk {
    here: Listing,
    /// From the directory in which the top of the tree is, down to `here`.
    levels: Vec<Level>,
}

/// A directory that is being emptied.
struct Level {
    /// Its name in the one above.
    name: OsString,
    identity: (u64, u64),
    /// Directories in it, to be removed before it is read on.
    waiting: Vec<OsString>,
    /// How often a directory in it was not empty after all, one time after the other.
    refilled: u32,
}

/// What could not be removed, by its name in the directory where the walk is, and why.
type Stuck = (OsString, Errno);

impl Walk {
    fn run(&mut self) -> std::result::Result<(), Stuck> {
        loop {
            let depth = self.levels.len();
            let Some(level) = self.levels.last_mut() else { return Ok(()) };
            if let Some(name) = level.waiting.pop() {
                self.enter(name)?;
            } else if depth == 1 {
                return Ok(());
            } else if !self.sweep()? {
                self.leave()?;
            }
        }
    }

    /// Removes what is no directory, until there is a directory to be removed first. `false`: nothing is
    /// left.
    fn sweep(&mut self) -> std::result::Result<bool, Stuck> {
        let whole = self.levels.len() < REMEMBERING;
        let Some(level) = self.levels.last_mut() else { return Ok(false) };
        let stuck = |errno| (OsString::new(), errno);
        while let Some((dir, batch)) = self.here.batch().map_err(stuck)? {
            for entry in batch.filter(|entry| !entry.is_dots()) {
                let removed = match entry.is_dir {
                    Some(true) => Err(Errno(libc::EISDIR)),
                    Some(false) | None => dir.unlink(entry.name),
                };
                match removed {
                    Ok(()) | Err(Errno::NOT_FOUND) => {}
                    Err(Errno(libc::EISDIR)) if whole || level.waiting.is_empty() => {
                        level.waiting.push(entry.name.to_owned());
                    }
                    Err(Errno(libc::EISDIR)) => {}
                    Err(errno) => return Err((entry.name.to_owned(), errno)),
                }
            }
            if !level.waiting.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(&mut self, name: OsString) -> std::result::Result<(), Stuck> {
        let below = self.here.dir().sub_nofollow(&name);
        match below.and_then(|below| Ok((dir::stat(&below)?.identity, below))) {
            Ok((identity, below)) => {
                self.here = Listing::of(below);
                self.levels.push(Level { name, identity, waiting: Vec::new(), refilled: 0 });
                Ok(())
            }
            Err(errno) => match remove_unread(self.here.dir(), &name, errno) {
                Ok(()) | Err(Errno::NOT_FOUND) => Ok(()),
                Err(errno) => Err((name, errno)),
            },
        }
    }

    /// Goes up, and removes where we were.
    fn leave(&mut self) -> std::result::Result<(), Stuck> {
        let stuck = |errno| (OsString::new(), errno);
        let [.., upper, _] = self.levels.as_slice() else { return Ok(()) };
        let parent = above(self.here.dir(), upper.identity).map_err(stuck)?;
        self.here = Listing::of(parent);
        let name = self.levels.pop().map(|level| level.name).unwrap_or_default();
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        match self.here.dir().rmdir(&name) {
            Ok(()) | Err(Errno::NOT_FOUND) => level.refilled = 0,
            Err(Errno(libc::ENOTEMPTY)) if level.refilled < PATIENCE => {
                level.refilled += 1;
                level.waiting.push(name);
            }
            Err(errno) => return Err((name, errno)),
        }
        Ok(())
    }

    /// The path of a name in the directory where the walk is; of the directory itself if it is empty.
    fn path(&self, name: &OsStr) -> PathBuf {
        let names = self.levels.iter().map(|level| level.name.as_os_str());
        names.chain([name]).filter(|name| !name.is_empty()).collect()
    }
}

/// Removes what could not be opened as a directory, for this reason: an empty directory need not be
/// read, and something else may be there by now.
fn remove_unread(dir: &Dir, name: &OsStr, errno: Errno) -> std::result::Result<(), Errno> {
    match errno {
        Errno(libc::ENOTDIR | libc::ELOOP) => dir.unlink(name),
        Errno(libc::EACCES) => dir.rmdir(name).map_err(|_| errno),
        _ => Err(errno),
    }
}
