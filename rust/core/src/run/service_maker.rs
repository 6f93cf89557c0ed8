//! Service directories with loggers, written by the makers: s6-instance-maker, s6-usertree-maker
//! (contract s6 §1.6, §1.9).
//!
//! A maker writes a service directory whose logger is in `log`, or, for the service manager s6-rc, two
//! source directories. Whatever is begun and cannot be completed is removed again.

use super::tree;
use crate::error::{Errno, Error, Result};
use crate::execline::quote::quoted;
use crate::sys::dir::{self, Dir, Open};
use crate::sys::{fd, process};
use crate::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Services tell that they are ready on this descriptor.
const READINESS: &str = "3";

/// An execline script under construction.
#[derive(Clone, Debug)]
pub struct Script(Vec<u8>);

impl Script {
    /// One that execlineb interprets, the first along `PATH`: a script needs the path of its
    /// interpreter. What it runs is looked for when it runs.
    pub fn new(environment: &Environment) -> Result<Script> {
        let none = || Error::system("find execlineb on $PATH, to run a script", Errno::NOT_FOUND);
        let path = interpreter(environment).ok_or_else(none)?;
        Ok(Script([b"#!", path.as_os_str().as_bytes(), b" -P\n"].concat()))
    }

    /// Adds text as it is.
    #[must_use]
    pub fn text(mut self, text: &str) -> Script {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a word, quoted.
    #[must_use]
    pub fn word(mut self, word: impl AsRef<OsStr>) -> Script {
        self.0.extend(quoted(word.as_ref()));
        self
    }

    /// Adds a word of a log script: without quotes, as the originals do, where it needs none.
    fn directive(self, letter: &str, value: &OsStr) -> Script {
        let mut word = OsString::from(letter);
        word.push(value);
        let plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.,:;/@%+=!?()[]<>".contains(byte);
        match word.to_str().filter(|word| word.bytes().all(|byte| plain(&byte))) {
            Some(word) => self.text(word),
            None => self.word(word),
        }
    }
}

/// The first execlineb along `PATH`.
pub fn interpreter(environment: &Environment) -> Option<PathBuf> {
    let paths = environment.candidates(OsStr::new("execlineb"));
    let mut paths = paths.into_iter().map(|path| PathBuf::from(OsString::from_vec(path.into())));
    let usable = |path: &PathBuf| {
        fs::metadata(path)
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    paths.find(usable).and_then(|path| std::path::absolute(path).ok())
}

/// What a logger does with the lines.
#[derive(Clone, Copy, Debug)]
pub struct Logging<'a> {
    /// The user that it runs as, if another.
    pub user: Option<&'a OsStr>,
    /// Its directory, an absolute path.
    pub directory: &'a OsStr,
    /// Stamps in front of lines: 1 for TAI64N, 2 for ISO 8601, 3 for both, 0 for none.
    pub stamps: u32,
    /// How many archives are kept.
    pub archives: u32,
    /// Bytes in a file.
    pub size: u64,
    /// Bytes in all archives; 0: any number.
    pub total: u64,
    /// What stands before every line.
    pub prefix: Option<&'a OsStr>,
}

/// What is made.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// A service directory, with the logger in it.
    ServiceDirectory,
    /// Source directories for s6-rc in the directory: of a service, and of its logger if there is one.
    Sources {
        /// The service.
        service: &'a OsStr,
        /// Its logger.
        logger: Option<&'a OsStr>,
        /// The bundle of both.
        pipeline: Option<&'a OsStr>,
    },
}

impl Form<'_> {
    /// Reads `service[/logger[/pipeline]]`. The error says what is wrong with it.
    pub fn parse(names: &OsStr) -> std::result::Result<Form<'_>, &'static str> {
        let parts: Vec<&[u8]> = names.as_bytes().split(|&byte| byte == b'/').collect();
        if names.as_bytes().contains(&b'\n') {
            return Err("a name of s6-rc cannot hold a newline");
        }
        if parts.iter().any(|part| part.is_empty()) {
            return Err("a name of s6-rc cannot be empty");
        }
        match parts.as_slice() {
            [service, more @ ..] if more.len() <= 2 => Ok(Form::Sources {
                service: OsStr::from_bytes(service),
                logger: more.first().map(|part| OsStr::from_bytes(part)),
                pipeline: more.get(1).map(|part| OsStr::from_bytes(part)),
            }),
            _ => Err("it is not of the form service/logger/pipeline"),
        }
    }
}

/// Makes a service that runs a script, and its logger if it has one. `fill` puts more into the
/// service's directory. Neither may exist.
pub fn make(
    at: &Path,
    form: Form<'_>,
    run: &Script,
    logging: Option<(&Logging<'_>, &Environment)>,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let mut undo = Undo(Vec::new());
    let logger = logging.map(|(logging, environment)| logging.script(environment)).transpose()?;
    match form {
        Form::ServiceDirectory => {
            let service = undo.make(at)?;
            write_script(&service, at, run, 0o111)?;
            fill(at)?;
            if let Some(logger) = &logger {
                let path = at.join("log");
                write_script(&undo.make(&path)?, &path, logger, 0o111)?;
            }
        }
        Form::Sources { service: name, logger: logger_name, pipeline } => {
            if !at.is_dir() {
                undo.make(at)?;
            }
            let path = at.join(name);
            let service = undo.make(&path)?;
            write_script(&service, &path, run, 0)?;
            write_line(&service, &path, "type", "longrun")?;
            if let Some(logger_name) = logger_name {
                write_line(&service, &path, "producer-for", logger_name)?;
            }
            fill(&path)?;
            if let (Some(logger_name), Some(logger)) = (logger_name, &logger) {
                let path = at.join(logger_name);
                let service = undo.make(&path)?;
                write_script(&service, &path, logger, 0)?;
                write_line(&service, &path, "type", "longrun")?;
                write_line(&service, &path, "consumer-for", name)?;
                if let Some(pipeline) = pipeline {
                    write_line(&service, &path, "pipeline-name", pipeline)?;
                }
            }
        }
    }
    undo.0.clear();
    Ok(())
}

/// Makes a directory that must not exist, with mode 0755 whatever the umask.
pub fn make_directory(path: &Path) -> Result<Dir> {
    dir::mkdir(path, 0o755).map_err(|errno| Error::on("create", path, errno))?;
    let made = Dir::open(path).and_then(|made| dir::chmod(&made, 0o755).map(|()| made));
    made.map_err(|errno| Error::on("create", path, errno))
}

impl Logging<'_> {
    /// The logger's `run`.
    fn script(&self, environment: &Environment) -> Result<Script> {
        let mut script = Script::new(environment)?;
        if let Some(user) = self.user {
            script = script.text("s6-setuidgid ").word(user).text("\n");
        }
        script = script.text("s6-log -bd").text(READINESS).text(" -- ");
        for (bit, stamp) in [(1, "t "), (2, "T ")] {
            if self.stamps & bit != 0 {
                script = script.text(stamp);
            }
        }
        script = script.text(&format!("n{} s{} ", self.archives, self.size));
        if self.total != 0 {
            script = script.text(&format!("S{} ", self.total));
        }
        if let Some(prefix) = self.prefix {
            script = script.directive("p", prefix).text(" ");
        }
        Ok(script.word(self.directory).text("\n"))
    }
}

/// Writes what every service here has: its `run`, executable for those who may read it as far as the
/// mode says, and the number of the descriptor that it tells its readiness on.
fn write_script(service: &Dir, path: &Path, script: &Script, executable: u32) -> Result<()> {
    write_line(service, path, "notification-fd", READINESS)?;
    let failed = |errno| Error::on("write", path.join("run"), errno);
    let run = service.file("run", Open::Replace(0o666)).map_err(failed)?;
    fd::write_all(&run, &script.0).map_err(failed)?;
    if executable != 0 {
        let mask = process::umask(0o022);
        process::umask(mask);
        let mode = 0o666 & !mask;
        dir::chmod(&run, mode | mode >> 2 & executable).map_err(failed)?;
    }
    Ok(())
}

fn write_line(service: &Dir, path: &Path, name: &str, line: impl AsRef<OsStr>) -> Result<()> {
    let failed = |errno| Error::on("write", path.join(name), errno);
    let file = service.file(name, Open::Replace(0o666)).map_err(failed)?;
    fd::write_all(file, &[line.as_ref().as_bytes(), b"\n"].concat()).map_err(failed)
}

/// The directories that were made, as long as not everything is there.
struct Undo(Vec<PathBuf>);

impl Undo {
    fn make(&mut self, path: &Path) -> Result<Dir> {
        let made = make_directory(path)?;
        self.0.push(path.to_owned());
        Ok(made)
    }
}

impl Drop for Undo {
    /// What goes wrong here is not told: the failure that brought us here is.
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = tree::remove(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment with an interpreter, and where to make things.
    fn scratch(name: &str) -> (PathBuf, Environment) {
        let top = std::env::temp_dir().join(format!("s6x-maker-{name}-{}", process::own_pid()));
        fs::create_dir_all(&top).expect("the temporary directory is writable");
        fs::write(top.join("execlineb"), "").expect("writable");
        fs::set_permissions(top.join("execlineb"), fs::Permissions::from_mode(0o755))
            .expect("ours");
        let environment = Environment::new([format!("PATH={}", top.display()).into()]);
        (top, environment)
    }

    fn logging() -> Logging<'static> {
        Logging {
            user: None,
            directory: OsStr::new("/log dir"),
            stamps: 1,
            archives: 10,
            size: 1_000_000,
            total: 0,
            prefix: None,
        }
    }

    #[test]
    fn what_loggers_run() {
        let (top, environment) = scratch("logger");
        let text = |logging: &Logging<'_>| {
            let script = logging.script(&environment).expect("there is an execlineb").0;
            let text = String::from_utf8(script).expect("text");
            text.strip_prefix(&format!("#!{}/execlineb -P\n", top.display()))
                .expect("its")
                .to_owned()
        };
        assert_eq!(text(&logging()), "s6-log -bd3 -- t n10 s1000000 \"/log dir\"\n");
        let (user, prefix) = (Some(OsStr::new("log")), Some(OsStr::new("web:")));
        let other = Logging { user, prefix, stamps: 3, total: 5, ..logging() };
        let expected =
            "s6-setuidgid \"log\"\ns6-log -bd3 -- t T n10 s1000000 S5 pweb: \"/log dir\"\n";
        assert_eq!(text(&other), expected);
        let odd = Logging { prefix: Some(OsStr::new("a b")), stamps: 0, ..logging() };
        assert_eq!(text(&odd), "s6-log -bd3 -- n10 s1000000 \"pa b\" \"/log dir\"\n");
        assert!(logging().script(&Environment::new(["PATH=/no/such".into()])).is_err());
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn names_for_the_service_manager() {
        for (names, parts) in [
            ("a", Some(("a", None, None))),
            ("a/b", Some(("a", Some("b"), None))),
            ("a/b/c", Some(("a", Some("b"), Some("c")))),
            ("", None),
            ("/b", None),
            ("a/", None),
            ("a//c", None),
            ("a/b/c/d", None),
            ("a\nb", None),
        ] {
            let form = Form::parse(OsStr::new(names)).ok();
            let got = form.map(|form| match form {
                Form::Sources { service, logger, pipeline } => (service, logger, pipeline),
                Form::ServiceDirectory => panic!("names are given"),
            });
            let os = |text| OsStr::new(text);
            assert_eq!(got, parts.map(|(a, b, c)| (os(a), b.map(os), c.map(os))), "{names:?}");
        }
    }

    #[test]
    fn what_cannot_be_completed_is_removed() {
        let (top, environment) = scratch("undo");
        let run = Script::new(&environment).expect("there is an execlineb").text("true\n");
        let logging = logging();
        let (service, sources) = (top.join("service"), top.join("sources"));
        let form = Form::parse(OsStr::new("a/b")).expect("two names");
        for (at, form) in [(&service, Form::ServiceDirectory), (&sources, form)] {
            let log = Some((&logging, &environment));
            let fail = |_: &Path| Err(Error::system("do more", Errno::NO_SPACE));
            make(at, form, &run, log, fail).expect_err("it fails");
            assert!(!at.exists());
            make(at, form, &run, log, |_| Ok(())).expect("nothing fails");
            make(at, form, &run, log, |_| Ok(())).expect_err("it exists");
            assert!(at.exists(), "what was there before stays");
        }
        assert_eq!(fs::read(service.join("log/notification-fd")).expect("made"), b"3\n");
        assert_eq!(fs::read(sources.join("a/producer-for")).expect("made"), b"b\n");
        assert_eq!(fs::read(sources.join("b/consumer-for")).expect("made"), b"a\n");
        fs::remove_dir_all(top).expect("ours");
    }
}
