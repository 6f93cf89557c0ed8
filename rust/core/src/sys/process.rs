//! This process: its identity, becoming two, becoming another program.

use super::cerr;
use super::dir::terminated;
use super::wait::Pid;
use crate::error::Errno;
use crate::wire::environment::Environment;
use crate::wire::signal::Signal;
use crate::wire::wait_status::{Ending, WaitStatus};
use std::convert::Infallible;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Our own process id.
pub fn own_pid() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::getpid() }
}

/// The environment that we were started with, as a copy.
pub fn environment() -> Environment {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    let mut entries = Vec::new();
    // SAFETY: a pointer that C's start code has set; nothing of ours changes it.
    let mut at = unsafe { environ };
    // SAFETY: the array ends with a null, which ends the loop; null itself means no environment.
    while let Some(entry) = unsafe { at.as_ref() }.filter(|entry| !entry.is_null()) {
        // SAFETY: an entry of `environ` is a C string.
        let text = unsafe { CStr::from_ptr(*entry) };
        entries.push(OsStr::from_bytes(text.to_bytes()).to_owned());
        at = at.wrapping_add(1);
    }
    Environment::new(entries)
}

/// The path that was given to the kernel to start this program; under a script's first line, the
/// script.
pub fn executed_path() -> Option<OsString> {
    // SAFETY: only reads what the kernel told about this process.
    let at = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const libc::c_char;
    if at.is_null() {
        return None;
    }
    // SAFETY: a C string that the kernel put on our stack, and nothing of ours changes.
    let text = unsafe { CStr::from_ptr(at) };
    Some(OsStr::from_bytes(text.to_bytes()).to_owned())
}

/// Gives this process the name that `ps -o comm` shows: the first 15 bytes of it.
pub fn set_name(name: &CStr) {
    // SAFETY: the kernel reads up to 16 bytes of a C string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
}

/// Our parent's process id; 0 when it lives in another PID namespace.
pub fn parent_pid() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::getppid() }
}

/// Our effective user and group ids.
pub fn effective_ids() -> (u32, u32) {
    // SAFETY: both always succeed.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Our real user and group ids.
pub fn real_ids() -> (u32, u32) {
    // SAFETY: both always succeed.
    unsafe { (libc::getuid(), libc::getgid()) }
}

/// Sets the umask and returns the old one.
pub fn umask(mask: u32) -> u32 {
    // SAFETY: always succeeds.
    unsafe { libc::umask(mask) }
}

/// The working directory's absolute path, if it has one.
pub fn working_directory() -> Option<Vec<u8>> {
    current_directory().ok().map(OsString::into_encoded_bytes)
}

/// The same, or why there is none: `ENOENT` when the directory was removed.
pub fn current_directory() -> Result<OsString, Errno> {
    std::env::current_dir().map(PathBuf::into_os_string).map_err(|error| Errno::of(&error))
}

/// Makes this directory the working directory. For programs whose contract says so, at start.
pub fn change_directory(dir: impl AsFd) -> Result<(), Errno> {
    // SAFETY: an open descriptor.
    cerr(unsafe { libc::fchdir(dir.as_fd().as_raw_fd()) }).map(drop)
}

/// The same by its path, which need not be readable.
pub fn enter(path: &OsStr) -> Result<(), Errno> {
    let path = terminated(path)?;
    // SAFETY: a C string.
    cerr(unsafe { libc::chdir(path.as_ptr()) }).map(drop)
}

/// Adds to this process's nice value, within the limits that there are. The error is nice(2)'s.
pub fn renice(increment: i32) -> Result<(), Errno> {
    /// What the system call adds, so that no nice value looks like an error.
    const OFFSET: i64 = 20;
    let (process, own) = (libc::PRIO_PROCESS, 0);
    // SAFETY: plain integers; 0 means ourselves.
    let now = cerr(unsafe { libc::syscall(libc::SYS_getpriority, process, own) })?;
    let wanted = (OFFSET - now).saturating_add(increment.into()).clamp(-20, 19);
    // SAFETY: plain integers.
    match cerr(unsafe { libc::setpriority(process, own, wanted as libc::c_int) }) {
        Ok(_) => Ok(()),
        Err(Errno(libc::EACCES)) => Err(Errno(libc::EPERM)),
        Err(errno) => Err(errno),
    }
}

/// Orphans below this process become its children rather than PID 1's.
pub fn become_subreaper() -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// Starts a new session, without terminal.
pub fn new_session() -> Result<(), Errno> {
    // SAFETY: no arguments.
    cerr(unsafe { libc::setsid() }).map(drop)
}

/// Starts a new process group in the same session.
pub fn new_process_group() -> Result<(), Errno> {
    // SAFETY: plain integers; 0 and 0 mean ourselves.
    cerr(unsafe { libc::setpgid(0, 0) }).map(drop)
}

/// Puts our process group into the foreground of its session's terminal. From the background that
/// stops us by SIGTTOU, unless this is held back.
pub fn take_foreground(terminal: impl AsFd) -> Result<(), Errno> {
    // SAFETY: an open descriptor; getpgrp always succeeds.
    cerr(unsafe { libc::tcsetpgrp(terminal.as_fd().as_raw_fd(), libc::getpgrp()) }).map(drop)
}

/// Signals every process that we may signal, except PID 1 and ourselves (`kill(-1)`).
/// For PID 1, where that means the container, and for who asks for exactly this.
pub fn kill_everything(signal: Signal) -> Result<(), Errno> {
    // SAFETY: plain integers.
    cerr(unsafe { libc::kill(-1, i32::from(signal.number())) }).map(drop)
}

/// Writes all file systems to disk; may take long, so never in PID 1 itself.
pub fn sync() {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::sync() }
}

/// Replaces this process by a program, tried at each of `paths` in turn. Returns only if that
/// failed, with the reason: that of the last candidate that was found but refused, if any (contract execline §0.2).
pub fn exec(paths: &[CString], argv: &[CString], env: &[CString]) -> Errno {
    let nothing = || Ok::<(), Infallible>(());
    match exec_after(paths, argv, env, nothing) {
        Ok(errno) => errno,
    }
}

/// The same, after a last act, behind which no memory is asked for any more: it may limit that.
/// The error is that of the act; `Ok` is the reason why the exec failed.
pub fn exec_after<E>(
    paths: &[CString],
    argv: &[CString],
    env: &[CString],
    act: impl FnOnce() -> Result<(), E>,
) -> Result<Errno, E> {
    let (argv, env) = (pointers(argv), pointers(env));
    act()?;
    let mut refused = None;
    for path in paths {
        // SAFETY: a C string and two null-terminated arrays of C strings, all alive.
        unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr()) };
        match super::last() {
            Errno(libc::ENOENT) => {}
            errno @ Errno(libc::EACCES | libc::EPERM | libc::EISDIR | libc::ENOTDIR) => {
                refused = Some(errno);
            }
            errno => return Ok(errno),
        }
    }
    Ok(refused.unwrap_or(Errno::NOT_FOUND))
}

/// C's form of an argument list: pointers, and a null at the end. Valid as long as `strings`.
pub(super) fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
}

/// What fork(2) returned.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// We are the new process.
    Child,
    /// We are the old one, and this is our new child (after [`fork_orphan`]: one that is reaped).
    Parent(Pid),
}

/// Splits this process in two. Only for the executable, which has one thread; in a program with
/// more (a Python host), use [`super::spawn`].
pub fn fork() -> Result<Side, Errno> {
    // SAFETY: our executable has no threads, so the child's memory is consistent.
    let pid = cerr(unsafe { libc::fork() })?;
    Ok(Pid::new(pid).map_or(Side::Child, Side::Parent))
}

/// In a child of [`fork`]: to be killed as soon as its parent has ended, by whatever death.
pub fn die_with_parent() {
    // SAFETY: plain integers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// The same, but the child is nobody's: an orphan, which whoever reaps orphans reaps. For programs
/// that become a daemon which does not expect a child.
pub fn fork_orphan() -> Result<Side, Errno> {
    let between = match fork()? {
        Side::Parent(pid) => pid,
        Side::Child => match fork() {
            Ok(Side::Child) => return Ok(Side::Child),
            Ok(Side::Parent(_)) => exit_now(0),
            Err(errno) => exit_now(u8::try_from(errno.0).unwrap_or(u8::MAX)),
        },
    };
    match super::wait::wait_for(between).map(WaitStatus::ending) {
        None | Some(Ending::Exited(0)) => Ok(Side::Parent(between)),
        Some(Ending::Exited(errno)) => Err(Errno(errno.into())),
        Some(Ending::Killed(_)) => Err(Errno(libc::ECHILD)),
    }
}

/// Ends this process at once, without running anything else: for the child side of a fork.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(i32::from(code)) }
}
