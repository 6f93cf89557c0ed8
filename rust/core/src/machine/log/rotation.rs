//! One logdir: when it is written to, when it is rotated, and in which steps.
//!
//! ```text
//!          full, asked, or the period is over              processor ends
//!   Idle ─────────────────────────────────▶ steps ─▶ Processing ─▶ steps ─▶ Idle
//!    │ stop                                   │ a step fails: the same one again, later
//!    ▼                                        ▼
//!   steps ─▶ Closed                         Pausing
//! ```
//!
//! From the rename of `current` until there is a new one nothing is written. After that, writing
//! goes on while the rotated file is worked on, however long a disk or a processor takes; only the
//! next rotation waits for the end of this one. (The originals sync `current` before they rename it,
//! and write nothing until a processor has ended. What waits in memory meanwhile is what a killed
//! logger loses, so we keep that time short; `previous` is synced before it becomes an archive.)
//!
//! A stop waits for a running processor, but not for what
//! fails: the file that could not be processed becomes an archive as it is, and where even that
//! fails, `current` is left unmarked, so that the next start recovers everything.

use crate::wire::clock::Monotonic;
use std::time::Duration;

/// What the driver is to do, and to answer with [`Event::Done`] or [`Event::Failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Rename `current` to `previous`.
    RenameCurrent,
    /// Make a new `current`.
    OpenCurrent,
    /// Write `previous` to disk.
    SyncPrevious,
    /// Mark `previous` as complete.
    MarkPrevious,
    /// Make an archive of `previous`, and remove what archives there are too many.
    ArchivePrevious,
    /// Start the processor.
    StartProcessor,
    /// Write `processed` to disk and mark it as complete.
    SyncProcessed,
    /// Write `newstate` to disk.
    SyncState,
    /// Remove `previous`.
    RemovePrevious,
    /// Rename `newstate` to `state`.
    RenameState,
    /// Make an archive of `processed`, and remove what archives there are too many.
    ArchiveProcessed,
    /// Make an unprocessed archive of `previous`.
    SavePrevious,
    /// Write `current` to disk, for the last time.
    SyncLast,
    /// Mark `current` as complete.
    MarkCurrent,
}

/// What the outside world tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many bytes were written to `current`; whether the last one ended a line.
    Written(u64, bool),
    /// Nothing could be written.
    WriteFailed,
    /// A rotation was asked for.
    Asked,
    /// The deadline has passed.
    Timeout,
    /// The step was done.
    Done,
    /// The step failed.
    Failed,
    /// The processor ended: whether it did its work.
    Processed(bool),
    /// Everything is written and nothing more will come.
    Stop,
}

/// Sizes and times of one logdir.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The size of a file.
    pub size: u64,
    /// How far below that it may be rotated.
    pub tolerance: u64,
    /// The time between attempts at what failed.
    pub retry: Duration,
    /// The time between rotations, whatever the size.
    pub period: Option<Duration>,
    /// Whether there is a processor.
    pub processor: bool,
}

/// One logdir.
#[derive(Clone, Debug)]
pub struct Rotation {
    limits: Limits,
    phase: Phase,
    /// When to try again what could not be written.
    stuck: Option<Monotonic>,
    /// When the period is over.
    period: Option<Monotonic>,
    /// The size of `current`.
    written: u64,
    at_line_end: bool,
    /// A rotation waits for the end of a line, or of the one before.
    asked: bool,
    stopping: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Doing(Step),
    Pausing(Step, Monotonic),
    Processing,
    Closed { clean: bool },
}

impl Rotation {
    /// A logdir whose `current` has so many bytes.
    pub fn new(now: Monotonic, limits: Limits, written: u64) -> Rotation {
        Rotation {
            limits,
            phase: Phase::Idle,
            stuck: None,
            period: limits.period.map(|period| now + period),
            written,
            at_line_end: true,
            asked: false,
            stopping: false,
        }
    }

    /// How many bytes to write until a line end at which to stop and tell. `None`: nothing can be
    /// written now.
    pub fn room(&self) -> Option<u64> {
        let until_full = self.threshold() - self.written.min(self.threshold());
        let room = match self.phase {
            Phase::Idle => Some(until_full),
            // It will not take long, and what waits may be much.
            Phase::Doing(step) if writes_during(step) => (until_full > 0).then_some(until_full),
            Phase::Pausing(step, _) if writes_during(step) => Some(u64::MAX),
            Phase::Processing => Some(u64::MAX),
            Phase::Doing(_) | Phase::Pausing(..) | Phase::Closed { .. } => None,
        };
        room.filter(|_| self.stuck.is_none())
    }

    /// When to feed [`Event::Timeout`].
    pub fn deadline(&self) -> Option<Monotonic> {
        let pause = match self.phase {
            Phase::Pausing(_, until) => Some(until),
            Phase::Idle | Phase::Doing(_) | Phase::Processing | Phase::Closed { .. } => None,
        };
        [self.stuck, self.period, pause].into_iter().flatten().min()
    }

    /// Whether nothing more is to be done, and if so, whether `current` is marked as complete.
    pub fn closed(&self) -> Option<bool> {
        match self.phase {
            Phase::Closed { clean } => Some(clean),
            Phase::Idle | Phase::Doing(_) | Phase::Pausing(..) | Phase::Processing => None,
        }
    }

    /// Takes one event and says what to do about it.
    pub fn step(&mut self, now: Monotonic, event: Event) -> Option<Step> {
        use Phase::{Closed, Doing, Idle, Pausing, Processing};
        match (self.phase, event) {
            (Closed { .. }, _) => None,
            (_, Event::Written(bytes, ends_line)) => {
                self.written += bytes;
                self.at_line_end = ends_line;
                self.stuck = None;
                self.rotate_if_due()
            }
            (_, Event::WriteFailed) => {
                self.stuck = Some(now + self.limits.retry);
                None
            }
            (Pausing(step, _), Event::Asked) => Some(self.start(step)),
            (Idle | Doing(_) | Processing, Event::Asked) => {
                self.asked = true;
                self.rotate_if_due()
            }
            (_, Event::Timeout) => self.timeout(now),
            (Doing(step), Event::Done) => self.done(step),
            (Doing(step), Event::Failed) if self.stopping => self.give_up(step),
            (Doing(step), Event::Failed) => {
                self.phase = Pausing(step, now + self.limits.retry);
                None
            }
            (Processing, Event::Processed(true)) => Some(self.start(Step::SyncProcessed)),
            (Processing, Event::Processed(false)) if self.stopping => {
                self.give_up(Step::StartProcessor)
            }
            (Processing, Event::Processed(false)) => {
                self.phase = Pausing(Step::StartProcessor, now + self.limits.retry);
                None
            }
            (Idle, Event::Stop) => {
                self.stopping = true;
                Some(self.start(Step::SyncLast))
            }
            (Pausing(step, _), Event::Stop) => {
                self.stopping = true;
                self.give_up(step)
            }
            (Doing(_) | Processing, Event::Stop) => {
                self.stopping = true;
                None
            }
            // Cannot happen: nothing was to be done, or no processor runs.
            (Idle | Pausing(..) | Processing, Event::Done | Event::Failed)
            | (Idle | Doing(_) | Pausing(..), Event::Processed(_)) => None,
        }
    }

    /// The size from which a line end is the end of a file.
    fn threshold(&self) -> u64 {
        self.limits.size.saturating_sub(self.limits.tolerance)
    }

    fn start(&mut self, step: Step) -> Step {
        self.phase = Phase::Doing(step);
        step
    }

    fn rotate_if_due(&mut self) -> Option<Step> {
        let full = self.written >= self.threshold();
        let wanted = full || (self.asked && self.written > 0);
        if self.phase != Phase::Idle || !self.at_line_end {
            return None;
        }
        self.asked = false; // an empty file is not rotated
        if wanted { Some(self.start(Step::RenameCurrent)) } else { None }
    }

    fn timeout(&mut self, now: Monotonic) -> Option<Step> {
        let passed = |deadline: Option<Monotonic>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.stuck) {
            self.stuck = None;
        }
        if passed(self.period) {
            self.period = self.limits.period.map(|period| now + period);
            self.asked = true;
        }
        match self.phase {
            Phase::Pausing(step, until) if until <= now => Some(self.start(step)),
            Phase::Idle
            | Phase::Doing(_)
            | Phase::Pausing(..)
            | Phase::Processing
            | Phase::Closed { .. } => self.rotate_if_due(),
        }
    }

    fn done(&mut self, step: Step) -> Option<Step> {
        match step {
            Step::RenameCurrent => Some(self.start(Step::OpenCurrent)),
            Step::OpenCurrent => {
                self.written = 0;
                Some(self.start(Step::SyncPrevious))
            }
            Step::SyncPrevious => Some(self.start(Step::MarkPrevious)),
            Step::MarkPrevious if self.limits.processor => Some(self.start(Step::StartProcessor)),
            Step::MarkPrevious => Some(self.start(Step::ArchivePrevious)),
            Step::StartProcessor => {
                self.phase = Phase::Processing;
                None
            }
            Step::SyncProcessed => Some(self.start(Step::SyncState)),
            Step::SyncState => Some(self.start(Step::RemovePrevious)),
            Step::RemovePrevious => Some(self.start(Step::RenameState)),
            Step::RenameState => Some(self.start(Step::ArchiveProcessed)),
            Step::ArchivePrevious | Step::ArchiveProcessed | Step::SavePrevious => {
                self.phase = Phase::Idle;
                if self.stopping { Some(self.start(Step::SyncLast)) } else { self.rotate_if_due() }
            }
            Step::SyncLast => Some(self.start(Step::MarkCurrent)),
            Step::MarkCurrent => {
                self.phase = Phase::Closed { clean: true };
                None
            }
        }
    }

    /// What failed at the end is not waited for.
    fn give_up(&mut self, step: Step) -> Option<Step> {
        if step == Step::StartProcessor {
            return Some(self.start(Step::SavePrevious));
        }
        self.phase = Phase::Closed { clean: false };
        None
    }
}

/// Whether there is a `current` while this is done.
fn writes_during(step: Step) -> bool {
    (Step::SyncPrevious..=Step::SavePrevious).contains(&step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RETRY: Duration = Duration::from_secs(2);

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_start(Duration::from_secs(seconds))
    }

    fn rotation(processor: bool) -> Rotation {
        let limits = Limits { size: 5000, tolerance: 1000, retry: RETRY, period: None, processor };
        Rotation::new(at(0), limits, 0)
    }

    /// The steps that follow, each done at once.
    fn all(rotation: &mut Rotation, first: Option<Step>) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut next = first;
        while let Some(step) = next {
            steps.push(step);
            next = rotation.step(at(0), Event::Done);
        }
        steps
    }

    const BEGIN: [Step; 4] =
        [Step::RenameCurrent, Step::OpenCurrent, Step::SyncPrevious, Step::MarkPrevious];
    const END: [Step; 2] = [Step::SyncLast, Step::MarkCurrent];

    #[test]
    fn full_at_a_line_end_within_the_tolerance() {
        let mut it = rotation(false);
        assert_eq!(it.room(), Some(4000));
        assert_eq!(it.step(at(0), Event::Written(3999, true)), None);
        assert_eq!(it.room(), Some(1));
        assert_eq!(it.step(at(0), Event::Written(500, false)), None);
        let first = it.step(at(0), Event::Written(1, true));
        let steps = all(&mut it, first);
        assert_eq!(steps, [&BEGIN[..], &[Step::ArchivePrevious]].concat());
        assert_eq!(it.room(), Some(4000));
    }

    #[test]
    fn with_a_processor() {
        let mut it = rotation(true);
        let first = it.step(at(0), Event::Written(4000, true));
        assert_eq!(all(&mut it, first), [&BEGIN[..], &[Step::StartProcessor]].concat());
        assert_eq!(it.room(), Some(u64::MAX), "written to meanwhile");
        assert_eq!(it.step(at(0), Event::Written(9000, true)), None, "one rotation at a time");
        assert_eq!(it.step(at(1), Event::Processed(false)), None);
        assert_eq!(it.deadline(), Some(at(3)));
        assert_eq!(it.step(at(3), Event::Timeout), Some(Step::StartProcessor));
        assert_eq!(it.step(at(3), Event::Done), None);
        let first = it.step(at(4), Event::Processed(true));
        let after = [
            Step::SyncProcessed,
            Step::SyncState,
            Step::RemovePrevious,
            Step::RenameState,
            Step::ArchiveProcessed,
        ];
        let steps = all(&mut it, first);
        assert_eq!(steps, [&after[..], &BEGIN, &[Step::StartProcessor]].concat(), "and the next");
    }

    #[test]
    fn no_file_gets_large_while_the_one_before_is_archived() {
        let mut it = rotation(false);
        let _ = it.step(at(0), Event::Written(4000, true));
        let _ = it.step(at(0), Event::Done);
        assert_eq!(it.step(at(0), Event::Done), Some(Step::SyncPrevious));
        assert_eq!(it.room(), Some(4000));
        assert_eq!(it.step(at(0), Event::Written(4000, true)), None);
        assert_eq!(it.room(), None);
        assert_eq!(it.step(at(0), Event::Failed), None);
        assert_eq!(it.room(), Some(u64::MAX), "but for however long it fails");
    }

    #[test]
    fn a_failed_step_is_tried_again() {
        let mut it = rotation(false);
        let first = it.step(at(0), Event::Written(4000, true));
        assert_eq!(first, Some(Step::RenameCurrent));
        assert_eq!(it.step(at(5), Event::Failed), None);
        assert_eq!((it.room(), it.deadline()), (None, Some(at(7))));
        assert_eq!(it.step(at(6), Event::Timeout), None);
        assert_eq!(it.step(at(7), Event::Timeout), Some(Step::RenameCurrent));
        assert_eq!(it.step(at(8), Event::Failed), None);
        assert_eq!(it.step(at(8), Event::Asked), Some(Step::RenameCurrent), "at once when asked");
    }

    #[test]
    fn what_cannot_be_written_waits() {
        let mut it = rotation(false);
        assert_eq!(it.step(at(1), Event::WriteFailed), None);
        assert_eq!((it.room(), it.deadline()), (None, Some(at(3))));
        assert_eq!(it.step(at(3), Event::Timeout), None);
        assert_eq!((it.room(), it.deadline()), (Some(4000), None));
    }

    #[test]
    fn asked() {
        let mut it = rotation(false);
        assert_eq!(it.step(at(0), Event::Asked), None, "an empty file is not rotated");
        assert_eq!(it.step(at(0), Event::Written(10, false)), None);
        assert_eq!(it.step(at(0), Event::Asked), None, "nor within a line");
        assert_eq!(it.step(at(0), Event::Written(10, true)), Some(Step::RenameCurrent));
    }

    #[test]
    fn from_time_to_time() {
        let period = Some(Duration::from_secs(60));
        let limits = Limits { size: 5000, tolerance: 0, retry: RETRY, period, processor: false };
        let mut it = Rotation::new(at(0), limits, 5);
        assert_eq!(it.deadline(), Some(at(60)));
        assert_eq!(it.step(at(60), Event::Timeout), Some(Step::RenameCurrent));
        assert_eq!(it.deadline(), Some(at(120)));
    }

    #[test]
    fn a_stop_waits_for_a_processor_but_not_for_failures() {
        for (success, then) in [(true, Step::SyncProcessed), (false, Step::SavePrevious)] {
            let mut it = rotation(true);
            let first = it.step(at(0), Event::Written(4000, true));
            all(&mut it, first);
            assert_eq!(it.step(at(0), Event::Stop), None);
            assert_eq!(it.closed(), None);
            let first = it.step(at(0), Event::Processed(success));
            assert_eq!(first, Some(then));
            let steps = all(&mut it, first);
            assert!(steps.ends_with(&END), "{steps:?}");
            assert_eq!(it.closed(), Some(true));
        }
        let mut it = rotation(false);
        let _ = it.step(at(0), Event::Written(4000, true));
        let _ = it.step(at(0), Event::Failed);
        assert_eq!(it.step(at(0), Event::Stop), None);
        assert_eq!(it.closed(), Some(false));
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0_u64..9000, any::<bool>()).prop_map(|(bytes, end)| Event::Written(bytes, end)),
            Just(Event::WriteFailed),
            Just(Event::Asked),
            Just(Event::Timeout),
            Just(Event::Done),
            Just(Event::Done),
            Just(Event::Done),
            Just(Event::Failed),
            any::<bool>().prop_map(Event::Processed),
        ]
    }

    proptest! {
        #[test]
        fn any_history_ends_when_stopped(
            processor: bool,
            history in proptest::collection::vec(events(), 0..80),
        ) {
            let mut it = rotation(processor);
            let mut rotated = false; // `current` is renamed, and there is no new one
            let mut now = 0;
            let mut last = None;
            let events = history.into_iter().chain([Event::Stop]).chain((0..40).map(|_| Event::Done));
            for event in events {
                if matches!(event, Event::Written(..)) && it.room().is_none() {
                    continue;
                }
                now += 1;
                let pending = matches!(it.phase, Phase::Doing(_));
                if event == Event::Done && pending {
                    rotated = match last {
                        Some(Step::RenameCurrent) => true,
                        Some(Step::OpenCurrent) => false,
                        _ => rotated,
                    };
                }
                let step = it.step(at(now), event);
                prop_assert!(!(rotated && it.room().is_some()), "written to no file");
                if let Some(step) = step {
                    prop_assert!(processor || !matches!(step, Step::StartProcessor | Step::SyncProcessed));
                    last = Some(step);
                }
                if it.phase == Phase::Processing && it.stopping {
                    let step = it.step(at(now), Event::Processed(true));
                    last = step;
                }
                let waits = matches!(it.phase, Phase::Pausing(..)) || it.stuck.is_some();
                prop_assert!(!waits || it.deadline().is_some());
            }
            prop_assert!(it.closed().is_some(), "{:?}", it);
        }
    }
}
