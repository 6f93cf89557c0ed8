//! What is said about the work: what could not be done, and, when it takes long, how far it is.

use crate::sys::clock;
use crate::wire::clock::Monotonic;
use std::time::Duration;

/// How many problems of a rule are told one by one. A disk that is read-only has as many as files.
const TOLD: u64 = 20;
/// When the first line about progress is said; each next one when it has taken twice as long.
const PATIENCE: Duration = Duration::from_secs(4);

/// Something to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// Something could not be done.
    Problem(&'a str),
    /// It takes long, and this is how far it is.
    Progress(&'a str),
}

/// The work on one rule.
pub(super) struct Report<'a> {
    tell: &'a mut dyn FnMut(Told<'_>),
    /// What the rule names, for messages.
    rule: String,
    began: Monotonic,
    /// When to speak of progress, after the beginning.
    next: Duration,
    pub(super) looked: u64,
    pub(super) changed: u64,
    pub(super) problems: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(rule: String, tell: &'a mut dyn FnMut(Told<'_>)) -> Report<'a> {
        let began = clock::monotonic();
        Report { tell, rule, began, next: PATIENCE, looked: 0, changed: 0, problems: 0 }
    }

    /// One more file was looked at.
    pub(super) fn looked(&mut self) {
        self.looked += 1;
    }

    /// One more file was changed.
    pub(super) fn changed(&mut self) {
        self.changed += 1;
    }

    /// Something could not be done.
    pub(super) fn problem(&mut self, problem: &str) {
        self.problems += 1;
        if self.problems <= TOLD {
            (self.tell)(Told::Problem(problem));
        }
    }

    /// Some time may have passed.
    pub(super) fn went_on(&mut self) {
        let passed = clock::monotonic().since(self.began);
        if passed >= self.next {
            self.next *= 2;
            let Report { rule, looked, changed, .. } = self;
            let line = format!(
                "{rule}: looked at {looked} files, {changed} of them changed, in {} s",
                passed.as_secs()
            );
            (self.tell)(Told::Progress(&line));
        }
    }

    /// The end of the rule: says how many problems were not told.
    pub(super) fn ends(self) -> u64 {
        if self.problems > TOLD {
            let more = self.problems - TOLD;
            (self.tell)(Told::Problem(&format!("{}: {more} more problems like these", self.rule)));
        }
        self.problems
    }
}

#[cfg(test)]
impl Report<'_> {
    /// The first line about progress is said at once.
    pub(super) fn be_impatient(&mut self) {
        self.next = Duration::ZERO;
    }
}
