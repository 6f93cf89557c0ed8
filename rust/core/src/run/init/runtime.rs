//! The runtime directory: the first candidate of the plan that we can create and own safely.
//!
//! Handled, not refused: a `/run` that is world-writable, foreign, read-only or noexec (contract
//! s6-overlay §10, L9 to L12). In a directory that others can write to, ours is private, and a link or
//! somebody else's directory under our name is passed over. A directory that another container holds at
//! this moment is left to it: the one beside it is taken.

use super::facts::path_of;
use crate::error::{Errno, Error, Result};
use crate::model::runtime::beside;
use crate::run::tree;
use crate::sys::dir::{Dir, Stat, chmod, chown, stat};
use crate::sys::{fd, inode, lock, process};
use crate::wire::plan::Plan;
use crate::wire::plan::text::Facts;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Chooses and makes it. The directory must stay open: others see by that that it is held.
/// The error lists every candidate and why it cannot be used.
pub(super) fn choose(plan: &Plan, facts: &Facts) -> Result<(PathBuf, Dir)> {
    let mut refusals = Vec::new();
    let mut unexecutable = None;
    for candidate in plan.run.iter().filter(|candidate| candidate.is_given(facts)) {
        let path = path_of(candidate, facts);
        if !path.is_absolute() {
            continue;
        }
        match take(&path) {
            Ok(dir) if !inode::is_noexec(&dir) => match hold(path, dir) {
                Ok(held) => return Ok(held),
                Err(error) => refusals.push(error.to_string()),
            },
            Ok(_) => {
                leave(&path);
                unexecutable.get_or_insert(path);
            }
            Err(error) => {
                leave(&path);
                if candidate.names_variables() {
                    // Somebody asked for this one.
                    fd::complain(&format!("init: warning: {error}; trying the next place\n"));
                }
                refusals.push(error.to_string());
            }
        }
    }
    // Services cannot be run from there; but there is nothing else.
    if let Some(path) = unexecutable {
        let dir = take(&path)?;
        return hold(path, dir);
    }
    let how = format!("{}; S6X_RUN can name another place", refusals.join("; "));
    Err(Error::malformed("find a directory for the state of the container", how))
}

/// Holds a directory, or the one beside it where the init of another container holds this one.
fn hold(path: PathBuf, dir: Dir) -> Result<(PathBuf, Dir)> {
    let Some(own) = beside(&path) else { return Ok((path, dir)) };
    if is_free(&path, &dir)? {
        if Dir::open(&own).is_ok() {
            tree::remove(&own)?; // of a container that is gone, and whose number is now ours
        }
        return Ok((path, dir));
    }
    let dir = take(&own)?;
    if is_free(&own, &dir)? {
        return Ok((own, dir));
    }
    Err(Error::on("hold", &own, Errno(libc::EBUSY)))
}

fn is_free(path: &Path, dir: &Dir) -> Result<bool> {
    lock::try_directory(dir).map_err(|errno| Error::on("hold", path, errno))
}

/// Lets go of a candidate: a directory in its place would be in the way of a link to the one that is used.
fn leave(path: &Path) {
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        let _ = Dir::open(parent).and_then(|parent| parent.rmdir(name)); // only if it is empty
    }
}

/// Makes a directory ours, or says why not.
fn take(path: &Path) -> Result<Dir> {
    let failed = |errno| Error::on("use", path, errno);
    let (Some(parent_path), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(Errno::INVALID));
    };
    tree::make_directories(parent_path, 0o755)?;
    let parent = Dir::open(parent_path).map_err(failed)?;
    let above = stat(&parent).map_err(failed)?;
    let dir = enter(&parent, &above, name).map_err(failed)?;
    own(&dir, &above).map_err(failed)?;
    probe(&dir).map_err(failed)?;
    Ok(dir)
}

/// Opens the directory, made if it is not there. A link is followed only where nobody else could have
/// put it; one that leads nowhere was left by an earlier boot that had to live elsewhere.
fn enter(parent: &Dir, above: &Stat, name: &OsStr) -> std::result::Result<Dir, Errno> {
    let mode = if is_shared(above) { 0o700 } else { 0o755 };
    let is_link = parent.lstat(name).is_ok_and(|found| found.is_link() && is_ours(&found));
    if is_link && !is_shared(above) {
        // Where it leads to, others may write: what is there must be ours already.
        match parent.sub(name) {
            Ok(dir) if is_ours(&stat(&dir)?) => return Ok(dir),
            Ok(_) => return Err(Errno(libc::EPERM)),
            Err(_) => {}
        }
        parent.unlink(name)?;
    }
    match parent.mkdir(name, mode) {
        Ok(()) => {
            let made = parent.sub_nofollow(name)?;
            chmod(&made, mode)?;
            Ok(made)
        }
        Err(Errno::EXISTS) => parent.sub_nofollow(name),
        Err(errno) => Err(errno),
    }
}

/// Makes sure that nobody else can write into it.
fn own(dir: &Dir, above: &Stat) -> std::result::Result<(), Errno> {
    let found = stat(dir)?;
    if !is_ours(&found) {
        let (uid, gid) = process::effective_ids();
        // Only root can, and only where nobody else could have put it.
        if uid != 0 || is_shared(above) {
            return Err(Errno(libc::EPERM));
        }
        chown(dir, uid, gid)?;
    }
    if found.permissions() & 0o022 != 0 || found.permissions() & 0o700 != 0o700 {
        chmod(dir, (found.permissions() & 0o755) | 0o700)?;
    }
    Ok(())
}

/// Whether files can be made in it: full and read-only file systems are seen only so.
fn probe(dir: &Dir) -> std::result::Result<(), Errno> {
    const NAME: &str = ".s6x-probe";
    let _ = dir.unlink(NAME);
    drop(inode::create(dir, NAME, 0o600)?);
    dir.unlink(NAME)
}

/// Can anybody but its owner and root write there, or is its owner a stranger?
fn is_shared(above: &Stat) -> bool {
    let stranger = above.uid != 0 && !is_ours(above);
    above.permissions() & 0o022 != 0 || stranger
}

fn is_ours(found: &Stat) -> bool {
    found.uid == process::effective_ids().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("s6x-runtime-{name}-{}", process::own_pid()));
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        path
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").mode() & 0o7777
    }

    #[test]
    fn private_where_others_can_write_and_public_where_not() {
        let top = scratch("modes");
        fs::create_dir(top.join("shared")).expect("writable");
        fs::set_permissions(top.join("shared"), fs::Permissions::from_mode(0o1777)).expect("ours");
        take(&top.join("shared/s6x")).expect("usable");
        take(&top.join("own/deep/s6")).expect("usable");
        take(&top.join("own/deep/s6")).expect("usable a second time");
        assert_eq!(mode(&top.join("shared/s6x")), 0o700);
        assert_eq!((mode(&top.join("own/deep")), mode(&top.join("own/deep/s6"))), (0o755, 0o755));
        fs::set_permissions(top.join("own/deep/s6"), fs::Permissions::from_mode(0o777))
            .expect("ours");
        take(&top.join("own/deep/s6")).expect("usable");
        assert_eq!(mode(&top.join("own/deep/s6")), 0o755, "shut for others");
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn a_place_that_is_held_is_left_to_whoever_holds_it() {
        let top = scratch("held");
        let path = top.join("s6x-1");
        let held = || hold(path.clone(), take(&path).expect("usable")).expect("a place");
        let first = held();
        let second = held();
        assert_eq!(first.0, path);
        assert_eq!(second.0, beside(&path).expect("a user's"));
        drop((first, second));
        assert_eq!(held().0, path);
        assert!(!beside(&path).expect("a user's").exists(), "left by somebody who is gone");
        let usual = top.join("s6");
        let twice = [(); 2].map(|()| hold(usual.clone(), take(&usual).expect("usable")));
        assert!(twice.iter().flatten().all(|(place, _)| *place == usual), "not shared");
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let top = scratch("link");
        fs::create_dir(top.join("shared")).expect("writable");
        fs::set_permissions(top.join("shared"), fs::Permissions::from_mode(0o1777)).expect("ours");
        symlink(top.join("elsewhere"), top.join("shared/s6x")).expect("writable");
        fs::create_dir(top.join("elsewhere")).expect("writable");
        let error = take(&top.join("shared/s6x")).expect_err("a link");
        assert!(error.to_string().contains("shared/s6x"), "{error}");
        assert_eq!(fs::read_dir(top.join("elsewhere")).expect("there").count(), 0);
        symlink(top.join("nowhere"), top.join("s6")).expect("writable");
        take(&top.join("s6")).expect("the link of an earlier boot gives way");
        assert!(fs::symlink_metadata(top.join("s6")).expect("there").is_dir());
        symlink("elsewhere", top.join("linked")).expect("writable");
        take(&top.join("linked")).expect("a link of the image is followed");
        assert!(fs::symlink_metadata(top.join("linked")).expect("there").is_symlink());
        fs::remove_dir_all(top).expect("ours");
    }
}
