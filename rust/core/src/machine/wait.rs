//! Waiting for services to reach a state: what s6-svwait, s6-svlisten and `s6-svc -w` have in
//! common (contract s6 §1.2).

use crate::wire::notice::Notice;
use crate::wire::status::Status;

/// The state to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Up.
    Up,
    /// Up and ready.
    UpReady,
    /// Down; its `finish` may still run.
    Down,
    /// Down, and ready to be started again.
    DownReady,
    /// Down since the wait began, then up.
    Restart,
    /// Down since the wait began, then up and ready.
    RestartReady,
}

impl Goal {
    /// Of the letters `uUdDrR`.
    pub fn from_letter(letter: char) -> Option<Goal> {
        match letter {
            'u' => Some(Goal::Up),
            'U' => Some(Goal::UpReady),
            'd' => Some(Goal::Down),
            'D' => Some(Goal::DownReady),
            'r' => Some(Goal::Restart),
            'R' => Some(Goal::RestartReady),
            _ => None,
        }
    }

    /// The same without asking for readiness, for services that never report it.
    #[must_use]
    pub fn without_ready(self) -> Goal {
        match self {
            Goal::Up | Goal::UpReady => Goal::Up,
            Goal::Down | Goal::DownReady => Goal::Down,
            Goal::Restart | Goal::RestartReady => Goal::Restart,
        }
    }

    /// Does it end with the service up?
    pub fn is_up(self) -> bool {
        match self {
            Goal::Up | Goal::UpReady | Goal::Restart | Goal::RestartReady => true,
            Goal::Down | Goal::DownReady => false,
        }
    }
}

/// How many of the services have to reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enough {
    /// All of them, at the same time.
    All,
    /// One.
    Any,
}

/// One wait for any number of services.
#[derive(Clone, Debug)]
pub struct Wait {
    goal: Goal,
    enough: Enough,
    services: Vec<Service>,
}

/// What we know of one service.
#[derive(Clone, Copy, Debug)]
struct Service {
    up: bool,
    ready: bool,
    been_down: bool,
    /// It failed for good, or its supervisor has gone: it will not get there. That is remembered
    /// whatever comes after; the originals forget it with the next event.
    lost: bool,
}

impl Wait {
    /// A wait, for no service yet.
    pub fn new(goal: Goal, enough: Enough) -> Wait {
        Wait { goal, enough, services: Vec::new() }
    }

    /// One more service, in the state that its supervisor wrote last. Events are told by the
    /// number of services added before it.
    pub fn add(&mut self, status: &Status) {
        let up = status.is_up();
        self.services.push(Service { up, ready: status.ready, been_down: !up, lost: false });
    }

    /// Something happened to a service.
    pub fn event(&mut self, service: usize, notice: Notice) {
        let goal = self.goal;
        let Some(service) = self.services.get_mut(service) else { return };
        match notice {
            Notice::Up | Notice::Ready => {
                service.up = true;
                service.ready = notice == Notice::Ready;
            }
            Notice::Down | Notice::DownReady => {
                service.up = false;
                service.ready = notice == Notice::DownReady;
                service.been_down = true;
            }
            Notice::Once => service.lost |= goal.is_up(),
            Notice::Exit => service.lost |= !service.reached(goal),
            Notice::Start => {}
        }
    }

    /// `None`: wait on. Else how many services were lost: 0 is success.
    pub fn outcome(&self) -> Option<usize> {
        let done = |service: &Service| service.lost || service.reached(self.goal);
        let enough = match self.enough {
            Enough::All => self.services.iter().all(done),
            Enough::Any => self.services.iter().any(done),
        };
        enough.then(|| self.services.iter().filter(|service| service.lost).count())
    }
}

impl Service {
    fn reached(self, goal: Goal) -> bool {
        match goal {
            Goal::Up => self.up,
            Goal::UpReady => self.up && self.ready,
            Goal::Down => !self.up,
            Goal::DownReady => !self.up && self.ready,
            Goal::Restart => self.been_down && self.up,
            Goal::RestartReady => self.been_down && self.up && self.ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tai64::Tai;
    use crate::wire::wait_status::WaitStatus;

    fn status(up: bool) -> Status {
        let stamp = Tai::from_unix(0, 0);
        Status {
            stamp,
            ready_stamp: stamp,
            pid: u64::from(up),
            pgid: u64::from(up),
            wait_status: WaitStatus(0),
            paused: false,
            finishing: false,
            wanted_up: up,
            ready: !up,
        }
    }

    /// Feeds `0u 1d`-like events to services that begin down (`d`) or up (`u`).
    fn outcomes(goal: Goal, enough: Enough, begin: &str, events: &str) -> Option<usize> {
        let mut wait = Wait::new(goal, enough);
        begin.chars().for_each(|state| wait.add(&status(state == 'u')));
        for event in events.split_whitespace() {
            assert_eq!(wait.outcome(), None, "{goal:?} from {begin} ended before {event}");
            let &[service, letter] = event.as_bytes() else { panic!("{event}") };
            let notice = Notice::from_letter(letter).expect("a notice");
            wait.event(usize::from(service - b'0'), notice);
        }
        wait.outcome()
    }

    #[test]
    fn each_goal_is_reached_by_its_event() {
        for (goal, begin, events) in [
            (Goal::Up, "d", "0u"),
            (Goal::Up, "u", ""),
            (Goal::UpReady, "d", "0u 0U"),
            (Goal::UpReady, "u", "0U"),
            (Goal::Down, "u", "0U 0d"),
            (Goal::DownReady, "u", "0d 0D"),
            (Goal::DownReady, "d", ""),
            (Goal::Restart, "u", "0d 0D 0u"),
            (Goal::RestartReady, "u", "0d 0D 0u 0U"),
            (Goal::Restart, "d", "0u"),
        ] {
            assert_eq!(outcomes(goal, Enough::All, begin, events), Some(0), "{goal:?} {events}");
        }
    }

    #[test]
    fn all_and_any() {
        assert_eq!(outcomes(Goal::Up, Enough::All, "dd", "0u 1u"), Some(0));
        assert_eq!(outcomes(Goal::Up, Enough::All, "dd", "0u 0d 1u"), None);
        assert_eq!(outcomes(Goal::Up, Enough::Any, "dd", "1u"), Some(0));
    }

    #[test]
    fn services_need_not_be_down_together_to_be_restarted() {
        assert_eq!(outcomes(Goal::Restart, Enough::All, "uu", "0d 0D 0u 1d 1D 1u"), Some(0));
    }

    #[test]
    fn a_permanent_failure_is_not_forgotten() {
        assert_eq!(outcomes(Goal::UpReady, Enough::All, "dd", "0u 0d 0O 0D 1O"), Some(2));
        assert_eq!(outcomes(Goal::Restart, Enough::All, "u", "0d 0O"), Some(1));
        assert_eq!(outcomes(Goal::DownReady, Enough::All, "u", "0d 0O 0D"), Some(0));
    }

    #[test]
    fn a_supervisor_that_leaves_too_early_counts() {
        assert_eq!(outcomes(Goal::Up, Enough::All, "dd", "0x 1u"), Some(1));
        assert_eq!(outcomes(Goal::Down, Enough::All, "uu", "0d 0D 0x 1x"), Some(1));
    }

    #[test]
    fn nothing_to_wait_for_is_reached() {
        assert_eq!(outcomes(Goal::Up, Enough::All, "", ""), Some(0));
    }
}
