//! Whole trees of files: removing and copying them, without ever following a link on the way.
//!
//! However deep a tree is, a walker holds a handful of descriptors and no stack: it goes up again by
//! `..`, and makes sure that this is where it came from (`ESTALE`, where somebody moved things).

mod copying;
mod removal;

pub use copying::copy;
pub use removal::remove;

use crate::error::{Errno, Error, Result};
use crate::sys::dir::{self, Dir, chmod};
use std::ffi::OsString;
use std::path::Path;

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

/// The directory above, which must be this one.
pub(super) fn above(dir: &Dir, identity: (u64, u64)) -> std::result::Result<Dir, Errno> {
    let above = dir.sub("..")?;
    if dir::stat(&above)?.identity == identity { Ok(above) } else { Err(Errno(libc::ESTALE)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;

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
