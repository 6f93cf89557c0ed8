//! Whole trees of files: removing and copying them, without ever following a link on the way.

use crate::error::{Errno, Error, Result};
use crate::sys::dir::{Dir, Stat, chmod, chown};
use crate::sys::inode::{self, Inode};
use crate::sys::{fd, process};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Removes whatever is at `path`, with everything below it; a link is removed, not followed. Nothing
/// there is fine.
pub fn remove(path: &Path) -> Result<()> {
    let (parent, name) = match split(path) {
        Ok(Some(there)) => there,
        Ok(None) => return Err(Error::on("remove", path, Errno::INVALID)),
        Err(error) if matches!(error.errno(), Some(Errno(libc::ENOENT | libc::ENOTDIR))) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    remove_at(&parent, &name).map_err(|errno| Error::on("remove", path, errno))
}

/// Removes an entry of a directory.
fn remove_at(dir: &Dir, name: &OsStr) -> std::result::Result<(), Errno> {
    match dir.unlink(name) {
        Ok(()) | Err(Errno::NOT_FOUND | Errno(libc::ENOTDIR)) => return Ok(()),
        // The two codes for "it is a directory".
        Err(Errno(libc::EISDIR | libc::EPERM)) => {}
        Err(errno) => return Err(errno),
    }
    let below = match dir.sub_nofollow(name) {
        Ok(below) => below,
        Err(Errno(libc::ENOTDIR | libc::ELOOP)) => return Err(Errno(libc::EPERM)),
        Err(errno) => return Err(errno),
    };
    for entry in below.names()? {
        remove_at(&below, &entry)?;
    }
    dir.rmdir(name)
}

/// Copies a tree: links stay links, modes and (where permitted) owners are kept; into an existing
/// directory it is merged, an existing file is replaced. What fails inside the tree is told to `complain`
/// and left out; only the top itself is an error (contract s6-overlay §3.4, §6.1).
pub fn copy(from: &Path, to: &Path, complain: &mut dyn FnMut(Error)) -> Result<()> {
    let (source, target) = (split(from)?, split(to)?);
    let Some((parent, name)) = target else {
        return Err(Error::on("create", to, Errno::EXISTS));
    };
    let source = match source {
        Some((dir, name)) => Inode::of(&dir, &name).map(|inode| (dir, name, inode)),
        None => Dir::open("/").and_then(|dir| {
            let inode = Inode::of(&dir, ".")?;
            Ok((dir, OsString::from("."), inode))
        }),
    };
    let (dir, source_name, inode) = source.map_err(|errno| Error::on("copy", from, errno))?;
    let old = process::umask(0);
    let place = Place { from: from.to_owned(), to: to.to_owned() };
    let done = copy_entry(&dir, &source_name, &inode, &parent, &name, &place, complain);
    process::umask(old);
    done
}

/// For messages.
struct Place {
    from: PathBuf,
    to: PathBuf,
}

fn copy_entry(
    dir: &Dir,
    name: &OsStr,
    inode: &Inode,
    into: &Dir,
    new: &OsStr,
    place: &Place,
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    let unreadable = |errno| Error::on("copy", &place.from, errno);
    let unwritable = |errno| Error::on("create", &place.to, errno);
    let stat = inode.stat().map_err(unreadable)?;
    if stat.is_dir() {
        return copy_directory(inode, &stat, into, new, place, complain);
    }
    if !into.lstat(new).is_ok_and(|old| old.is_dir()) {
        match into.unlink(new) {
            Ok(()) | Err(Errno::NOT_FOUND) => {}
            Err(errno) => return Err(unwritable(errno)),
        }
    }
    if stat.is_link() {
        let target = dir.readlink(name).map_err(unreadable)?;
        into.symlink(target, new).map_err(unwritable)?;
        let _ = Inode::of(into, new).and_then(|made| made.chown(stat.uid, stat.gid));
        return Ok(());
    }
    if stat.is_file() {
        let source = inode::open_to_read(dir, name).map_err(unreadable)?;
        let target = inode::create(into, new, 0o600).map_err(unwritable)?;
        copy_content(&source, &target).map_err(unwritable)?;
        let _ = chown(&target, stat.uid, stat.gid); // where permitted
        return chmod(&target, stat.permissions()).map_err(unwritable);
    }
    let device = inode.device().map_err(unreadable)?;
    inode::mknod(into, new, stat.mode, device).map_err(unwritable)?;
    let made = Inode::of(into, new).map_err(unwritable)?;
    let _ = made.chown(stat.uid, stat.gid);
    made.chmod(stat.permissions()).map_err(unwritable)
}

fn copy_directory(
    inode: &Inode,
    stat: &Stat,
    into: &Dir,
    new: &OsStr,
    place: &Place,
    complain: &mut dyn FnMut(Error),
) -> Result<()> {
    let unreadable = |errno| Error::on("copy", &place.from, errno);
    let unwritable = |errno| Error::on("create", &place.to, errno);
    let source = inode.open_dir().map_err(unreadable)?;
    match into.mkdir(new, 0o700) {
        Ok(()) | Err(Errno::EXISTS) => {}
        Err(errno) => return Err(unwritable(errno)),
    }
    let target = into.sub_nofollow(new).map_err(unwritable)?;
    for name in source.names().map_err(unreadable)? {
        let below = Place { from: place.from.join(&name), to: place.to.join(&name) };
        let copied = Inode::of(&source, &name)
            .map_err(|errno| Error::on("copy", &below.from, errno))
            .and_then(|inode| copy_entry(&source, &name, &inode, &target, &name, &below, complain));
        if let Err(error) = copied {
            complain(error);
        }
    }
    let _ = chown(&target, stat.uid, stat.gid); // where permitted
    chmod(&target, stat.permissions()).map_err(unwritable)
}

fn copy_content(
    source: &std::os::fd::OwnedFd,
    target: &std::os::fd::OwnedFd,
) -> std::result::Result<(), Errno> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match fd::read(source, &mut buffer)? {
            0 => return Ok(()),
            got => fd::write_all(target, buffer.get(..got).unwrap_or(&[]))?,
        }
    }
}

/// Makes a directory and its parents, with this mode whatever the umask; existing ones stay as they are.
pub fn make_directories(path: &Path, mode: u32) -> Result<()> {
    let failed = |errno| Error::on("create", path, errno);
    match Dir::open(path) {
        Ok(_) => return Ok(()),
        Err(Errno::NOT_FOUND) => {}
        Err(errno) => return Err(failed(errno)),
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directories(parent, mode)?;
    }
    let here = Dir::open(".").map_err(failed)?;
    match here.mkdir(path, mode) {
        Ok(()) => {}
        Err(Errno::EXISTS) => return Dir::open(path).map(drop).map_err(failed),
        Err(errno) => return Err(failed(errno)),
    }
    Dir::open(path).and_then(|made| chmod(made, mode)).map_err(failed)
}

/// The directory that holds a path's last name, and that name; `None` for `/` and what ends in dots.
fn split(path: &Path) -> Result<Option<(Dir, OsString)>> {
    let Some(name) = path.file_name() else { return Ok(None) };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    match Dir::open(parent) {
        Ok(dir) => Ok(Some((dir, name.to_owned()))),
        Err(errno) => Err(Error::on("open", parent, errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("s6x-tree-{name}-{}", process::own_pid()));
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        path
    }

    #[test]
    fn removing_does_not_follow_links() {
        let top = scratch("remove");
        fs::create_dir_all(top.join("keep")).expect("writable");
        fs::write(top.join("keep/file"), "x").expect("writable");
        fs::create_dir_all(top.join("gone/deep")).expect("writable");
        symlink(top.join("keep"), top.join("gone/link")).expect("writable");
        remove(&top.join("gone")).expect("removable");
        remove(&top.join("gone")).expect("nothing there is fine");
        remove(&top.join("no/such/thing")).expect("nothing there either");
        assert!(top.join("keep/file").exists() && !top.join("gone").exists());
        symlink(top.join("keep"), top.join("link")).expect("writable");
        remove(&top.join("link")).expect("removable");
        assert!(top.join("keep/file").exists());
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn copies_keep_links_modes_and_fifos_and_merge() {
        let top = scratch("copy");
        let (from, to) = (top.join("from"), top.join("to"));
        fs::create_dir_all(from.join("sub")).expect("writable");
        fs::write(from.join("sub/run"), "#!").expect("writable");
        fs::set_permissions(from.join("sub/run"), fs::Permissions::from_mode(0o4751))
            .expect("ours");
        symlink("run", from.join("sub/link")).expect("writable");
        Dir::open(&from).expect("there").mkfifo("fifo", 0o600).expect("writable");
        fs::create_dir_all(to.join("sub")).expect("writable");
        fs::write(to.join("sub/old"), "old").expect("writable");
        fs::write(to.join("sub/run"), "longer than before").expect("writable");
        copy(&from, &to, &mut |error| panic!("{error}")).expect("copied");
        let run = fs::metadata(to.join("sub/run")).expect("copied");
        assert_eq!((run.mode() & 0o7777, run.len()), (0o4751, 2));
        assert_eq!(fs::read_link(to.join("sub/link")).expect("a link"), Path::new("run"));
        assert!(to.join("sub/old").exists(), "merged");
        let fifo = fs::symlink_metadata(to.join("fifo")).expect("copied");
        assert_eq!(fifo.mode(), libc::S_IFIFO | 0o600);
        let error = copy(&top.join("absent"), &to, &mut |_| ()).expect_err("absent");
        assert!(error.to_string().contains("absent: No such file"), "{error}");
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn directories_are_made_with_their_parents() {
        let top = scratch("mkdir");
        let deep = top.join("a/b/c");
        make_directories(&deep, 0o751).expect("made");
        make_directories(&deep, 0o700).expect("there already");
        assert_eq!(fs::metadata(&deep).expect("made").mode() & 0o7777, 0o751);
        fs::write(top.join("file"), "").expect("writable");
        let error = make_directories(&top.join("file"), 0o755).expect_err("a file");
        assert!(error.to_string().contains("Not a directory"), "{error}");
        fs::remove_dir_all(top).expect("ours");
    }
}
