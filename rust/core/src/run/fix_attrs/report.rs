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
    pub(super) counts: Counts,
}

/// How many files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) looked: u64,
    pub(super) changed: u64,
    pub(super) problems: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(rule: String, tell: &'a mut dyn FnMut(Told<'_>)) -> Report<'a> {
        let began = clock::monotonic();
        Report { tell, rule, began, next: PATIENCE, counts: Counts::default() }
    }

    /// One more file was looked at.
    pub(super) fn looked(&mut self) {
        self.counts.looked += 1;
    }

    /// One more file was changed.
    pub(super) fn changed(&mut self) {
        self.counts.changed += 1;
    }

    /// Something could not be done.
    pub(super) fn problem(&mut self, problem: &str) {
        self.counts.problems += 1;
        if self.counts.problems <= TOLD {
            (self.tell)(Told::Problem(problem));
        }
    }

    /// The same, of the rule as a whole.
    pub(super) fn problem_of_rule(&mut self, problem: &str) {
        let line = format!("{}: {problem}", self.rule);
        self.problem(&line);
    }

    /// How long the work on the rule has taken.
    pub(super) fn passed(&self) -> Duration {
        clock::monotonic().since(self.began)
    }

    /// What a helper has done. Its problems were told by itself.
    pub(super) fn add(&mut self, done: Counts) {
        let Counts { looked, changed, problems } = &mut self.counts;
        *looked += done.looked;
        *changed += done.changed;
        *problems += done.problems;
    }

    /// In a helper, which is not the one to speak of progress.
    pub(super) fn be_silent(&mut self) {
        self.next = Duration::MAX;
    }

    /// Some time may have passed.
    pub(super) fn went_on(&mut self) {
        let passed = self.passed();
        if passed >= self.next {
            self.next = self.next.saturating_mul(2);
            let Report { rule, counts: Counts { looked, changed, .. }, .. } = self;
            let line = format!(
                "{rule}: looked at {looked} files, {changed} of them changed, in {} s",
                passed.as_secs()
            );
            (self.tell)(Told::Progress(&line));
        }
    }

    /// The end of the rule: says how many problems were not told.
    pub(super) fn ends(self) -> u64 {
        if self.counts.problems > TOLD {
            let more = self.counts.problems - TOLD;
            (self.tell)(Told::Problem(&format!("{}: {more} more problems like these", self.rule)));
        }
        self.counts.problems
    }
}

impl Counts {
    /// As a helper tells them.
    pub(super) const SIZE: usize = 24;

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.looked, self.changed, self.problems].iter().flat_map(|n| n.to_ne_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Counts> {
        let number = |at| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Counts { looked: number(0)?, changed: number(8)?, problems: number(16)? })
    }

    pub(super) fn since(self, before: Counts) -> Counts {
        Counts {
            looked: self.looked - before.looked,
            changed: self.changed - before.changed,
            problems: self.problems - before.problems,
        }
    }
}

#[cfg(test)]
impl Report<'_> {
    /// The first line about progress is said at once.
    pub(super) fn be_impatient(&mut self) {
        self.next = Duration::ZERO;
    }
}
