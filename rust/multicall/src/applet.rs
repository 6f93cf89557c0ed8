//! What an applet is: data, from which parser, usage, help and pages are derived, and a function.

use crate::exit::{Exit, Failure};
use crate::invocation::Invocation;
use crate::options::{Opt, Syntax};
use std::fmt::Write;

/// One program.
#[derive(Debug)]
pub struct Applet {
    /// What it is called by.
    pub name: &'static str,
    /// Where it stands in lists for people.
    pub section: Section,
    /// What it does, one sentence without its full stop, beginning with a verb.
    pub about: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    /// Its arguments as the usage shows them: `servicedir prog...`.
    pub arguments: &'static str,
    /// How it reads its command line.
    pub syntax: Syntax,
    /// What its exit codes mean, besides 0, 100 and 111.
    pub exit_codes: &'static [(&'static str, &'static str)],
    /// Does it.
    pub run: fn(&Invocation) -> Result<Exit, Failure>,
}

/// What an applet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Supervision: scanner, supervisor, control.
    Supervision,
    /// State of services, and waiting for it.
    Status,
    /// Readiness and events.
    Notification,
    /// Logging.
    Logging,
    /// Environment, privileges, process state.
    Process,
    /// Groups of like services under one supervision tree.
    Instances,
    /// Descriptors kept open for others.
    FdHolding,
    /// Unix-socket servers, access rules, sudo.
    Sockets,
    /// The execline language.
    Execline,
    /// Small utilities for scripts.
    Utilities,
    /// Service manager.
    Rc,
    /// Container boot.
    Overlay,
}

impl Section {
    /// Every section, in the order of lists.
    pub const ALL: [Section; 12] = [
        Section::Supervision,
        Section::Status,
        Section::Notification,
        Section::Logging,
        Section::Process,
        Section::Instances,
        Section::FdHolding,
        Section::Sockets,
        Section::Execline,
        Section::Utilities,
        Section::Rc,
        Section::Overlay,
    ];

    /// What lists call it.
    pub fn title(self) -> &'static str {
        match self {
            Section::Supervision => "Supervision",
            Section::Status => "Status",
            Section::Notification => "Notification",
            Section::Logging => "Logging",
            Section::Process => "Process state",
            Section::Instances => "Instances",
            Section::FdHolding => "Fd-holding",
            Section::Sockets => "Sockets",
            Section::Execline => "Execline",
            Section::Utilities => "Utilities",
            Section::Rc => "Service manager",
            Section::Overlay => "Container",
        }
    }
}

impl Applet {
    /// The usage in one line: name, options, arguments.
    pub fn usage(&self) -> String {
        let mut line = self.name.to_owned();
        let flags: String = self
            .options
            .iter()
            .filter(|o| o.value.is_none() && o.has_letter())
            .map(|o| o.letter)
            .collect();
        if !flags.is_empty() {
            let _ = write!(line, " [ -{flags} ]");
        }
        for option in self.options {
            if let Some(value) = option.value {
                let _ = write!(line, " [ -{} {value} ]", option.letter);
            } else if let (false, Some(name)) = (option.has_letter(), option.long) {
                let _ = write!(line, " [ --{name} ]");
            }
        }
        if !self.arguments.is_empty() {
            let _ = write!(line, " {}", self.arguments);
        }
        line
    }

    /// What `--help` shows.
    pub fn help(&self) -> String {
        let mut text = format!("Usage: {}\n\n{}.\n", wrapped(&self.usage()), self.about);
        let mut rows: Vec<(String, &str)> = Vec::new();
        for option in self.options {
            let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
            let long = option.long.map(|name| {
                let value = option.value.map(|value| format!("={value}")).unwrap_or_default();
                format!(", --{name}{value}")
            });
            let long = long.unwrap_or_default();
            let row = match long.strip_prefix(", ") {
                Some(long) if !option.has_letter() => format!("    {long}"),
                Some(_) | None => format!("-{}{value}{long}", option.letter),
            };
            rows.push((row, option.help));
        }
        table(&mut text, "Options", &rows);
        let codes = self.codes().map(|(code, meaning)| (code.to_owned(), meaning));
        table(&mut text, "Exit codes", &codes.collect::<Vec<_>>());
        text
    }

    /// All its exit codes, ascending, and what they mean.
    pub fn codes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let usual = [("0", "success"), ("100", "wrong usage"), ("111", "a system call failed")];
        let mut codes: Vec<(&str, &str)> = usual
            .into_iter()
            .filter(|(code, _)| !self.exit_codes.iter().any(|(own, _)| own == code))
            .chain(self.exit_codes.iter().copied())
            .collect();
        let first = |code: &str| code.split("..").next().and_then(|first| first.parse::<u8>().ok());
        codes.sort_by_key(|(code, _)| first(code).unwrap_or(u8::MAX));
        codes.into_iter()
    }
}

/// A usage in lines that fit, broken before an option or an argument, never inside one.
fn wrapped(usage: &str) -> String {
    let (mut text, mut width) = (String::new(), "Usage: ".len());
    let mut rest = usage;
    while !rest.is_empty() {
        let end =
            if rest.starts_with("[ ") { rest.find(" ]").map(|at| at + 2) } else { rest.find(' ') };
        let (piece, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        if width + piece.len() > WIDTH && !text.is_empty() {
            text.truncate(text.trim_end().len());
            text.push_str("\n        ");
            width = 8;
        }
        text.push_str(piece);
        width += piece.len() + 1;
        rest = after.strip_prefix(' ').unwrap_or(after);
        if !rest.is_empty() {
            text.push(' ');
        }
    }
    text
}

/// Columns of a terminal that lists fit into, if they can.
const WIDTH: usize = 96;
/// The first column of a list: what is longer has a line of its own.
const COLUMN: usize = 32;

/// Two columns under a heading; nothing for no rows.
fn table(text: &mut String, heading: &str, rows: &[(String, &str)]) {
    let lengths = rows.iter().map(|(left, _)| left.len());
    let width = lengths.filter(|&length| length <= COLUMN).max().unwrap_or(0);
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{heading}:");
    }
    for (left, right) in rows {
        if left.len() > COLUMN {
            let _ = writeln!(text, "  {left}\n  {:width$}  {right}", "");
        } else {
            let _ = writeln!(text, "  {left:width$}  {right}");
        }
    }
}
