//! A container without processes: it answers what the machine asks, and its clock jumps to the next
//! deadline. Every property below holds for any sequence of events.

use super::*;
use proptest::prelude::*;

/// How the simulated world behaves.
#[derive(Clone, Debug)]
struct Nature {
    /// How many units a step has; `None`: its conditions do not hold.
    units: Option<usize>,
    /// Refuses every start with this code.
    refuses: Option<u16>,
    /// How units end; `None`: only by a signal.
    unit_code: Option<u16>,
    heeds_term: bool,
    supervisors_go: bool,
    /// What the exit file holds, whatever is written.
    file: Option<u8>,
}

const KIND: Nature = Nature {
    units: Some(1),
    refuses: None,
    unit_code: Some(0),
    heeds_term: true,
    supervisors_go: true,
    file: None,
};

struct World {
    machine: Init,
    nature: Nature,
    clock: Duration,
    unit: Option<(At, usize)>,
    unit_doom: Option<u16>,
    command: bool,
    supervisors: bool,
    told: bool,
    immortals: bool,
    written: Option<u16>,
    lines: Vec<(At, Line)>,
    began: Vec<At>,
    commands: usize,
    banners: usize,
    reports: Vec<Consequence>,
    exit: Option<u8>,
}

fn units(limit_ms: Option<u64>) -> Kind {
    Kind::Units {
        limit: limit_ms.map(Duration::from_millis),
        limit_code: 99,
        refusal_aborts: false,
        breaks_off: true,
    }
}

fn rule(kind: Kind) -> Rule {
    Rule { kind, checked: true, fatal: None }
}

/// The steps of v1, in short.
fn settings() -> Settings {
    let seconds = |s| Some(Duration::from_secs(s));
    let files =
        Kind::Units { limit: None, limit_code: 99, refusal_aborts: false, breaks_off: false };
    Settings {
        boot: vec![
            Rule { kind: files, checked: false, fatal: Some(7) },
            rule(Kind::Supervise),
            rule(units(None)),
            rule(Kind::Say),
            rule(Kind::Command),
        ],
        stop: vec![
            rule(Kind::BringDown(seconds(3))),
            rule(units(Some(5000))),
            rule(Kind::AwaitDown(seconds(3))),
            rule(Kind::Terminate(Duration::from_secs(3))),
            rule(Kind::Kill),
        ],
        failure_level: 0,
        failure_exit: 1,
        signal_base: 256,
        signal_exit_base: 0,
        stop_limit: None,
        abort_grace: Duration::from_secs(3),
    }
}

impl World {
    fn new(nature: Nature, settings: Settings) -> World {
        let mut world = World {
            machine: Init::new(settings),
            nature,
            clock: Duration::ZERO,
            unit: None,
            unit_doom: None,
            command: false,
            supervisors: false,
            told: false,
            immortals: false,
            written: None,
            lines: Vec::new(),
            began: Vec::new(),
            commands: 0,
            banners: 0,
            reports: Vec::new(),
            exit: None,
        };
        let first = world.machine.begin(world.now());
        world.perform(first);
        world
    }

    fn now(&self) -> Monotonic {
        Monotonic::from_start(self.clock)
    }

    fn tell(&mut self, event: Event) {
        let actions = self.machine.step(self.now(), event);
        self.perform(actions);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        let asks = |action: &Action| {
            matches!(
                action,
                Action::Begin(_)
                    | Action::Start(..)
                    | Action::Supervise(_)
                    | Action::StartCommand(_)
                    | Action::ReadExitFile
            )
        };
        let count = actions.len();
        for (nth, action) in actions.into_iter().enumerate() {
            assert_eq!(self.exit, None, "nothing follows Exit, but {action:?} did");
            assert!(!asks(&action) || nth + 1 == count, "{action:?} is not the last");
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        let started = |refuses: Option<u16>| refuses.map_or(Event::Started, Event::Refused);
        match action {
            Action::Begin(at) => {
                assert!(at.phase == Phase::Stop || !self.machine.is_stopping(), "{at:?} in a stop");
                assert!(!self.began.contains(&at), "{at:?} twice");
                self.began.push(at);
                let answer = self.nature.units.map_or(Event::Skipped, Event::Begun);
                self.tell(answer);
            }
            Action::Print(at, line) => self.lines.push((at, line)),
            Action::PrintBanner => self.banners += 1,
            Action::Report(_, _, consequence) => self.reports.push(consequence),
            Action::Start(at, nth) => {
                assert_eq!(self.unit, None, "never two units");
                if self.nature.refuses.is_none() {
                    self.unit = Some((at, nth));
                    self.unit_doom = self.nature.unit_code;
                }
                self.tell(started(self.nature.refuses));
            }
            Action::Supervise(_) => {
                self.supervisors = true;
                self.tell(Event::Started);
            }
            Action::StartCommand(_) => {
                self.commands += 1;
                self.command = self.nature.refuses.is_none();
                self.tell(started(self.nature.refuses));
            }
            Action::KillUnit(signal) => {
                assert!(self.unit.is_some(), "{signal} to nobody");
                if signal == Signal::SIGKILL || self.nature.heeds_term {
                    self.unit_doom = Some(256 + u16::from(signal.number()));
                }
            }
            Action::BringDown => self.told = true,
            Action::TerminateAll | Action::KillAll => {
                if action == Action::KillAll || self.nature.heeds_term {
                    (self.supervisors, self.command) = (false, false);
                }
            }
            Action::WriteExitFile(code) => self.written = Some(code),
            Action::ReadExitFile => {
                let written = self.written.and_then(|code| u8::try_from(code % 256).ok());
                self.tell(Event::ExitFile(self.nature.file.or(written)));
            }
            Action::Exit(code) => self.exit = Some(code),
        }
    }

    /// One thing that is due now: a death, a fact.
    fn happens(&mut self) -> bool {
        if self.told && self.nature.supervisors_go {
            self.supervisors = false;
        }
        if let Some(code) = self.unit_doom.take() {
            self.unit = None;
            self.tell(Event::UnitEnded(code));
            return true;
        }
        let holds = match self.machine.awaits() {
            None => false,
            Some(Fact::SupervisorsGone) => !self.supervisors,
            Some(Fact::NothingLeft) => !self.supervisors && !self.command && !self.immortals,
        };
        if holds {
            self.tell(Event::Came);
        }
        holds
    }

    /// Lets everything happen until nothing more would; bounded.
    fn settle(&mut self) {
        for _ in 0..1000 {
            if self.exit.is_some() {
                return;
            }
            if self.happens() {
                continue;
            }
            let Some(deadline) = self.machine.deadline() else { return };
            self.clock = self.clock.max(deadline.since(Monotonic::from_start(Duration::ZERO)));
            self.tell(Event::Timeout);
        }
        panic!("an endless loop: {:?} at {:?}", self.machine, self.clock);
    }

    fn command_ends(&mut self, status: WaitStatus) {
        self.command = false;
        self.tell(Event::CommandEnded(status));
    }

    fn said(&self, phase: Phase, step: usize) -> Vec<Line> {
        let at = At { phase, step };
        self.lines.iter().filter(|(a, _)| *a == at).map(|(_, line)| *line).collect()
    }
}

#[test]
fn command_ends_the_container_with_its_code() {
    for (status, shown, code) in [
        (WaitStatus::exited(7), 7, 7),
        (WaitStatus::exited(255), 255, 255),
        (WaitStatus::killed(Signal::SIGKILL), 265, 9),
    ] {
        let mut world = World::new(KIND, settings());
        world.settle();
        world.command_ends(status);
        world.settle();
        assert_eq!((world.exit, world.written), (Some(code), Some(shown)));
        assert_eq!(world.said(Phase::Boot, 4), [Line::Say, Line::Done(shown)]);
        assert_eq!(world.clock, Duration::ZERO, "no wait is slept through");
    }
}

#[test]
fn a_command_that_cannot_be_started_ends_the_container() {
    let mut world = World::new(Nature { refuses: Some(127), ..KIND }, settings());
    world.settle();
    assert_eq!(world.exit, Some(7), "the first step is fatal");
    assert_eq!(world.reports, [Consequence::Ends(7)]);
    let mut settings = settings();
    settings.boot.remove(0);
    let mut world = World::new(Nature { refuses: Some(127), ..KIND }, settings);
    world.settle();
    assert_eq!(world.exit, Some(127));
}

#[test]
fn asked_to_stop_the_code_is_0_or_what_the_file_says_or_what_command_makes_of_it() {
    let mut world = World::new(KIND, settings());
    world.settle();
    world.tell(Event::Stop);
    world.settle();
    assert_eq!(world.exit, Some(0), "TERM killed CMD");

    let mut world = World::new(Nature { file: Some(77), ..KIND }, settings());
    world.settle();
    world.tell(Event::Stop);
    world.settle();
    assert_eq!(world.exit, Some(77));

    let mut world = World::new(Nature { heeds_term: false, ..KIND }, settings());
    world.settle();
    world.tell(Event::Stop);
    world.command_ends(WaitStatus::exited(4));
    world.settle();
    assert_eq!(world.exit, Some(4), "CMD's own answer to TERM");
}

#[test]
fn failures_mean_what_the_level_says() {
    let failing = Nature { unit_code: Some(3), ..KIND };
    for (level, banners, commands, exit, report) in [
        (0, 0, 1, None, Consequence::GoesOn),
        (1, 1, 0, None, Consequence::StaysUp),
        (2, 0, 0, Some(1), Consequence::Stops(1)),
    ] {
        let mut settings = settings();
        settings.boot.remove(0);
        settings.failure_level = level;
        let mut world = World::new(failing.clone(), settings);
        world.settle();
        assert_eq!((world.banners, world.commands, world.exit), (banners, commands, exit));
        assert_eq!(world.reports, [report]);
        let lines = world.said(Phase::Boot, 1);
        let broken_off = [Line::Say, Line::Each(0), Line::EachDone(0, 3)];
        assert_eq!(lines.get(..3), Some(&broken_off[..]));
        assert_eq!(lines.get(3), (level == 0).then_some(&Line::Done(3)));
        if level == 1 {
            assert_eq!(world.written, Some(1));
            world.written = None;
            world.tell(Event::Stop);
            world.settle();
            assert_eq!(world.exit, Some(1), "although nothing could be written down");
        }
    }
}

#[test]
fn what_cannot_be_started_may_skip_all_but_command() {
    let mut settings = settings();
    settings.boot.remove(0);
    settings.boot.insert(2, rule(Kind::Say));
    if let Kind::Units { refusal_aborts, .. } = &mut settings.boot[1].kind {
        *refusal_aborts = true;
    }
    let mut world = World::new(Nature { refuses: Some(126), ..KIND }, settings);
    world.settle();
    assert_eq!(world.said(Phase::Boot, 1), [Line::Say, Line::Each(0)]);
    assert_eq!(world.said(Phase::Boot, 2), []);
    assert_eq!((world.commands, world.reports.as_slice()), (1, &[Consequence::OnlyCommand][..]));
}

#[test]
fn a_stop_during_boot_ends_the_script_and_runs_the_stop() {
    for (heeds_term, code, waited) in [(true, 256 + 15, 0), (false, 256 + 9, 3)] {
        let nature = Nature { unit_code: None, heeds_term, ..KIND };
        let mut settings = settings();
        settings.boot.remove(0);
        let mut world = World::new(nature, settings);
        world.tell(Event::Stop);
        world.tell(Event::Stop);
        world.nature.unit_code = Some(0);
        world.settle();
        let broken_off = [Line::Say, Line::Each(0), Line::EachDone(0, code)];
        assert_eq!(world.said(Phase::Boot, 1), broken_off);
        assert_eq!((world.commands, world.exit), (0, Some(0)));
        assert_eq!(world.reports, [], "to be told to end is no failure");
        assert_eq!(world.said(Phase::Stop, 1).len(), 4, "cont-finish ran");
        assert_eq!(world.clock.as_secs(), waited);
    }
}

#[test]
fn grace_times_are_the_longest_waits() {
    let stubborn = Nature { supervisors_go: false, heeds_term: false, ..KIND };
    let mut world = World::new(stubborn.clone(), settings());
    world.settle();
    world.tell(Event::Stop);
    world.settle();
    assert_eq!(world.exit, Some(0));
    assert_eq!(world.clock.as_secs(), 3 + 3, "the supervisors' time, and that of what is left");
    assert!(world.said(Phase::Stop, 2).contains(&Line::Late));

    let limited = Settings { stop_limit: Some(Duration::from_secs(1)), ..settings() };
    let mut world = World::new(stubborn, limited);
    world.settle();
    world.tell(Event::Stop);
    world.settle();
    assert_eq!((world.exit, world.clock.as_secs()), (Some(0), 1));
}

#[test]
fn a_script_that_takes_too_long_is_killed_and_the_next_one_runs() {
    let nature = Nature { units: Some(2), unit_code: None, ..KIND };
    let settings = Settings { boot: vec![], ..settings() };
    let mut world = World::new(nature, settings);
    world.tell(Event::Stop);
    world.settle();
    let lines = [Line::Late, Line::EachDone(0, 99), Line::Each(1)];
    assert_eq!(world.said(Phase::Stop, 1).get(2..5), Some(&lines[..]));
    assert_eq!((world.exit, world.clock.as_secs()), (Some(0), 10));
}

#[test]
fn what_cannot_be_killed_is_left_behind() {
    let mut world = World::new(KIND, settings());
    world.immortals = true;
    world.tell(Event::KillNow);
    world.settle();
    assert_eq!(world.exit, Some(0));
    assert!(world.clock <= BETWEEN_KILLS * (KILLS + 1));
}

#[test]
fn insisting_ends_at_once() {
    let mut world = World::new(Nature { supervisors_go: false, ..KIND }, settings());
    world.settle();
    world.tell(Event::Stop);
    world.tell(Event::KillNow);
    world.settle();
    assert_eq!((world.exit, world.clock), (Some(0), Duration::ZERO));
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Timeout),
        Just(Event::Stop),
        Just(Event::StopNow),
        Just(Event::KillNow),
        Just(Event::Came),
        Just(Event::Started),
        Just(Event::Skipped),
        any::<u8>().prop_map(|code| Event::CommandEnded(WaitStatus::exited(code))),
        Just(Event::CommandEnded(WaitStatus::killed(Signal::SIGTERM))),
    ]
}

fn any_nature() -> impl Strategy<Value = Nature> {
    let code = || prop::option::of(prop_oneof![Just(0_u16), 1..300_u16]);
    let some = prop::option::weighted(0.8, 0..3_usize);
    let refuses = prop::option::weighted(0.1, 1..200_u16);
    (some, refuses, code(), any::<bool>(), any::<bool>(), prop::option::of(any::<u8>())).prop_map(
        |(units, refuses, unit_code, heeds_term, supervisors_go, file)| Nature {
            units,
            refuses,
            unit_code,
            heeds_term,
            supervisors_go,
            file,
        },
    )
}

proptest! {
    #[test]
    fn a_stop_always_ends(
        nature in any_nature(),
        level in 0..3_u64,
        before in prop::collection::vec((any_event(), any::<bool>()), 0..12),
        after in prop::collection::vec((any_event(), any::<bool>()), 0..12),
        immortals: bool,
    ) {
        let mut world = World::new(nature, Settings { failure_level: level, ..settings() });
        world.immortals = immortals;
        let drive = |world: &mut World, events: Vec<(Event, bool)>| {
            for (event, goes_on) in events {
                if world.exit.is_none() {
                    world.tell(event);
                }
                if goes_on && world.exit.is_none() {
                    world.happens();
                }
            }
        };
        drive(&mut world, before);
        if world.exit.is_none() {
            world.tell(Event::Stop);
        }
        drive(&mut world, after);
        let asked = world.clock;
        world.settle();
        prop_assert!(world.exit.is_some(), "{:?}", world.machine);
        prop_assert!(world.commands <= 1);
        // Two scripts of 5 s, all graces, all attempts to kill, and units that do not die.
        prop_assert!(world.clock < asked + Duration::from_secs(60), "{:?}", world.clock);
    }
}
