//! A world without processes: it answers starts and kills, and its clock jumps to the next
//! deadline. Every property below holds for any sequence of events.

use super::*;
use crate::wire::tai64::Tai;
use proptest::prelude::*;

/// What the simulated service does.
#[derive(Clone, Copy, Debug)]
struct Nature {
    run_starts: bool,
    finish_starts: bool,
    finish_code: u8,
    heeds_term: bool,
}

const PLAIN: Nature =
    Nature { run_starts: true, finish_starts: true, finish_code: 0, heeds_term: true };

struct World {
    machine: Supervisor,
    nature: Nature,
    settings: Settings,
    clock: Duration,
    child: Option<Program>,
    /// How the child ends when the world goes on: like a real death, it is noticed later.
    doom: Option<WaitStatus>,
    starts: Vec<Duration>,
    notices: String,
    deaths: usize,
    down_file: bool,
    exited: bool,
}

impl World {
    fn new(nature: Nature, settings: Settings) -> World {
        let mut world = World {
            machine: Supervisor::new(at(Duration::ZERO), true),
            nature,
            settings,
            clock: Duration::ZERO,
            child: None,
            doom: None,
            starts: Vec::new(),
            notices: String::new(),
            deaths: 0,
            down_file: false,
            exited: false,
        };
        let first = world.machine.begin();
        world.perform(first);
        world
    }

    fn tell(&mut self, event: Event) {
        let actions = self.machine.step(at(self.clock), event, &self.settings);
        self.perform(actions);
    }

    fn ask(&mut self, letters: &str) {
        for letter in letters.bytes() {
            self.tell(Event::Asked(Control::from_letter(letter).expect("a control letter")));
        }
    }

    fn die(&mut self, how: WaitStatus) {
        self.child = None;
        self.doom = None;
        self.tell(Event::Died(how));
    }

    /// Lets everything happen that is due within `span`, deaths first; bounded.
    fn pass(&mut self, span: Duration) {
        let end = self.clock + span;
        for _ in 0..1000 {
            if let Some(how) = self.doom {
                self.die(how);
            } else if self.child == Some(Program::Finish) && self.nature.finish_code != 255 {
                self.die(WaitStatus::exited(self.nature.finish_code));
            } else {
                match self.machine.deadline().map(|deadline| deadline.since(epoch())) {
                    Some(due) if due <= end => {
                        self.clock = self.clock.max(due);
                        self.tell(Event::Timeout);
                    }
                    _ => {
                        self.clock = end;
                        return;
                    }
                }
            }
        }
        panic!("an endless loop: {:?} at {:?}", self.machine, self.clock);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert!(!self.exited, "nothing follows Exit, but {action:?} did");
            match action {
                Action::Start(program) => self.start(program),
                Action::Kill(_, signal) => {
                    assert!(self.child.is_some(), "{signal} to nobody");
                    let term = signal == Signal::SIGTERM && self.nature.heeds_term;
                    if term || signal == Signal::SIGKILL {
                        self.doom = Some(WaitStatus::killed(signal));
                    }
                }
                Action::Publish => {
                    let status = self.machine.status(u64::from(self.child.is_some()));
                    assert_eq!(Status::unpack(&status.pack()), Some(status));
                    assert_eq!(status.finishing, self.child == Some(Program::Finish));
                }
                Action::Notify(notices) => {
                    self.notices.extend(notices.iter().map(|n| char::from(n.letter())));
                }
                Action::RecordDeath => self.deaths += 1,
                Action::SetDownFile(down) => self.down_file = down,
                Action::CloseReadiness | Action::ReleaseStandardStreams => {}
                Action::Exit => self.exited = true,
            }
        }
    }

    fn start(&mut self, program: Program) {
        assert_eq!(self.child, None, "never two children");
        let starts = match program {
            Program::Run => self.nature.run_starts,
            Program::Finish => self.nature.finish_starts,
        };
        if !starts {
            return self.tell(Event::StartFailed(program));
        }
        self.child = Some(program);
        if program == Program::Run {
            self.starts.push(self.clock);
        }
        self.tell(Event::Started(program));
    }
}

fn epoch() -> Monotonic {
    Monotonic::from_start(Duration::ZERO)
}

fn at(clock: Duration) -> Now {
    Now { monotonic: epoch() + clock, wall: Tai::from_unix(clock.as_secs(), 0) }
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

fn running(nature: Nature) -> World {
    let mut world = World::new(nature, Settings::default());
    world.pass(Duration::ZERO);
    world
}

#[test]
fn starts_at_once_and_becomes_ready_once() {
    let mut world = running(PLAIN);
    assert_eq!((world.starts.as_slice(), world.notices.as_str()), (&[Duration::ZERO][..], "su"));
    world.tell(Event::Ready);
    world.tell(Event::Ready);
    assert_eq!(world.notices, "suU");
    assert!(world.machine.status(1).ready);
}

#[test]
fn a_service_that_ran_longer_than_a_second_restarts_at_once() {
    let mut world = running(PLAIN);
    world.pass(seconds(3.0));
    world.die(WaitStatus::exited(1));
    world.pass(Duration::ZERO);
    assert_eq!(world.starts, [seconds(0.0), seconds(3.0)]);
    assert_eq!(world.notices, "sudDu");
}

#[test]
fn a_service_that_dies_at_once_starts_once_a_second() {
    let mut world = running(PLAIN);
    for _ in 0..3 {
        world.die(WaitStatus::exited(1));
        world.pass(seconds(1.0));
    }
    assert_eq!(world.starts, [0.0, 1.0, 2.0, 3.0].map(seconds));
    assert_eq!(world.deaths, 3);
}

#[test]
fn without_finish_both_notices_come_together() {
    let mut world = running(Nature { finish_starts: false, ..PLAIN });
    world.die(WaitStatus::exited(0));
    assert_eq!(world.notices, "sudD");
}

#[test]
fn a_run_that_cannot_start_is_tried_again_after_ten_seconds_or_when_asked() {
    let mut world = running(Nature { run_starts: false, ..PLAIN });
    assert_eq!(world.machine.deadline(), Some(epoch() + AFTER_FAILED_START));
    assert_eq!(world.notices, "s");
    world.nature.run_starts = true;
    world.ask("u");
    assert_eq!(world.starts, [Duration::ZERO]);
}

#[test]
fn finish_125_means_never_again() {
    let mut world = running(Nature { finish_code: 125, ..PLAIN });
    world.die(WaitStatus::exited(1));
    world.pass(seconds(60.0));
    assert_eq!((world.notices.as_str(), world.starts.len()), ("sudOD", 1));
}

#[test]
fn down_kills_what_does_not_heed_it() {
    let settings = Settings { timeout_kill: Some(seconds(2.0)), ..Settings::default() };
    let mut world = World::new(Nature { heeds_term: false, ..PLAIN }, settings);
    world.pass(seconds(1.0));
    world.ask("d");
    world.pass(seconds(1.9));
    assert_eq!(world.child, Some(Program::Run));
    world.pass(seconds(0.2));
    assert_eq!((world.child, world.notices.as_str()), (None, "sudD"));
}

#[test]
fn down_then_up_is_a_restart() {
    let mut world = running(PLAIN);
    world.pass(seconds(5.0));
    world.ask("du");
    world.pass(Duration::ZERO);
    assert_eq!(world.starts, [seconds(0.0), seconds(5.0)]);
}

#[test]
fn down_for_good_and_once_at_most_for_good_leave_a_down_file() {
    for letters in ["D", "Q"] {
        let mut world = running(PLAIN);
        world.ask(letters);
        assert!(world.down_file && !world.machine.status(1).wanted_up, "{letters}");
        world.ask("U");
        assert!(!world.down_file && world.machine.status(1).wanted_up, "{letters}");
    }
}

#[test]
fn an_overlong_finish_is_killed() {
    let mut world = running(Nature { finish_code: 255, ..PLAIN });
    world.die(WaitStatus::exited(0));
    world.pass(seconds(4.9));
    assert_eq!(world.child, Some(Program::Finish));
    world.pass(seconds(0.2));
    assert_eq!(world.notices, "sudDu");
}

#[test]
fn exit_waits_for_the_service_whatever_was_asked_after() {
    let mut world = running(PLAIN);
    world.ask("xu");
    world.die(WaitStatus::exited(0));
    world.pass(seconds(10.0));
    assert!(world.exited);
    assert_eq!(world.notices, "sudDx");
}

#[test]
fn quit_leaves_the_service_alone() {
    let mut world = running(PLAIN);
    world.tell(Event::Quit);
    assert!(world.exited && world.child.is_some() && world.doom.is_none());
    assert_eq!(world.notices, "sux");
}

#[test]
fn an_adopted_service_is_not_started_again() {
    let status = running(PLAIN).machine.status(7);
    let now = at(seconds(9.0));
    let mut machine = Supervisor::adopting(now, Program::Run, status, true, &Settings::default());
    assert_eq!((machine.state(), machine.deadline()), (State::Up, None));
    let settings = Settings::default();
    let actions = machine.step(now, Event::Asked(Control::Up), &settings);
    assert_eq!(actions, [Action::Publish]);
    let actions = machine.step(now, Event::Died(WaitStatus(0)), &settings);
    assert!(actions.contains(&Action::Start(Program::Finish)));
}

#[test]
fn letters_send_the_signals_that_their_names_say() {
    for &control in Control::ALL {
        let wish = Wish::of(control);
        let sent = if let Wish::Signal(_, signal) = wish { Some(signal) } else { None };
        assert_eq!(sent, control.signal(), "{control:?}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Time(u16),
    Death(u8),
    Ready,
    Letter(Control),
    Signal(u8),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0_u16..3000).prop_map(Happening::Time),
        3 => any::<u8>().prop_map(Happening::Death),
        1 => Just(Happening::Ready),
        5 => proptest::sample::select(Control::ALL).prop_map(Happening::Letter),
        1 => (0_u8..60).prop_map(Happening::Signal),
    ]
}

fn nature() -> impl Strategy<Value = Nature> {
    let codes = prop_oneof![Just(0), Just(125), Just(255)];
    (any::<bool>(), any::<bool>(), codes, any::<bool>()).prop_map(
        |(run_starts, finish_starts, finish_code, heeds_term)| Nature {
            run_starts,
            finish_starts,
            finish_code,
            heeds_term,
        },
    )
}

proptest! {
    #[test]
    fn any_life_is_a_sane_one(
        nature in nature(),
        script in proptest::collection::vec(happening(), 0..60),
    ) {
        let mut world = World::new(nature, Settings::default());
        for happening in script {
            match happening {
                Happening::Time(ms) => world.pass(Duration::from_millis(ms.into())),
                Happening::Death(code) if world.child.is_some() => {
                    world.die(WaitStatus::exited(code));
                }
                Happening::Death(_) => {}
                Happening::Ready => world.tell(Event::Ready),
                Happening::Letter(control) => world.tell(Event::Asked(control)),
                Happening::Signal(0) => world.tell(Event::Term),
                Happening::Signal(1) => world.tell(Event::Hup),
                Happening::Signal(2) => world.tell(Event::Int),
                Happening::Signal(3) => world.tell(Event::Quit),
                Happening::Signal(_) => {}
            }
            // A state that waits for nothing waits for a child, a deadline or a command.
            let state = world.machine.state();
            let runs = world.child.is_some();
            prop_assert_eq!(state == State::Gone, world.exited);
            match state {
                State::Down => prop_assert!(!runs),
                State::Up | State::LastUp => prop_assert!(world.child == Some(Program::Run)),
                State::Finish | State::LastFinish => {
                    prop_assert!(world.child == Some(Program::Finish));
                }
                State::Gone => {}
            }
            let wants = world.machine.status(0).wanted_up;
            let waits = world.machine.deadline().is_some();
            prop_assert!(state != State::Down || !wants || waits, "would never start");
        }
        // Notices follow the grammar of contract s6 §4.5.
        let mut rest = world.notices.strip_prefix('s').expect("starts with s");
        rest = rest.strip_suffix('x').unwrap_or(rest);
        for life in rest.split_inclusive('D') {
            let ends = ["uD", "ud", "u", "uU", "uUd", "udD", "uUdD", "udOD", "uUdOD"];
            prop_assert!(ends.contains(&life), "{:?} in {}", life, world.notices);
        }
    }
}
