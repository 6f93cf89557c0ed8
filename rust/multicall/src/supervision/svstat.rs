//! s6-svstat: prints the state of a service.

use super::waiting::temporary;
use crate::{Applet, Exit, Failure, Invocation, Opt, Section, Syntax, flag, value};
use s6x_core::error::{Errno, Error, shown};
use s6x_core::run::observe;
use s6x_core::sys::clock;
use s6x_core::wire::status::Status;
use s6x_core::wire::tai64::Tai;
use s6x_core::wire::wait_status::Ending;
use std::ffi::OsStr;
use std::path::Path;

/// s6-svstat.
pub static APPLET: Applet = Applet {
    name: "s6-svstat",
    section: Section::Status,
    about: "Print the state of a service, for people or field by field",
    options: OPTIONS,
    arguments: "servicedir",
    syntax: Syntax::Posix,
    exit_codes: &[("1", "it is not supervised")],
    run,
};

/// Its options.
pub(crate) const OPTIONS: &[Opt] = &[
    flag('u', "field up: true or false"),
    flag('w', "field wantedup: whether the supervisor means to keep it up"),
    flag('N', "field normallyup: whether there is no file down"),
    flag('r', "field ready: whether it is up and ready"),
    flag('p', "field pid: -1 when down"),
    flag('g', "field pgid: -1 when down"),
    flag('e', "field exitcode: -1 when up or killed"),
    flag('s', "field signal: NA when up or not killed"),
    flag('t', "field updownfor: seconds since it came up or went down"),
    value(
        'o',
        "fields",
        "these, with commas between; also paused signum updownsince readysince readyfor",
    ),
    flag('n', "for people: signals by number"),
];

/// What is known of the service when the fields are printed.
struct View {
    status: Status,
    normally_up: bool,
    now: Tai,
}

type Show = fn(&View) -> String;

/// The fields by name and letter, in an order in which the first one that begins with a given word
/// is the one that s6 2.11 takes.
const FIELDS: &[(&str, Option<char>, Show)] = &[
    ("up", Some('u'), |view| view.status.is_up().to_string()),
    ("wantedup", Some('w'), |view| view.status.wanted_up.to_string()),
    ("normallyup", Some('N'), |view| view.normally_up.to_string()),
    // Not for a service that is down and ready to be started, whatever the manual says.
    ("ready", Some('r'), |view| (view.status.ready && view.status.pid != 0).to_string()),
    ("paused", None, |view| (view.status.paused && view.status.pid != 0).to_string()),
    ("pid", Some('p'), |view| view.if_up(view.status.pid)),
    ("pgid", Some('g'), |view| view.if_up(view.status.pgid)),
    ("exitcode", Some('e'), |view| match view.ending() {
        Some(Ending::Exited(code)) => code.to_string(),
        Some(Ending::Killed(_)) | None => "-1".into(),
    }),
    ("signal", Some('s'), |view| match view.ending() {
        Some(Ending::Killed(signal)) => signal.to_string(),
        Some(Ending::Exited(_)) | None => "NA".into(),
    }),
    ("signum", None, |view| match view.ending() {
        Some(Ending::Killed(signal)) => signal.number().to_string(),
        Some(Ending::Exited(_)) | None => "-1".into(),
    }),
    ("updownsince", None, |view| view.status.stamp.min(view.now).to_string()),
    ("readysince", None, |view| view.status.ready_stamp.min(view.now).to_string()),
    ("updownfor", Some('t'), |view| view.now.seconds_since(view.status.stamp).to_string()),
    ("readyfor", None, |view| view.now.seconds_since(view.status.ready_stamp).to_string()),
];

/// No more fields than this: the originals' limit.
const MOST: usize = 16;

pub(crate) fn run(call: &Invocation) -> Result<Exit, Failure> {
    let fields = fields(call)?;
    let service = call.service(call.only_argument("servicedir")?)?;
    let name = shown(&service);
    if !observe::is_supervised(&service)? {
        let message = format!("unable to read status for {name}: s6-supervise not running");
        return Err(Failure::new(1, message));
    }
    let status = observe::status(&service).map_err(|error| temporary(&error))?;
    let view = View { status, normally_up: !has_down_file(&service)?, now: clock::wall() };
    let line = if fields.is_empty() {
        view.for_people(call.has('n'))
    } else {
        fields.iter().map(|show| show(&view)).collect::<Vec<_>>().join(" ")
    };
    call.print(line + "\n")?;
    Ok(Exit::SUCCESS)
}

/// The fields asked for, in the order of the command line.
fn fields(call: &Invocation) -> Result<Vec<Show>, Failure> {
    let mut fields = Vec::new();
    for (letter, names) in &call.options {
        match names {
            Some(names) => named(names, &mut fields)?,
            None => fields.extend(
                FIELDS.iter().filter(|(_, own, _)| *own == Some(*letter)).map(|(_, _, show)| show),
            ),
        }
    }
    if fields.len() > MOST {
        return Err(Failure::new(100, format!("too many option fields: at most {MOST}")));
    }
    Ok(fields)
}

/// A comma-separated list of names. A name may be cut short, as in s6 2.11.
fn named(names: &OsStr, fields: &mut Vec<Show>) -> Result<(), Failure> {
    let text = names.to_string_lossy();
    for name in text.strip_suffix(',').unwrap_or(&text).split(',') {
        let exact = FIELDS.iter().find(|(full, _, _)| *full == name);
        let begun = || FIELDS.iter().find(|(full, _, _)| full.starts_with(name));
        match exact.or_else(begun) {
            Some((_, _, show)) if !name.is_empty() => fields.push(*show),
            Some(_) | None => {
                return Err(Failure::new(100, format!("invalid option field: {name:?}")));
            }
        }
    }
    Ok(())
}

fn has_down_file(service: &Path) -> Result<bool, Failure> {
    let path = service.join("down");
    let failed = |error| Failure::from(Error::on("look at", &path, Errno::of(&error)));
    path.try_exists().map_err(failed)
}

impl View {
    /// How the last run ended; `None` when up, or never started.
    fn ending(&self) -> Option<Ending> {
        let ended = !self.status.is_up() && !self.status.is_not_started_yet();
        ended.then(|| self.status.wait_status.ending())
    }

    fn if_up(&self, id: u64) -> String {
        if self.status.is_up() { id.to_string() } else { "-1".into() }
    }

    /// The line for people (contract s6 §5.1.4), in the words of s6 2.11, which scripts read.
    fn for_people(&self, numbers: bool) -> String {
        let (status, up) = (&self.status, self.status.is_up());
        let state = match self.ending() {
            None if up => format!("up (pid {})", status.pid),
            None => "down (not started yet)".into(),
            Some(Ending::Exited(code)) => format!("down (exitcode {code})"),
            Some(Ending::Killed(signal)) if numbers => format!("down (signal {})", signal.number()),
            Some(Ending::Killed(signal)) => format!("down (signal {signal})"),
        };
        let since = format!("{} seconds", self.now.seconds_since(status.stamp));
        let ready = format!("ready {} seconds", self.now.seconds_since(status.ready_stamp));
        let remarks = [
            (!status.is_not_started_yet(), since.as_str()),
            (up && !self.normally_up, "normally down"),
            (!up && self.normally_up, "normally up"),
            (up && status.paused, "paused"),
            (!up && status.wanted_up, "want up"),
            (up && !status.wanted_up, "want down"),
            (status.ready, &ready),
        ];
        let remarks: Vec<&str> =
            remarks.into_iter().filter(|(said, _)| *said).map(|(_, remark)| remark).collect();
        format!("{state} {}", remarks.join(", ")).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn every_letter_has_its_field() {
        for option in APPLET.options.iter().filter(|option| option.value.is_none()) {
            let known = FIELDS.iter().any(|(_, letter, _)| *letter == Some(option.letter));
            assert!(known || option.letter == 'n', "{}", option.letter);
        }
    }

    #[test]
    fn names_may_be_cut_short() {
        let count = |names| {
            let mut fields = Vec::new();
            named(OsStr::new(names), &mut fields).map(|()| fields.len())
        };
        assert_eq!(count("up,pi,readyfor,"), Ok(3));
        for wrong in ["", ",", "up,,pid", "upx", "x"] {
            assert_eq!(count(wrong).map_err(|failure| failure.code), Err(100), "{wrong}");
        }
    }
}
