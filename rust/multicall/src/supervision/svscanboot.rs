//! s6-svscanboot: a supervision tree that logs its own output, for starters that are not PID 1.
//!
//! The scanner's output and that of the supervisors goes into a FIFO, which a service of the tree
//! itself, `s6-svscan-log`, reads. Only that service's own errors go to the console.

use super::notification::aside;
use crate::exit::{Exec, exec};
use crate::invocation::{octal, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::execline::quote::quoted as quoted_word;
use s6x_core::run::fifodir::{self, Subscription};
use s6x_core::run::observe;
use s6x_core::run::service_maker::interpreter;
use s6x_core::sys::dir::{self, Dir, Open};
use s6x_core::sys::user::{Accounts, User};
use s6x_core::sys::wait::{Pid, PidFd};
use s6x_core::sys::{clock, fd, poll, process};
use s6x_core::wire::notice::Notice;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// s6-svscanboot.
pub static APPLET: Applet = Applet {
    name: "s6-svscanboot",
    section: Section::Supervision,
    about: "Become an s6-svscan whose tree logs its own output",
    options: &[
        value('c', "dev", "where the catch-all logger's own errors go (standard error)")
            .long("console"),
        value('D', "dir", "where the catch-all logger logs (/run/uncaught-logs)")
            .long("catchall-directory"),
        flag('u', "take that below $XDG_RUNTIME_DIR (uncaught-logs)").long("user"),
        value('m', "mode", "its mode, octal (02750)").long("catchall-mode"),
        value('l', "user", "run the catch-all logger as this user (only for root)")
            .long("catchall-user"),
        value('o', "directives", "more directives for its s6-log (t)").long("catchall-options"),
        value('d', "fd", "s6-svscan writes a newline to fd when it is ready")
            .long("notification-fd"),
        value('C', "N", "s6-svscan starts at most N supervisors").long("services-max"),
        value('L', "N", "longest name of a service for s6-svscan").long("name-max"),
        value('t', "ms", "s6-svscan scans again every so many milliseconds").long("timeout"),
    ],
    arguments: "scandir",
    syntax: Syntax::Long,
    exit_codes: &[("100", "wrong usage, or the directory is being scanned already")],
    run,
};

/// How long the catch-all logger may take to start before lines for it are lost.
const LOGGER_START: Duration = Duration::from_secs(10);

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let scan_dir = Path::new(call.only_argument("scandir")?);
    let argv = scanner(call, scan_dir)?;
    let (log_dir, mode) = (log_dir(call)?, mode(call)?);
    let user = user(call)?;
    if observe::is_scanned(scan_dir)? {
        let message = format!("s6-svscan is running on {}; stop it first", shown(scan_dir));
        return Err(Failure::new(100, message));
    }

    let console = console(call)?;
    let log_dir = make_log_dir(&log_dir, mode, user.as_ref().map(|(_, user)| user))?;
    let script = script(call, &log_dir, user.as_ref().map(|(name, _)| name.as_os_str()))?;
    let service = scan_dir.join("s6-svscan-log");
    make_logger(&service, &script)?;
    let reader = dir::open(service.join("fifo"), Open::ReadNow)
        .map_err(|errno| Error::on("open", service.join("fifo"), errno))?;
    let _until_exec = keep_first_lines(call, reader, &service)?;
    redirect(&service.join("fifo"))?;

    let wanted = Exec::new(argv, call.environment.clone());
    let failure = exec(&wanted, &call.environment);
    let _ = fd::place(&console, 2); // nobody reads the FIFO: say it where somebody does
    Err(failure)
}

/// The number that the console gets under the scanner.
fn console_number(call: &Invocation) -> Result<i32, Failure> {
    Ok(if call.number('d')? == Some(3) { 4 } else { 3 })
}

/// The command line of the scanner.
fn scanner(call: &Invocation, scan_dir: &Path) -> Result<Vec<OsString>, Failure> {
    if let Some(number) = call.number('d')? {
        if number < 3 {
            return Err(Failure::new(100, "option -d: the descriptor must be 3 or higher"));
        }
        if !fd::is_open(i32::try_from(number).unwrap_or(i32::MAX)) {
            return Err(Failure::new(111, format!("option -d: descriptor {number} is not open")));
        }
    }
    let console = console_number(call)?.to_string();
    let mut argv: Vec<OsString> = ["s6-svscan", "-X", &console].map(OsString::from).into();
    for letter in ['d', 'C', 'L', 't'] {
        if let Some(number) = call.number(letter)? {
            argv.extend([format!("-{letter}").into(), number.to_string().into()]);
        }
    }
    argv.extend(["--".into(), scan_dir.into()]);
    Ok(argv)
}

fn mode(call: &Invocation) -> Result<u32, Failure> {
    let Some(text) = call.value('m') else { return Ok(0o2750) };
    let mode = octal(text).filter(|&mode| mode <= 0o7777);
    mode.ok_or_else(|| Failure::usage(format!("option -m: {} is no mode like 2750", quoted(text))))
}

fn log_dir(call: &Invocation) -> Result<PathBuf, Failure> {
    let given = call.value('D').map(PathBuf::from);
    if !call.has('u') {
        return Ok(given.unwrap_or_else(|| "/run/uncaught-logs".into()));
    }
    let given = given.unwrap_or_else(|| "uncaught-logs".into());
    if given.is_absolute() {
        return Ok(given);
    }
    match call.environment.filled("XDG_RUNTIME_DIR") {
        Some(top) => Ok(Path::new(top).join(given)),
        None => Err(Failure::new(100, "option -u: the variable XDG_RUNTIME_DIR is not set")),
    }
}

fn user(call: &Invocation) -> Result<Option<(OsString, User)>, Failure> {
    let Some(name) = call.value('l') else { return Ok(None) };
    if process::effective_ids().0 != 0 {
        call.warning("ignoring option -l: only root can run the logger as another user");
        return Ok(None);
    }
    let user = name.to_str().and_then(|name| Accounts::of_root(Path::new("/")).user(name));
    let unknown =
        || Failure::new(111, format!("option -l: no user {} in /etc/passwd", quoted(name)));
    Ok(Some((name.to_owned(), user.ok_or_else(unknown)?)))
}

/// Makes the directory, or takes the one that is there, and returns its absolute path.
fn make_log_dir(path: &Path, mode: u32, user: Option<&User>) -> Result<PathBuf, Failure> {
    let failed = |verb: &'static str| move |error| told(verb, path, &error);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(mode).create(path).map_err(failed("create"))?;
    let errno = |verb: &'static str| move |errno| Failure::from(Error::on(verb, path, errno));
    let dir = Dir::open(path).map_err(errno("open"))?;
    if let Some(user) = user {
        dir::chown(&dir, user.uid, user.gid).map_err(errno("change the owner of"))?;
    }
    dir::chmod(&dir, mode).map_err(errno("change the mode of"))?; // last: chown drops setgid
    path.canonicalize().map_err(failed("resolve"))
}

/// The logger's `run`.
fn script(call: &Invocation, log_dir: &Path, user: Option<&OsStr>) -> Result<Vec<u8>, Failure> {
    let none = "there is no execlineb on $PATH, and the logger's run script needs it";
    let interpreter = interpreter(&call.environment).ok_or_else(|| Failure::new(111, none))?;
    let mut script = [b"#!", interpreter.as_os_str().as_bytes(), b" -s1\n"].concat();
    script.extend_from_slice(b"fdmove -c 1 2\nredirfd -rnb 0 fifo\n");
    if let Some(user) = user {
        script.extend_from_slice(&[b"s6-setuidgid ", quoted_word(user).as_slice(), b"\n"].concat());
    }
    let directives = call.value('o').unwrap_or(OsStr::new("t"));
    script.extend_from_slice(b"exec -c\ns6-log -bpd3 -- ");
    script.extend_from_slice(directives.as_bytes());
    script.push(b' ');
    script.extend_from_slice(&quoted_word(log_dir.as_os_str()));
    script.push(b'\n');
    Ok(script)
}

/// Makes the service anew.
fn make_logger(service: &Path, script: &[u8]) -> Result<(), Failure> {
    let removed = match fs::symlink_metadata(service) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(service),
        Ok(_) => fs::remove_file(service),
        Err(_) => Ok(()), // absent; anything else will be told by what comes next
    };
    removed.map_err(|error| told("remove", service, &error))?;
    fs::DirBuilder::new()
        .recursive(true)
        .create(service)
        .map_err(|error| told("create", service, &error))?;
    let top = Dir::open(service).map_err(|errno| Error::on("open", service, errno))?;
    let failed = |name: &str| {
        let path = service.join(name);
        move |errno| Failure::from(Error::on("create", path, errno))
    };
    dir::chmod(&top, 0o2755).map_err(failed("."))?;
    top.replace("notification-fd", b"3\n", 0o644).map_err(failed("notification-fd"))?;
    let run = top.file("run", Open::Replace(0o755)).map_err(failed("run"))?;
    fd::write_all(&run, script).map_err(failed("run"))?;
    dir::chmod(&run, 0o755).map_err(failed("run"))?;
    top.mkfifo("fifo", 0o600).map_err(failed("fifo"))
}

/// Until the logger reads, writing to its FIFO would be an error, and the first lines lost: some
/// process has to have the FIFO open for reading. Not the scanner, and not for ever: should the logger
/// fail for good, nobody must block on a full FIFO. What is returned here is to be kept until the exec.
fn keep_first_lines(
    call: &Invocation,
    reader: OwnedFd,
    service: &Path,
) -> Result<impl Sized + use<>, Failure> {
    let events = service.join("event");
    let (_, own_group) = process::effective_ids();
    fifodir::ensure(&events, Some(own_group), false)?;
    let subscription = Subscription::to(events)?;
    let scanner = Pid::new(process::own_pid()).and_then(|pid| PidFd::open(pid).ok());
    let deadline = Some(clock::monotonic() + LOGGER_START);
    aside(call, true, (reader, subscription, scanner), |(_reader, subscription, scanner)| {
        let mut fds = vec![subscription.as_fd()];
        fds.extend(scanner.as_ref().map(AsFd::as_fd));
        loop {
            let ready = poll::readable(&fds, deadline)
                .map_err(|errno| Error::system("wait for the logger", errno))?;
            let reads = subscription.take().contains(&Notice::Ready.letter());
            // Ready; or the time is up; or the scanner has gone.
            if reads || ready.first() == Some(&false) {
                return Ok(0);
            }
        }
    })
}

/// Gives the scanner its console, before anything of ours can take that number, and returns a copy.
fn console(call: &Invocation) -> Result<OwnedFd, Failure> {
    let arrange = |errno| Failure::from(Error::system("arrange descriptors", errno));
    let copy = match call.value('c') {
        None => fd::duplicate(fd::standard(2), 10),
        Some(device) => {
            let opened = dir::open(device, Open::WriteNow)
                .map_err(|errno| Error::on("open", Path::new(device), errno))?;
            fd::set_nonblocking(&opened, false).and_then(|()| fd::duplicate(&opened, 10))
        }
    };
    let copy = copy.map_err(arrange)?;
    fd::place(&copy, console_number(call)?).map_err(arrange)?;
    Ok(copy)
}

/// Gives the scanner its standard descriptors.
fn redirect(fifo: &Path) -> Result<(), Failure> {
    let null = Path::new("/dev/null");
    let input = dir::open(null, Open::Read).map_err(|errno| Error::on("open", null, errno))?;
    // Somebody has it open for reading, so this does not fail.
    let output = dir::open(fifo, Open::WriteNow).map_err(|errno| Error::on("open", fifo, errno))?;
    fd::set_nonblocking(&output, false)
        .and_then(|()| fd::place(&input, 0))
        .and_then(|()| fd::place(&output, 1))
        .and_then(|()| fd::place(&output, 2))
        .map_err(|errno| Error::system("arrange descriptors", errno).into())
}

fn told(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Error::on(verb, path, Errno::of(error)).into()
}
