//! A world of simulated supervisors, and properties over any sequence of events.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

struct World {
    machine: Scanner,
    clock: Duration,
    /// What is in the scan directory: name → (inode, has a logger).
    tree: BTreeMap<&'static str, (u64, bool)>,
    running: BTreeSet<SeatId>,
    started: Vec<(String, Duration, bool)>,
    signals: Vec<(String, Signal)>,
    closed: Vec<String>,
    pipes_closed: bool,
    left: bool,
}

impl World {
    fn new(tree: &[(&'static str, u64, bool)]) -> World {
        let mut world = World::unscanned(tree);
        world.pass(Duration::ZERO);
        world
    }

    fn unscanned(tree: &[(&'static str, u64, bool)]) -> World {
        let limits = Limits { rescan: None, supervisors: 10 };
        World {
            machine: Scanner::new(at(Duration::ZERO), limits),
            clock: Duration::ZERO,
            tree: tree.iter().map(|&(name, inode, log)| (name, (inode, log))).collect(),
            running: BTreeSet::new(),
            started: Vec::new(),
            signals: Vec::new(),
            closed: Vec::new(),
            pipes_closed: false,
            left: false,
        }
    }

    fn tell(&mut self, event: Event) {
        for action in self.machine.step(at(self.clock), event) {
            assert!(!self.left, "nothing follows Leave, but {action:?} did");
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Scan => {
                let found = |(name, &(inode, has_log)): (&&str, &(u64, bool))| Found {
                    name: name.as_bytes().to_vec(),
                    identity: (1, inode),
                    has_log,
                };
                let found = self.tree.iter().map(found).collect();
                self.tell(Event::Scanned(found));
            }
            Action::Start { seat, last } => {
                assert!(self.running.insert(seat), "never two supervisors in a seat");
                let name = self.name(seat);
                self.started.push((name, self.clock, last));
                self.tell(Event::Started(seat));
            }
            Action::Signal(seat, signal) => {
                assert!(self.running.contains(&seat), "{signal} to nobody");
                let name = self.name(seat);
                self.signals.push((name, signal));
            }
            Action::Leave => {
                self.left = true;
            }
            Action::ClosePipes => self.pipes_closed = true,
            Action::ClosePipe(seat) => {
                let name = self.name(seat);
                self.closed.push(name);
            }
            Action::Dismiss(_) | Action::Forget(_) | Action::TooMany(_) => {}
        }
    }

    fn name(&self, seat: SeatId) -> String {
        let argument = self.machine.seat(seat).map(Seat::argument).unwrap_or_default();
        String::from_utf8(argument).expect("test names are text")
    }

    fn ask(&mut self, letters: &str) {
        for letter in letters.bytes() {
            let control = ScanControl::from_letter(letter).expect("a control letter");
            self.tell(Event::Asked(control));
        }
    }

    fn die(&mut self, name: &str, how: WaitStatus) {
        let seat = self.running.iter().copied().find(|&seat| self.name(seat) == name);
        let seat = seat.expect("it runs");
        self.running.remove(&seat);
        self.tell(Event::Died(seat, how));
    }

    fn pass(&mut self, span: Duration) {
        let end = self.clock + span;
        for _ in 0..1000 {
            match self.machine.deadline().map(|due| due.since(at(Duration::ZERO))) {
                Some(due) if due <= end && !self.left => {
                    self.clock = self.clock.max(due);
                    self.tell(Event::Timeout);
                }
                _ => {
                    self.clock = end;
                    return;
                }
            }
        }
        panic!("an endless loop: {:?}", self.machine);
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.running.iter().map(|&seat| self.name(seat)).collect();
        names.sort();
        names
    }
}

fn at(clock: Duration) -> Monotonic {
    Monotonic::from_start(clock)
}

fn secs(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

const KILLED: WaitStatus = WaitStatus(9);
const CLEAN: WaitStatus = WaitStatus(0);

#[test]
fn starts_what_is_there_loggers_too() {
    let world = World::new(&[("a", 1, false), ("b", 2, true)]);
    assert_eq!(world.names(), ["a", "b", "b/log"]);
}

#[test]
fn a_link_that_comes_back_finds_its_supervisor() {
    let mut world = World::new(&[("a", 1, false)]);
    world.tree.remove("a");
    world.ask("a");
    world.tree.insert("a", (1, false));
    world.ask("an");
    assert_eq!((world.names().len(), world.started.len(), world.signals.len()), (1, 1, 0));
}

#[test]
fn pruning_ends_only_what_has_gone() {
    let mut world = World::new(&[("a", 1, false), ("b", 2, true)]);
    world.tree.remove("b");
    world.ask("h");
    let expected = [("b".to_owned(), Signal::SIGTERM), ("b/log".to_owned(), Signal::SIGHUP)];
    assert_eq!(world.signals, expected);
    world.die("b", CLEAN);
    assert_eq!(world.closed, ["b"], "else the logger would never see the end of its input");
    world.die("b/log", CLEAN);
    world.pass(secs(10.0));
    assert_eq!(world.names(), ["a"]);
    assert_eq!(world.machine.seats.len(), 1);
}

#[test]
fn a_service_that_comes_back_has_its_logger_back_once_that_has_drained() {
    let mut world = World::new(&[("b", 2, true)]);
    world.tree.remove("b");
    world.ask("a");
    world.die("b", CLEAN); // told to by somebody else: nobody asked for a prune
    assert_eq!(world.signals, [("b/log".to_owned(), Signal::SIGHUP)]);
    world.tree.insert("b", (2, true));
    world.ask("a");
    assert_eq!(world.started.len(), 3);
    world.die("b/log", CLEAN);
    world.pass(secs(1.0));
    assert_eq!(world.started.last(), Some(&("b/log".to_owned(), secs(1.0), false)));
}

#[test]
fn a_prune_reaches_a_service_whose_supervisor_was_just_killed() {
    let mut world = World::new(&[("a", 1, false)]);
    world.tree.remove("a");
    world.ask("a");
    world.die("a", KILLED);
    world.ask("n");
    world.pass(secs(1.0));
    assert_eq!(world.started.last(), Some(&("a".to_owned(), secs(1.0), true)));
    assert_eq!(world.signals, [("a".to_owned(), Signal::SIGTERM)]);
    world.die("a", CLEAN);
    assert_eq!(world.machine.seats.len(), 0);
}

#[test]
fn a_supervisor_that_dies_is_back_within_a_second_of_its_start() {
    let mut world = World::new(&[("a", 1, false)]);
    world.pass(secs(0.4));
    world.die("a", KILLED);
    world.pass(secs(5.0));
    world.die("a", KILLED);
    world.pass(secs(0.0));
    let times: Vec<Duration> = world.started.iter().map(|start| start.1).collect();
    assert_eq!(times, [0.0, 1.0, 5.4].map(secs));
}

#[test]
fn stop_signals_waits_and_leaves() {
    let mut world = World::new(&[("a", 1, true), ("s6-svscan-log", 2, false)]);
    world.ask("t");
    let signals: Vec<Signal> = world.signals.iter().map(|(_, signal)| *signal).collect();
    assert_eq!(signals, [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGHUP]);
    assert!(world.pipes_closed && !world.left);
    for name in ["a", "a/log", "s6-svscan-log"] {
        assert!(!world.left);
        world.die(name, CLEAN);
    }
    assert!(world.left);
}

#[test]
fn a_stop_behind_a_pending_rescan_is_not_lost() {
    let mut world = World::new(&[("a", 1, false)]);
    world.ask("at");
    world.die("a", CLEAN);
    assert!(world.left);
}

#[test]
fn a_supervisor_killed_during_stop_comes_back_to_clean_up() {
    let mut world = World::new(&[("a", 1, false)]);
    world.pass(secs(3.0));
    world.ask("t");
    world.die("a", KILLED);
    world.pass(secs(1.0));
    assert_eq!(world.started.last(), Some(&("a".to_owned(), secs(3.0), true)));
    assert_eq!(world.signals.len(), 2);
    world.die("a", CLEAN);
    assert!(world.left);
}

#[test]
fn a_supervisor_killed_just_before_stop_comes_back_to_clean_up() {
    let mut world = World::new(&[("a", 1, false)]);
    world.die("a", KILLED);
    world.ask("t");
    assert!(!world.left);
    world.pass(secs(1.0));
    world.die("a", CLEAN);
    assert!(world.left);
}

#[test]
fn a_stop_before_the_first_scan_cleans_up_after_an_earlier_scanner() {
    let mut world = World::unscanned(&[("a", 1, false)]);
    world.ask("t");
    assert_eq!(world.started, [("a".to_owned(), secs(0.0), true)]);
    world.die("a", WaitStatus::exited(SUPERVISED_ALREADY));
    world.pass(secs(0.5));
    assert!(!world.left);
    world.die("a", CLEAN);
    assert!(world.left);
}

#[test]
fn another_scanners_supervisor_is_dismissed_and_waited_for() {
    let mut world = World::new(&[("a", 1, false)]);
    world.die("a", WaitStatus::exited(SUPERVISED_ALREADY));
    world.ask("t");
    world.pass(secs(1.0));
    assert!(!world.left);
    world.die("a", WaitStatus::exited(SUPERVISED_ALREADY));
    world.pass(secs(0.5));
    world.die("a", CLEAN);
    assert!(world.left);
}

#[test]
fn too_many_services_leave_the_others_alone() {
    let mut world = World::new(&[("a", 1, false)]);
    world.machine.limits.supervisors = 2;
    world.tree.extend([("b", (2, true)), ("c", (3, false)), ("d", (4, false))]);
    world.ask("a");
    assert_eq!(world.names(), ["a", "c"]);
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Time(u16),
    Death(u8, u8),
    Letter(ScanControl),
    Toggle(u8),
}

fn happening() -> impl Strategy<Value = Happening> {
    let gentle: Vec<ScanControl> =
        ScanControl::ALL.iter().copied().filter(|&c| c != ScanControl::Abort).collect();
    prop_oneof![
        2 => (0_u16..3000).prop_map(Happening::Time),
        4 => any::<(u8, u8)>().prop_map(|(which, how)| Happening::Death(which, how % 3)),
        2 => proptest::sample::select(gentle).prop_map(Happening::Letter),
        3 => any::<u8>().prop_map(Happening::Toggle),
    ]
}

proptest! {
    #[test]
    fn any_life_ends_when_its_supervisors_end(
        script in proptest::collection::vec(happening(), 0..60),
    ) {
        let mut world = World::new(&[("a", 1, false), ("b", 2, true)]);
        for happening in script {
            if world.left {
                break;
            }
            match happening {
                Happening::Time(ms) => world.pass(Duration::from_millis(ms.into())),
                Happening::Death(which, how) => {
                    let names = world.names();
                    if let Some(name) = names.get(usize::from(which) % names.len().max(1)) {
                        let how = [CLEAN, KILLED, WaitStatus::exited(SUPERVISED_ALREADY)]
                            [usize::from(how)];
                        world.die(name, how);
                    }
                }
                Happening::Letter(control) => world.tell(Event::Asked(control)),
                Happening::Toggle(which) => {
                    let name = ["a", "b", "c"][usize::from(which) % 3];
                    if world.tree.remove(name).is_none() {
                        world.tree.insert(name, (u64::from(which) % 3 + 1, which > 99));
                    }
                }
            }
        }
        if !world.left {
            world.ask("t");
        }
        for _ in 0..20 {
            world.pass(secs(2.0));
            for name in world.names() {
                world.die(&name, CLEAN);
            }
        }
        prop_assert!(world.left && world.machine.is_gone());
        prop_assert!(world.running.is_empty());
    }
}
