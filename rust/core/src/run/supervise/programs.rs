//! Starting `run` and `finish` (contract s6 §3.2–3.5).

use super::child::Child;
use super::{Seat, survivor};
use crate::error::Errno;
use crate::machine::supervise::Program;
use crate::model::service_dir::number;
use crate::run::script;
use crate::sys::dir::Open;
use crate::sys::fd;
use crate::sys::spawn::{Launch, Session};
use crate::wire::wait_status::Ending;
use std::ffi::CString;
use std::fmt::Display;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// Why a program was not started.
pub(super) enum NotStarted {
    /// There is none, which is fine.
    Absent,
    /// It could not be; a sentence for the log.
    Because(String),
}

impl Seat<'_> {
    pub(super) fn start_run(&mut self) -> Result<Child, NotStarted> {
        let (notification, lock) = self.special_descriptors()?;
        let pipe = match notification {
            Some(_) => Some(fd::pipe().map_err(|errno| because("make a pipe", errno))?),
            None => None,
        };
        let mut places: Vec<(BorrowedFd<'_>, RawFd)> = Vec::new();
        if let (Some(number), Some((_, writer))) = (notification, &pipe) {
            places.push((writer.as_fd(), number));
        }
        if let Some((number, file)) = &lock {
            places.push((file.as_fd(), *number));
        }
        let paths = [CString::from(c"./run")];
        let argv = [CString::from(c"./run"), self.name.clone()];
        let mark = survivor::mark(Program::Run, &self.boot);
        let launch = Launch {
            directory: Some(self.service.as_fd()),
            places: &places,
            session: Session::New,
            record: self.record.as_ref().map(|file| (file.as_fd(), mark.as_slice())),
            lock: lock.as_ref().map(|(number, _)| *number),
            new_pid_namespace: self.service.exists("flag-newpidns"),
            apart: true,
            ..Launch::plain(&paths, &argv, self.env)
        };
        let pid = script::spawn(&launch, &self.service).map_err(|errno| self.run_failed(errno))?;
        self.last_run = pid.number() as u64;
        self.readiness = pipe.map(|(reader, _)| reader);
        if let Some(pipe) = &self.readiness {
            let _ = fd::set_nonblocking(pipe, true); // of our own end: the service's blocks
        }
        Ok(Child::Own(pid))
    }

    pub(super) fn start_finish(&mut self) -> Result<Child, NotStarted> {
        if !self.service.exists("finish") {
            return Err(NotStarted::Absent); // found out without a process: it delays the restart
        }
        let (code, signal) = match self.machine.status(0).wait_status.ending() {
            Ending::Exited(code) => (code.to_string(), "0".to_owned()),
            Ending::Killed(signal) => ("256".to_owned(), signal.number().to_string()),
        };
        let paths = [CString::from(c"./finish")];
        let mut argv = vec![CString::from(c"finish"), text(&code), text(&signal)];
        argv.extend([self.name.clone(), text(&self.last_run.to_string())]);
        let mark = survivor::mark(Program::Finish, &self.boot);
        let launch = Launch {
            directory: Some(self.service.as_fd()),
            session: Session::New,
            record: self.record.as_ref().map(|file| (file.as_fd(), mark.as_slice())),
            apart: true,
            ..Launch::plain(&paths, &argv, self.env)
        };
        let pid = script::spawn(&launch, &self.service);
        pid.map(Child::Own).map_err(|errno| because("run ./finish", errno))
    }

    /// The descriptors that the service's files ask for: where it tells that it is ready, and a
    /// lock file.
    #[expect(clippy::type_complexity, reason = "two optional numbers, one with its file")]
    fn special_descriptors(&self) -> Result<(Option<RawFd>, Option<(RawFd, OwnedFd)>), NotStarted> {
        let mut problems = Vec::new();
        let mut read = |name: &str| {
            let number = number(&self.service, name, &mut |error| problems.push(error))?;
            Some((name.to_owned(), RawFd::try_from(number).unwrap_or(RawFd::MAX)))
        };
        let (notification, lock) = (read("notification-fd"), read("lock-fd"));
        self.warn_of(&problems);
        let limit = fd::limit();
        for (name, number) in [&notification, &lock].into_iter().flatten() {
            if *number >= limit {
                let why = format!("{number} is not below the limit of descriptors, {limit}");
                return Err(because(&format!("use the descriptor in {name}"), why));
            }
        }
        let notification = notification.map(|(_, number)| number);
        let lock = lock.map(|(_, number)| number).filter(|&number| number != 0);
        if lock.is_some() && lock == notification {
            let why = "both say the same number; change one";
            return Err(because("use notification-fd and lock-fd", why));
        }
        let lock = match lock {
            Some(number) => {
                let file = self.files.supervise.file("service-lock", Open::Replace(0o666));
                Some((number, file.map_err(|e| because("open supervise/service-lock", e))?))
            }
            None => None,
        };
        Ok((notification, lock))
    }

    /// The kernel's word for a failed start, and what it probably means.
    fn run_failed(&self, errno: Errno) -> NotStarted {
        let hint = match errno {
            Errno::NOT_FOUND if self.service.lstat("run").is_err() => {
                "; every service directory needs a run script"
            }
            Errno::NOT_FOUND => "; the interpreter that its first line names does not exist here",
            Errno(libc::EACCES) => "; make it executable: chmod 0755 run",
            Errno(libc::ENOEXEC) => "; its first line must name an interpreter, such as #!/bin/sh",
            _ => "",
        };
        NotStarted::Because(format!(
            "unable to run ./run: {errno}{hint} (trying again in 10 seconds)"
        ))
    }
}

fn because(what: &str, why: impl Display) -> NotStarted {
    NotStarted::Because(format!("unable to {what}: {why}"))
}

/// A C string of a text that we wrote ourselves, without NUL.
fn text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}
