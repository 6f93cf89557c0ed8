//! The logging script of s6-log: its arguments as data (contract s6 §1.10).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

/// A whole script. Every line goes through all groups, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Selections, and what is done with the lines that are selected after them.
    pub groups: Vec<Group>,
    /// The logdirs, which actions name by their number.
    pub logdirs: Vec<Logdir>,
    /// Whether there are selections behind the last action: they have no effect.
    pub dangling: bool,
}

/// Consecutive actions, and the selections before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// In their order.
    pub selections: Vec<Selection>,
    /// In their order; never empty.
    pub actions: Vec<Action>,
}

/// What changes whether a line is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// `+ERE`: a deselected line that matches is selected.
    Select(OsString),
    /// `-ERE`: a selected line that matches is deselected.
    Deselect(OsString),
    /// `f`: selected if and only if no group before has acted on it.
    IfUntouched,
}

/// What is done with a selected line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Where it goes.
    pub target: Target,
    /// `t`: a TAI64N label in front.
    pub label: bool,
    /// `T`: date and time in front.
    pub date: bool,
    /// `p`: what stands between stamps and line, its blank included; empty: nothing.
    pub prefix: Vec<u8>,
}

/// Where a line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `1`.
    Stdout,
    /// `2`: an alert, cut after so many bytes of the line if it is longer than three more than
    /// that; 0: never.
    Stderr(usize),
    /// `=FILE`: replaces the content of the file.
    Status(Status),
    /// The logdir of this number.
    Logdir(usize),
}

/// A file that holds the last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes, whatever the line's; 0: the line's.
    pub size: usize,
}

/// A logdir and the settings in force where it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logdir {
    /// Where it is.
    pub path: PathBuf,
    /// `n`: how many archives are kept.
    pub archives: u32,
    /// `s`: the size of a file, in bytes.
    pub size: u32,
    /// `l`: how far below that a file may be rotated, in bytes.
    pub tolerance: u32,
    /// `S`: how many bytes all archives may have together; 0: any.
    pub total: u64,
    /// `r`: the time between attempts at what failed.
    pub retry: Duration,
    /// `R`: the time between rotations, whatever the size.
    pub period: Option<Duration>,
    /// What turns a full file into an archive.
    pub processor: Option<Processor>,
}

/// A command that turns a full file into an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Processor {
    /// `!`: for `execlineb -Pc`.
    Execline(OsString),
    /// `?`: for `/bin/sh -c`.
    Shell(OsString),
}

const SIZES: (u32, u32) = (4096, 268_435_455);
/// Bytes that prefixes and processors may take, each counted as often as it is used.
const MOST_REPEATED: usize = 4 * 1024 * 1024;

/// Reads a script, a directive an argument. The error says which one is wrong and why.
pub fn parse(directives: &[OsString]) -> Result<Script, String> {
    let mut parser = Parser::new();
    for directive in directives {
        parser
            .take(directive)
            .map_err(|why| format!("directive {:?}: {why}", directive.to_string_lossy()))?;
    }
    parser.finish()
}

/// The settings so far, and what they have been used for.
struct Parser {
    script: Script,
    group: Group,
    settings: Logdir,
    alert: usize,
    status_size: usize,
    prefix: Vec<u8>,
    label: bool,
    date: bool,
    repeated: usize,
}

impl Parser {
    fn new() -> Parser {
        Parser {
            script: Script { groups: Vec::new(), logdirs: Vec::new(), dangling: false },
            group: Group::default(),
            settings: Logdir {
                path: PathBuf::new(),
                archives: 10,
                size: 99_999,
                tolerance: 2000,
                total: 0,
                retry: Duration::from_secs(2),
                period: None,
                processor: None,
            },
            alert: 200,
            status_size: 1001,
            prefix: Vec::new(),
            label: false,
            date: false,
            repeated: 0,
        }
    }

    fn take(&mut self, directive: &OsStr) -> Result<(), String> {
        let Some((&letter, rest)) = directive.as_bytes().split_first() else {
            return Err("it is empty".into());
        };
        let text = || OsString::from_vec(rest.to_vec());
        let alone = || if rest.is_empty() { Ok(()) } else { Err("it takes nothing behind it") };
        match letter {
            b'+' => self.select(Selection::Select(text())),
            b'-' => self.select(Selection::Deselect(text())),
            b'f' => {
                alone()?;
                self.select(Selection::IfUntouched);
            }
            b'n' => self.settings.archives = number(rest)?,
            b's' => self.settings.size = number::<u32>(rest)?.clamp(SIZES.0, SIZES.1),
            b'S' => self.settings.total = number(rest)?,
            b'l' => {
                self.settings.tolerance = number(rest)?;
                if self.settings.tolerance > self.settings.size / 2 {
                    return Err(format!(
                        "more than half the file's size, which is {}",
                        self.settings.size
                    ));
                }
            }
            b'r' => self.settings.retry = Duration::from_millis(number::<u32>(rest)?.into()),
            b'R' => {
                let seconds = number::<u32>(rest)?;
                self.settings.period = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
            }
            b'E' => self.alert = number::<u32>(rest)? as usize,
            b'^' => self.status_size = number::<u32>(rest)? as usize,
            b'p' => {
                self.prefix = rest.to_vec();
                if !rest.is_empty() {
                    self.prefix.push(b' ');
                }
            }
            b'!' => {
                self.settings.processor = (!rest.is_empty()).then(|| Processor::Execline(text()));
            }
            b'?' => self.settings.processor = (!rest.is_empty()).then(|| Processor::Shell(text())),
            b't' => {
                alone()?;
                self.label = true;
            }
            b'T' => {
                alone()?;
                self.date = true;
            }
            b'1' => {
                alone()?;
                self.act(Target::Stdout)?;
            }
            b'2' => {
                alone()?;
                self.act(Target::Stderr(self.alert))?;
            }
            b'=' if rest.is_empty() => return Err("the file's name is missing".into()),
            b'=' => {
                let status = Status { path: text().into(), size: self.status_size };
                self.act(Target::Status(status))?;
            }
            b'.' | b'/' => {
                let processor = match &self.settings.processor {
                    None => 0,
                    Some(Processor::Execline(command) | Processor::Shell(command)) => command.len(),
                };
                self.repeat(processor)?;
                self.act(Target::Logdir(self.script.logdirs.len()))?;
                self.script
                    .logdirs
                    .push(Logdir { path: directive.into(), ..self.settings.clone() });
            }
            _ => return Err("no directive begins like this".into()),
        }
        Ok(())
    }

    fn select(&mut self, selection: Selection) {
        if !self.group.actions.is_empty() {
            self.script.groups.push(std::mem::take(&mut self.group));
        }
        self.group.selections.push(selection);
    }

    fn act(&mut self, target: Target) -> Result<(), String> {
        self.repeat(self.prefix.len())?;
        let (label, date) = (std::mem::take(&mut self.label), std::mem::take(&mut self.date));
        self.group.actions.push(Action { target, label, date, prefix: self.prefix.clone() });
        Ok(())
    }

    /// Counts a copy. A script of a few kilobytes could otherwise take gigabytes.
    fn repeat(&mut self, bytes: usize) -> Result<(), String> {
        self.repeated = self.repeated.saturating_add(bytes);
        let fits = self.repeated <= MOST_REPEATED;
        if fits { Ok(()) } else { Err("too long a prefix or processor, used too often".into()) }
    }

    fn finish(mut self) -> Result<Script, String> {
        if self.group.actions.is_empty() {
            self.script.dangling = !self.group.selections.is_empty();
        } else {
            self.script.groups.push(self.group);
        }
        if self.script.groups.is_empty() {
            return Err("no action: name a logdir, or 1, 2 or =FILE".into());
        }
        Ok(self.script)
    }
}

/// An unsigned decimal number filling the rest of a directive.
fn number<N: std::str::FromStr>(digits: &[u8]) -> Result<N, String> {
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| "that is not a number in range".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn script(text: &str) -> Result<Script, String> {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn groups() {
        let script = script("-a 1 +b -c t T 2 f =x").expect("a script");
        let shape: Vec<(usize, usize)> =
            script.groups.iter().map(|g| (g.selections.len(), g.actions.len())).collect();
        assert_eq!(shape, [(1, 1), (2, 1), (1, 1)]);
        let stamped: Vec<bool> =
            script.groups.iter().flat_map(|g| &g.actions).map(|a| a.label && a.date).collect();
        assert_eq!(stamped, [false, true, false]);
    }

    #[test]
    fn settings_hold_until_changed_and_stamps_for_one_action() {
        let script = script("n3 s5000 l100 S7 r5 R9 pX ?true t /a n4 ! p ./b").expect("a script");
        let [a, b] = script.logdirs.as_slice() else { panic!("two logdirs") };
        assert_eq!((a.archives, a.size, a.tolerance, a.total), (3, 5000, 100, 7));
        assert_eq!(a.retry, Duration::from_millis(5));
        assert_eq!(a.period, Some(Duration::from_secs(9)));
        assert_eq!(a.processor, Some(Processor::Shell("true".into())));
        assert_eq!((b.archives, b.size, &b.processor), (4, 5000, &None));
        let prefixes: Vec<&[u8]> =
            script.groups[0].actions.iter().map(|action| action.prefix.as_slice()).collect();
        assert_eq!(prefixes, [b"X ".as_slice(), b""]);
    }

    #[test]
    fn sizes_are_clamped() {
        for (given, taken) in [("s0", 4096), ("s999999999", 268_435_455)] {
            assert_eq!(script(&format!("{given} /a")).expect("a script").logdirs[0].size, taken);
        }
    }

    #[test]
    fn dangling_selections_are_told() {
        assert!(script("1 -x").expect("a script").dangling);
        assert!(!script("1 n5").expect("a script").dangling);
    }

    #[test]
    fn a_small_script_cannot_take_much_memory() {
        let long = "x".repeat(30_000);
        for script in
            [format!("p{long}{}", " 1".repeat(15_000)), format!("!{long}{}", " /".repeat(15_000))]
        {
            let words: Vec<OsString> = script.split(' ').map(OsString::from).collect();
            assert!(parse(&words).expect_err("gigabytes").contains("used too often"));
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("", "\"\": it is empty"),
            ("f1 1", "\"f1\": it takes nothing behind it"),
            ("tx 1", "\"tx\": it takes nothing"),
            ("11", "\"11\""),
            ("=", "\"=\": the file's name is missing"),
            ("n 1", "\"n\": that is not a number"),
            ("n-1 1", "\"n-1\""),
            ("n+1 1", "\"n+1\""),
            ("s4294967296 1", "\"s4294967296\""),
            ("x 1", "\"x\": no directive begins like this"),
            ("s8000 l4001 1", "\"l4001\": more than half the file's size, which is 8000"),
            ("n5", "no action"),
            ("-x +y", "no action"),
        ] {
            let mistake = script(text).expect_err(text);
            assert!(mistake.contains(part), "{text}: {mistake}");
        }
    }

    proptest! {
        #[test]
        fn any_words_parse_or_are_refused(
            words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..8),
        ) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
            if let Ok(script) = parse(&words) {
                prop_assert!(script.groups.iter().all(|group| !group.actions.is_empty()));
            }
        }

        #[test]
        fn likely_words_too(
            words in proptest::collection::vec("[-+fnsSlrRE^p!?tT12=./][0-9a-z(*\\[]{0,11}", 1..8),
        ) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            if let Ok(script) = parse(&words) {
                let named = script.groups.iter().flat_map(|group| &group.actions).filter_map(|a| {
                    if let Target::Logdir(nth) = a.target { Some(nth) } else { None }
                });
                prop_assert!(named.eq(0..script.logdirs.len()));
            }
        }
    }
}
