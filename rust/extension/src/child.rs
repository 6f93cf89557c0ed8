//! Child processes that are held by descriptor and reaped by it alone, so that a host program's
//! other children are nobody's business but its own.

use crate::error::{Failure, Result};
use crate::status::ending;
use crate::wait;
use pyo3::prelude::*;
use s6x_core::sys::dir::{Dir, terminated};
use s6x_core::sys::spawn::{Launch, Session};
use s6x_core::sys::wait::PidFd;
use s6x_core::wire::signal::Signal;
use s6x_core::{Error, Result as CoreResult, error::shown};
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What Python ignores (the first two) and a host may ignore without thinking of its children, while
/// a program expects the default action: with SIGCHLD ignored, no supervisor would learn of a death.
const IGNORED_BY_HOSTS: &[Signal] = &[Signal::SIGPIPE, Signal::SIGXFSZ, Signal::SIGCHLD];

/// How a child ended: exit code, or signal, or neither: somebody else reaped it.
type Ended = (Option<u8>, Option<u8>);

/// A child of this process.
#[pyclass(frozen, module = "s6x._core")]
pub(crate) struct Child {
    #[pyo3(get)]
    pid: i32,
    fd: PidFd,
    ended: Mutex<Option<Ended>>,
}

#[pymethods]
impl Child {
    /// The pidfd.
    fn fileno(&self) -> RawFd {
        self.fd.as_fd().as_raw_fd()
    }

    /// Sends a signal; false if the child has ended.
    fn kill(&self, signal: u8) -> Result<bool> {
        let wrong = || Failure::Argument(format!("{signal} is no signal's number"));
        let signal = Signal::new(signal).ok_or_else(wrong)?;
        match self.fd.kill(signal) {
            Ok(()) => Ok(true),
            Err(_) if self.fd.has_ended() => Ok(false),
            Err(errno) => {
                let what = format!("send {signal} to process {}", self.pid);
                Err(Error::system(what, errno).into())
            }
        }
    }

    /// How it ended, or None while it runs.
    fn reap(&self) -> Option<Ended> {
        let mut ended = self.ended();
        if ended.is_none() && self.fd.has_ended() {
            // A host that ignores SIGCHLD, or waits for any child, may have been quicker.
            let status = self.fd.reap().or_else(|| self.fd.ending_of_stranger());
            *ended = Some(status.map_or((None, None), ending));
        }
        *ended
    }

    /// The same, waiting for it at most `timeout` seconds.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> Result<Option<Ended>> {
        let deadline = wait::deadline(timeout)?;
        wait::readable(py, &[self.fd.as_fd()], deadline)?;
        Ok(self.reap())
    }
}

impl Child {
    fn ended(&self) -> MutexGuard<'_, Option<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.reap(); // no zombie if it ended meanwhile; if it runs, it goes on running
    }
}

/// Starts a program in a new session.
#[pyfunction]
#[pyo3(signature = (path, argv, env, *, cwd, fds))]
pub(crate) fn spawn(
    py: Python<'_>,
    path: PathBuf,
    argv: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    fds: BTreeMap<RawFd, RawFd>,
) -> Result<Child> {
    let failed = |verb: &'static str, path: PathBuf| move |errno| Error::on(verb, path, errno);
    let directory = Dir::open(&cwd).map_err(failed("open", cwd))?;
    let paths = [terminated(path.as_os_str()).map_err(failed("execute", path.clone()))?];
    let argv = strings(argv)?;
    let env = strings(env.into_iter().map(assignment))?;
    let held = held(&fds)?;
    let places: Vec<_> = held.iter().zip(fds.keys()).map(|(fd, &to)| (fd.as_fd(), to)).collect();
    let launch = Launch {
        directory: Some(directory.as_fd()),
        places: &places,
        session: Session::New,
        default_signals: IGNORED_BY_HOSTS,
        closed: true,
        ..Launch::plain(&paths, &argv, &env)
    };
    let (pid, fd) = py.detach(|| launch.spawn_held()).map_err(failed("execute", path))?;
    Ok(Child { pid: pid.number(), fd, ended: Mutex::new(None) })
}

/// Copies of the caller's descriptors: the numbers may mean other files in another moment, if
/// another thread closes them.
fn held(fds: &BTreeMap<RawFd, RawFd>) -> CoreResult<Vec<OwnedFd>> {
    let copy = |&number: &RawFd| {
        let failed = |errno| Error::system(format!("pass on descriptor {number}"), errno);
        s6x_core::sys::fd::duplicate_number(number).map_err(failed)
    };
    fds.values().map(copy).collect()
}

fn assignment((name, value): (OsString, OsString)) -> OsString {
    let mut text = name;
    text.push("=");
    text.push(value);
    text
}

fn strings(words: impl IntoIterator<Item = OsString>) -> Result<Vec<CString>> {
    let string = |word: OsString| {
        let word = word.as_os_str();
        let wrong = |_| Failure::Argument(format!("{} has a NUL inside", shown(word.as_ref())));
        terminated(word).map_err(wrong)
    };
    words.into_iter().map(string).collect()
}
