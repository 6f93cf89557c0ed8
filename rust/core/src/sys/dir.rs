//! Directories held open, and the files below them by name.
//!
//! A supervisor keeps its service directory open, as the originals do by living in it: when the
//! directory is renamed, everything goes on in the right place.

use super::cerr;
use super::fd;
use crate::error::Errno;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// An open directory.
#[derive(Debug)]
pub struct Dir(OwnedFd);

/// What `stat` tells, as far as we ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Device and inode: what a file *is*, under whatever name.
    pub identity: (u64, u64),
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u64,
    /// When its content was last changed, in seconds since 1970 and nanoseconds.
    pub modified: (i64, i64),
    /// When its content was last read.
    pub accessed: (i64, i64),
}

/// How to open a file below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// For reading.
    Read,
    /// For reading and writing.
    ReadWrite,
    /// For reading, without waiting for a FIFO's writer, and non-blocking ever after.
    ReadNow,
    /// For writing to a FIFO, without waiting for a reader (`ENXIO`), and non-blocking ever after.
    WriteNow,
    /// The same unless the name is a link (`ELOOP`): where strangers can make names.
    WriteNowUnlinked,
    /// For writing; created with this mode (less the umask), content kept.
    Update(u32),
    /// For reading and writing; created with this mode (less the umask), content dropped. A link in the
    /// place of the file is refused (`ELOOP`).
    Scratch(u32),
    /// The same as [`Open::Update`], without waiting for a FIFO's reader (`ENXIO`), and non-blocking ever after.
    UpdateNow(u32),
    /// For writing; created with this mode (less the umask), content dropped. A FIFO in the place of
    /// the file is not waited for (`ENXIO`).
    Replace(u32),
    /// For appending; created with this mode (less the umask).
    Append(u32),
}

impl Dir {
    /// Opens a directory by path.
    pub fn open(path: impl AsRef<Path>) -> Result<Dir, Errno> {
        Dir::open_at(libc::AT_FDCWD, &terminated(path.as_ref().as_os_str())?, 0)
    }

    /// Opens a directory below this one (or anywhere, if `name` is absolute).
    pub fn sub(&self, name: impl AsRef<OsStr>) -> Result<Dir, Errno> {
        Dir::open_at(self.0.as_raw_fd(), &terminated(name.as_ref())?, 0)
    }

    /// Opens a directory below this one unless its name is a link (`ENOTDIR` or `ELOOP`).
    pub fn sub_nofollow(&self, name: impl AsRef<OsStr>) -> Result<Dir, Errno> {
        Dir::open_at(self.0.as_raw_fd(), &terminated(name.as_ref())?, libc::O_NOFOLLOW)
    }

    /// A second handle on the same directory.
    pub fn again(&self) -> Result<Dir, Errno> {
        fd::duplicate(&self.0, 3).map(Dir)
    }

    /// A directory that was opened elsewhere in `sys`.
    pub(super) fn from_fd(fd: OwnedFd) -> Dir {
        Dir(fd)
    }

    fn open_at(base: i32, name: &CStr, more: i32) -> Result<Dir, Errno> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC | more;
        // SAFETY: `name` is a C string.
        let fd = cerr(unsafe { libc::openat(base, name.as_ptr(), flags) })?;
        // SAFETY: just opened, known to nobody else.
        Ok(Dir(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Opens a file below this directory.
    pub fn file(&self, name: impl AsRef<OsStr>, how: Open) -> Result<OwnedFd, Errno> {
        file_at(self.0.as_raw_fd(), name.as_ref(), how)
    }

    /// The content of a small file, at most `limit` bytes of it.
    pub fn read(&self, name: impl AsRef<OsStr>, limit: usize) -> Result<Vec<u8>, Errno> {
        // ReadNow: a FIFO where a file was expected must not block a supervisor.
        fd::read_up_to(self.file(name, Open::ReadNow)?, limit)
    }

    /// Replaces a file whole: writes `NAME.new`, then renames. A reader sees the old content or
    /// the new, never a part. Not synced to disk, like the originals (contract s6 §5.1.3).
    pub fn replace(&self, name: impl AsRef<OsStr>, content: &[u8], mode: u32) -> Result<(), Errno> {
        let name = name.as_ref();
        let mut new = name.to_owned();
        new.push(".new");
        let file = self.file(&new, Open::Replace(mode))?;
        match fd::write_all(&file, content).and_then(|()| self.rename(&new, name)) {
            Ok(()) => Ok(()),
            Err(errno) => {
                let _ = self.unlink(&new); // the first failure is the one to tell
                Err(errno)
            }
        }
    }

    /// Makes a directory (less the umask).
    pub fn mkdir(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<(), Errno> {
        mkdir_at(self.0.as_raw_fd(), name.as_ref(), mode)
    }

    /// Makes a FIFO (less the umask).
    pub fn mkfifo(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<(), Errno> {
        let name = terminated(name.as_ref())?;
        // SAFETY: `name` is a C string.
        cerr(unsafe { libc::mkfifoat(self.0.as_raw_fd(), name.as_ptr(), mode) }).map(drop)
    }

    /// Makes a symbolic link.
    pub fn symlink(&self, target: impl AsRef<OsStr>, name: impl AsRef<OsStr>) -> Result<(), Errno> {
        let (target, name) = (terminated(target.as_ref())?, terminated(name.as_ref())?);
        // SAFETY: both are C strings.
        cerr(unsafe { libc::symlinkat(target.as_ptr(), self.0.as_raw_fd(), name.as_ptr()) })
            .map(drop)
    }

    /// Where a symbolic link points.
    pub fn readlink(&self, name: impl AsRef<OsStr>) -> Result<OsString, Errno> {
        let name = terminated(name.as_ref())?;
        let mut buffer = vec![0_u8; libc::PATH_MAX as usize];
        let (place, room) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: `name` is a C string; `place` and `room` describe `buffer`.
        let got =
            cerr(unsafe { libc::readlinkat(self.0.as_raw_fd(), name.as_ptr(), place, room) })?;
        buffer.truncate(got as usize);
        Ok(OsString::from_vec(buffer))
    }

    /// Renames within this directory, replacing what is there.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> Result<(), Errno> {
        let (from, to) = (terminated(from.as_ref())?, terminated(to.as_ref())?);
        let dir = self.0.as_raw_fd();
        // SAFETY: both names are C strings.
        cerr(unsafe { libc::renameat(dir, from.as_ptr(), dir, to.as_ptr()) }).map(drop)
    }

    /// Gives a file a second name within this directory, which must be free (`EEXIST`).
    pub fn link(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> Result<(), Errno> {
        let (from, to) = (terminated(from.as_ref())?, terminated(to.as_ref())?);
        let dir = self.0.as_raw_fd();
        // SAFETY: both names are C strings.
        cerr(unsafe { libc::linkat(dir, from.as_ptr(), dir, to.as_ptr(), 0) }).map(drop)
    }

    /// Removes a file, link or FIFO.
    pub fn unlink(&self, name: impl AsRef<OsStr>) -> Result<(), Errno> {
        self.unlink_with(name.as_ref(), 0)
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, name: impl AsRef<OsStr>) -> Result<(), Errno> {
        self.unlink_with(name.as_ref(), libc::AT_REMOVEDIR)
    }

    fn unlink_with(&self, name: &OsStr, flags: i32) -> Result<(), Errno> {
        let name = terminated(name)?;
        // SAFETY: `name` is a C string.
        cerr(unsafe { libc::unlinkat(self.0.as_raw_fd(), name.as_ptr(), flags) }).map(drop)
    }

    /// Owner, mode, identity of a name, links followed.
    pub fn stat(&self, name: impl AsRef<OsStr>) -> Result<Stat, Errno> {
        self.stat_with(name.as_ref(), 0)
    }

    /// The same of the name itself: a link is a link.
    pub fn lstat(&self, name: impl AsRef<OsStr>) -> Result<Stat, Errno> {
        self.stat_with(name.as_ref(), libc::AT_SYMLINK_NOFOLLOW)
    }

    fn stat_with(&self, name: &OsStr, flags: i32) -> Result<Stat, Errno> {
        stat_at(self.0.as_raw_fd(), name, flags)
    }

    /// Changes the mode of a name, links followed; no umask.
    pub fn chmod(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<(), Errno> {
        let name = terminated(name.as_ref())?;
        // SAFETY: `name` is a C string.
        cerr(unsafe { libc::fchmodat(self.0.as_raw_fd(), name.as_ptr(), mode, 0) }).map(drop)
    }

    /// Changes owner and group of a name, links followed; `u32::MAX` leaves one as it is.
    pub fn chown(&self, name: impl AsRef<OsStr>, uid: u32, gid: u32) -> Result<(), Errno> {
        let name = terminated(name.as_ref())?;
        // SAFETY: `name` is a C string.
        cerr(unsafe { libc::fchownat(self.0.as_raw_fd(), name.as_ptr(), uid, gid, 0) }).map(drop)
    }

    /// The same of the name itself: of a link, the link's own.
    pub fn lchown(&self, name: impl AsRef<OsStr>, uid: u32, gid: u32) -> Result<(), Errno> {
        let (name, flags) = (terminated(name.as_ref())?, libc::AT_SYMLINK_NOFOLLOW);
        // SAFETY: `name` is a C string.
        cerr(unsafe { libc::fchownat(self.0.as_raw_fd(), name.as_ptr(), uid, gid, flags) })
            .map(drop)
    }

    /// Does the name exist, links followed?
    pub fn exists(&self, name: impl AsRef<OsStr>) -> bool {
        self.stat(name).is_ok()
    }

    /// The names in this directory, without `.` and `..`, in the order of the system.
    pub fn names(&self) -> Result<Vec<OsString>, Errno> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// The same in bytewise order, which is the same on every system.
    pub fn sorted_names(&self) -> Result<Vec<OsString>, Errno> {
        let mut names = self.names()?;
        names.sort_unstable();
        Ok(names)
    }

    /// The same as [`Dir::names`], one after the other: for directories that strangers can fill with names.
    ///
    /// Not readdir(3): it allocates 32 kB, which a supervisor would carry for ever.
    pub fn each_name(&self, mut visit: impl FnMut(&OsStr)) -> Result<(), Errno> {
        let own = Dir::open_at(self.0.as_raw_fd(), c".", 0)?; // a reading position of its own
        let mut buffer = [0_u8; 2048];
        loop {
            let (fd, place, room) = (own.0.as_raw_fd(), buffer.as_mut_ptr(), buffer.len());
            // SAFETY: `place` and `room` describe `buffer`.
            let got = cerr(unsafe { libc::syscall(libc::SYS_getdents64, fd, place, room) })?;
            if got == 0 {
                return Ok(());
            }
            for (name, _) in entries(buffer.get(..got as usize).unwrap_or(&[])) {
                if name != b"." && name != b".." {
                    visit(OsStr::from_bytes(name));
                }
            }
        }
    }
}

/// The names in what getdents64(2) gave, and their types. Each `struct linux_dirent64` is inode and
/// offset, 8 bytes each, the record's length in 2, a type in one, and the name up to a NUL.
pub(super) fn entries(mut records: &[u8]) -> impl Iterator<Item = (&[u8], u8)> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes(records.get(16..18)?.try_into().ok()?);
        let (entry, rest) = records.split_at_checked(length.into())?;
        records = rest;
        let name = entry.get(19..)?.split(|&byte| byte == 0).next()?;
        Some((name, *entry.get(18)?))
    })
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Stat {
    /// Is it a directory?
    pub fn is_dir(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }

    /// Is it a FIFO?
    pub fn is_fifo(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFIFO
    }

    /// Is it a socket?
    pub fn is_socket(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFSOCK
    }

    /// Is it a symbolic link?
    pub fn is_link(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFLNK
    }

    /// Is it a regular file?
    pub fn is_file(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }

    /// The permission bits.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }
}

impl From<libc::stat> for Stat {
    fn from(raw: libc::stat) -> Stat {
        Stat {
            identity: (raw.st_dev, raw.st_ino),
            mode: raw.st_mode,
            uid: raw.st_uid,
            gid: raw.st_gid,
            size: raw.st_size as u64,
            links: raw.st_nlink,
            modified: (raw.st_mtime, raw.st_mtime_nsec),
            accessed: (raw.st_atime, raw.st_atime_nsec),
        }
    }
}

/// Opens a file by path.
pub fn open(path: impl AsRef<Path>, how: Open) -> Result<OwnedFd, Errno> {
    file_at(libc::AT_FDCWD, path.as_ref().as_os_str(), how)
}

/// Whether we may write to what is there: rights, and a file system that is read-only.
pub fn may_write(path: impl AsRef<Path>) -> bool {
    let Ok(path) = terminated(path.as_ref().as_os_str()) else { return false };
    // SAFETY: `path` is a C string.
    let denied =
        unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK, libc::AT_EACCESS) };
    denied == 0
}

/// Makes a directory by path (less the umask).
pub fn mkdir(path: impl AsRef<Path>, mode: u32) -> Result<(), Errno> {
    mkdir_at(libc::AT_FDCWD, path.as_ref().as_os_str(), mode)
}

/// Removes a file, link, FIFO or socket by path.
pub fn unlink(path: impl AsRef<Path>) -> Result<(), Errno> {
    let path = terminated(path.as_ref().as_os_str())?;
    // SAFETY: `path` is a C string.
    cerr(unsafe { libc::unlink(path.as_ptr()) }).map(drop)
}

fn mkdir_at(base: i32, name: &OsStr, mode: u32) -> Result<(), Errno> {
    let name = terminated(name)?;
    // SAFETY: `name` is a C string.
    cerr(unsafe { libc::mkdirat(base, name.as_ptr(), mode) }).map(drop)
}

fn file_at(base: i32, name: &OsStr, how: Open) -> Result<OwnedFd, Errno> {
    use libc::{O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY};
    let (flags, mode) = match how {
        Open::Read => (O_RDONLY, 0),
        Open::ReadWrite => (libc::O_RDWR, 0),
        Open::ReadNow => (O_RDONLY | O_NONBLOCK, 0),
        Open::WriteNow => (O_WRONLY | O_NONBLOCK, 0),
        Open::WriteNowUnlinked => (O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0),
        Open::Update(mode) => (O_WRONLY | O_CREAT, mode),
        Open::Scratch(mode) => (O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOFOLLOW, mode),
        Open::UpdateNow(mode) => (O_WRONLY | O_CREAT | O_NONBLOCK, mode),
        Open::Replace(mode) => (O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, mode),
        Open::Append(mode) => (O_WRONLY | O_CREAT | O_APPEND, mode),
    };
    let name = terminated(name)?;
    let flags = flags | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: `name` is a C string; the mode is there whenever O_CREAT is.
    let fd = cerr(unsafe { libc::openat(base, name.as_ptr(), flags, mode) })?;
    // SAFETY: just opened, known to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Owner, mode, identity of what a path leads to.
pub fn stat_path(path: impl AsRef<Path>) -> Result<Stat, Errno> {
    stat_at(libc::AT_FDCWD, path.as_ref().as_os_str(), 0)
}

/// The same of the path itself, if it is a link.
pub fn lstat_path(path: impl AsRef<Path>) -> Result<Stat, Errno> {
    stat_at(libc::AT_FDCWD, path.as_ref().as_os_str(), libc::AT_SYMLINK_NOFOLLOW)
}

fn stat_at(base: i32, name: &OsStr, flags: i32) -> Result<Stat, Errno> {
    let name = terminated(name)?;
    let mut raw = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `name` is a C string, `raw` has room for one stat.
    cerr(unsafe { libc::fstatat(base, name.as_ptr(), raw.as_mut_ptr(), flags) })?;
    // SAFETY: fstatat succeeded, so it filled `raw`.
    Ok(Stat::from(unsafe { raw.assume_init() }))
}

/// Owner, mode, identity of an open file.
pub fn stat(fd: impl AsFd) -> Result<Stat, Errno> {
    let mut raw = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `raw` has room for one stat.
    cerr(unsafe { libc::fstat(fd.as_fd().as_raw_fd(), raw.as_mut_ptr()) })?;
    // SAFETY: fstat succeeded, so it filled `raw`.
    Ok(Stat::from(unsafe { raw.assume_init() }))
}

/// Changes the mode of an open file or directory; no umask.
pub fn chmod(fd: impl AsFd, mode: u32) -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::fchmod(fd.as_fd().as_raw_fd(), mode) }).map(drop)
}

/// Changes owner and group of an open file or directory; `u32::MAX` leaves one as it is.
pub fn chown(fd: impl AsFd, uid: u32, gid: u32) -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::fchown(fd.as_fd().as_raw_fd(), uid, gid) }).map(drop)
}

/// A name as C wants it; a NUL inside is `EINVAL`, as no file can have that name.
pub fn terminated(name: &OsStr) -> Result<CString, Errno> {
    CString::new(name.as_bytes()).map_err(|_| Errno(libc::EINVAL))
}
