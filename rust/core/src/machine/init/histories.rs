//! Random histories: any plan, in any world, with events at any moment, twice, and out of order.
//!
//! The machine is driven as a driver drives it, by a world that rolls dice. Time moves only to the machine's
//! own deadlines, so that the end of a history is the longest that the plan allows. `S6X_HISTORIES` says, when
//! this is compiled, how many there are (each has its number as its seed).

use super::*;

/// Dice: `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`.
    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn one_in(&mut self, most: u64) -> bool {
        self.below(most) == 0
    }

    fn code(&mut self) -> u16 {
        if self.one_in(2) { 0 } else { u16::try_from(1 + self.below(300)).unwrap_or(1) }
    }

    fn limit(&mut self) -> Option<Duration> {
        let limits = [None, Some(0), Some(100), Some(3000)];
        limits[usize::try_from(self.below(4)).unwrap_or(0)].map(Duration::from_millis)
    }
}

/// The most units that a step has.
const UNITS: u64 = 3;
/// More than happens in any history.
const STEPS: u64 = 3000;

fn killing() -> Duration {
    BETWEEN_KILLS * (KILLS + 1)
}

fn units(dice: &mut Dice) -> Kind {
    Kind::Units {
        limit: dice.limit(),
        limit_code: 99,
        refusal_aborts: dice.one_in(3),
        breaks_off: dice.one_in(2),
    }
}

/// Any plan that the decoder would take: the scanner, CMD and `bring-down` at most once.
fn settings(dice: &mut Dice) -> Settings {
    let fatal =
        |dice: &mut Dice| dice.one_in(6).then(|| 40 + u8::try_from(dice.below(9)).unwrap_or(0));
    let mut boot = Vec::new();
    let (mut supervise, mut command) = (dice.one_in(2), !dice.one_in(4));
    for _ in 0..dice.below(7) {
        let kind = match dice.below(4) {
            0 if std::mem::take(&mut supervise) => Kind::Supervise,
            1 if std::mem::take(&mut command) => Kind::Command,
            2 => Kind::Say,
            _ => units(dice),
        };
        boot.push(Rule { kind, checked: dice.one_in(2), fatal: fatal(dice) });
    }
    let mut stop = Vec::new();
    let mut bring_down = true;
    for _ in 0..dice.below(8) {
        let kind = match dice.below(6) {
            0 if std::mem::take(&mut bring_down) => Kind::BringDown(dice.limit()),
            1 => Kind::AwaitDown(dice.limit()),
            2 => Kind::Terminate(dice.limit().unwrap_or_default()),
            3 => Kind::Kill,
            4 => Kind::Say,
            _ => units(dice),
        };
        stop.push(Rule { kind, checked: dice.one_in(2), fatal: None });
    }
    Settings {
        boot,
        stop,
        failure_level: dice.below(4),
        failure_exit: 33,
        signal_base: 256,
        signal_exit_base: if dice.one_in(2) { 128 } else { 0 },
        stop_limit: if dice.one_in(3) { dice.limit() } else { None },
        abort_grace: dice.limit().unwrap_or_default(),
    }
}

/// What was seen of one container.
struct History {
    dice: Dice,
    settings: Settings,
    machine: Init,
    clock: Duration,
    unit: Option<(At, usize)>,
    /// The running unit was killed, and may be left behind.
    killed: bool,
    /// Killed units do not die.
    immortals: bool,
    command: bool,
    begun: Vec<At>,
    started: Vec<(At, usize)>,
    reported: Vec<(At, usize)>,
    once: Vec<&'static str>,
    file: Option<u8>,
    /// The cause is that somebody asked for the stop.
    asked: bool,
    /// Boot failed, and the container stays up: its code counts when somebody asks for the stop.
    stays_up: bool,
    /// What CMD ended with by itself after somebody asked for the stop.
    own: Option<u8>,
    /// What the first cause allows, and when it came.
    cause: Option<(Vec<u8>, Duration)>,
    exit: Option<u8>,
}

impl History {
    fn new(seed: u64) -> History {
        let mut dice = Dice(seed);
        let settings = settings(&mut dice);
        let machine = Init::new(settings.clone());
        let immortals = dice.one_in(4);
        History {
            dice,
            settings,
            machine,
            clock: Duration::ZERO,
            unit: None,
            killed: false,
            immortals,
            command: false,
            begun: Vec::new(),
            started: Vec::new(),
            reported: Vec::new(),
            once: Vec::new(),
            file: None,
            asked: false,
            stays_up: false,
            own: None,
            cause: None,
            exit: None,
        }
    }

    fn now(&self) -> Monotonic {
        Monotonic::from_start(self.clock)
    }

    /// Feeds an event, and answers questions until there is none.
    fn tell(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next {
            let actions = self.machine.step(self.now(), event);
            next = self.perform(actions);
            self.notice_cause(event);
        }
    }

    /// When the first event came that stops the container: what may come of it.
    fn notice_cause(&mut self, event: Event) {
        if self.cause.is_some() || (!self.machine.is_stopping() && self.exit.is_none()) {
            return;
        }
        let codes = match event {
            Event::Stop | Event::StopNow | Event::KillNow if self.stays_up => {
                vec![self.settings.failure_exit]
            }
            Event::Stop | Event::StopNow | Event::KillNow => vec![0],
            Event::CommandEnded(status) => vec![self.exit_of(status)],
            // A failure, or a CMD that could not be started.
            Event::Refused(code) if self.once.contains(&"command") => {
                self.failures().chain([u8::try_from(code).unwrap_or(u8::MAX)]).collect()
            }
            Event::Timeout
            | Event::Skipped
            | Event::Begun(_)
            | Event::Started
            | Event::Refused(_)
            | Event::ExitFile(_)
            | Event::UnitEnded(_)
            | Event::Came => self.failures().collect(),
        };
        self.asked = matches!(event, Event::Stop | Event::StopNow | Event::KillNow);
        self.cause = Some((codes, self.clock));
    }

    /// The codes of a boot that failed.
    fn failures(&self) -> impl Iterator<Item = u8> {
        let fatal = self.settings.boot.iter().filter_map(|rule| rule.fatal);
        fatal.chain([self.settings.failure_exit])
    }

    fn exit_of(&self, status: WaitStatus) -> u8 {
        match status.ending() {
            Ending::Exited(code) => code,
            Ending::Killed(signal) => self.settings.signal_exit_base + signal.number(),
        }
    }

    fn first_time(&mut self, what: &'static str) {
        assert!(!self.once.contains(&what), "{what} twice");
        self.once.push(what);
    }

    fn start_answer(&mut self) -> Event {
        if self.dice.one_in(8) { Event::Refused(126) } else { Event::Started }
    }

    fn perform(&mut self, actions: Vec<Action>) -> Option<Event> {
        let mut answer = None;
        for action in actions {
            assert_eq!(self.exit, None, "{action:?} after the end");
            assert_eq!(answer, None, "{action:?} after a question");
            match action {
                Action::Begin(at) => {
                    let boot = at.phase == Phase::Boot;
                    assert!(!boot || !self.machine.is_stopping(), "{at:?} in a stop");
                    assert!(!self.begun.contains(&at), "{at:?} twice");
                    let last = self.begun.last().filter(|last| last.phase == at.phase);
                    assert!(last.is_none_or(|last| last.step < at.step), "{at:?} after {last:?}");
                    self.begun.push(at);
                    let units = usize::try_from(self.dice.below(UNITS + 1)).unwrap_or(0);
                    let skipped = self.dice.one_in(5);
                    answer = Some(if skipped { Event::Skipped } else { Event::Begun(units) });
                }
                Action::Start(at, nth) => {
                    assert!(self.unit.is_none() || self.killed, "{:?} still runs", self.unit);
                    assert!(!self.started.contains(&(at, nth)), "{at:?} {nth} twice");
                    self.started.push((at, nth));
                    let started = self.start_answer();
                    (self.unit, self.killed) =
                        ((started == Event::Started).then_some((at, nth)), false);
                    answer = Some(started);
                }
                Action::Supervise(_) => {
                    self.first_time("scanner");
                    answer = Some(self.start_answer());
                }
                Action::StartCommand(_) => {
                    self.first_time("command");
                    let started = self.start_answer();
                    self.command = started == Event::Started;
                    answer = Some(started);
                }
                Action::KillUnit(signal) => {
                    assert!(self.unit.is_some(), "{signal} to nobody");
                    self.killed |= signal == Signal::SIGKILL;
                }
                Action::Report(at, nth, _) => {
                    assert_eq!(at.phase, Phase::Boot, "{at:?}");
                    assert!(!self.reported.contains(&(at, nth)), "{at:?} {nth} reported twice");
                    self.reported.push((at, nth));
                }
                Action::BringDown => self.first_time("bring-down"),
                Action::WriteExitFile(_) => self.first_time("exit file"),
                Action::PrintBanner => {
                    self.first_time("banner");
                    self.stays_up = true;
                    // A CMD that runs already may end later.
                    self.once.retain(|what| *what != "exit file");
                }
                Action::ReadExitFile => {
                    self.file = self.dice.one_in(4).then_some(77);
                    answer = Some(Event::ExitFile(self.file));
                }
                Action::Exit(code) => self.exit = Some(code),
                Action::Print(..) | Action::TerminateAll | Action::KillAll => {}
            }
        }
        answer
    }

    /// Something that may happen by itself; `false`: nothing can.
    fn happens(&mut self) -> bool {
        let dies = !(self.killed && self.immortals) && self.dice.one_in(2);
        if let Some((at, _)) = self.unit.filter(|_| dies) {
            self.unit = None;
            if self.machine.current() == Some(at) {
                let code = self.dice.code();
                self.tell(Event::UnitEnded(code));
            }
            return true;
        }
        if self.command && self.dice.one_in(6) {
            self.command_ends();
            return true;
        }
        if self.machine.awaits().is_some() && self.dice.one_in(3) {
            self.tell(Event::Came);
            return true;
        }
        false
    }

    fn command_ends(&mut self) {
        self.command = false;
        let status = if self.dice.one_in(3) {
            WaitStatus::killed(Signal::SIGTERM)
        } else {
            WaitStatus::exited(u8::try_from(self.dice.below(256)).unwrap_or(0))
        };
        if self.asked && matches!(status.ending(), Ending::Exited(_)) {
            self.own = Some(self.exit_of(status));
        }
        self.tell(Event::CommandEnded(status));
    }

    /// An event that nothing in the world explains: twice, too late, from nowhere.
    fn stray(&mut self) {
        let event = match self.dice.below(8) {
            0 => Event::Skipped,
            1 => Event::Begun(2),
            2 => Event::Started,
            3 => Event::ExitFile(Some(5)),
            4 if self.machine.current().is_none() => Event::UnitEnded(7),
            5 if self.machine.current().is_none() => Event::Refused(7),
            6 if self.machine.awaits().is_none() => Event::Came,
            7 if !self.command => Event::CommandEnded(WaitStatus::exited(9)),
            _ => Event::Timeout,
        };
        let due = self.machine.deadline().is_some_and(|due| due <= self.now());
        if event == Event::Timeout && due {
            return;
        }
        let actions = self.machine.step(self.now(), event);
        assert_eq!(actions, [], "{event:?} came from nowhere");
    }

    /// Lets time pass to the next deadline; `false`: there is none.
    fn waits(&mut self) -> bool {
        let Some(deadline) = self.machine.deadline() else { return false };
        self.clock = self.clock.max(deadline.since(Monotonic::from_start(Duration::ZERO)));
        self.tell(Event::Timeout);
        true
    }

    fn ask(&mut self) {
        let event = match self.dice.below(8) {
            0 => Event::KillNow,
            1 => Event::StopNow,
            _ => Event::Stop,
        };
        self.tell(event);
    }

    /// Lives to the end.
    fn live(&mut self) {
        let first = self.machine.begin(self.now());
        if let Some(answer) = self.perform(first) {
            self.notice_cause(Event::Came);
            self.tell(answer);
        }
        let asked_at = self.dice.below(40);
        let mut step = 0;
        while self.exit.is_none() {
            step += 1;
            assert!(step < STEPS, "it goes on for ever");
            if step == asked_at || step > 60 && self.cause.is_none() {
                self.ask();
            }
            match self.dice.below(6) {
                _ if self.exit.is_some() => {}
                0 => self.stray(),
                1 if self.cause.is_some() => self.ask(),
                2 | 3 => drop(self.happens()),
                _ => {
                    let stuck = !self.waits();
                    let lost = self.unit.is_none() || (self.killed && self.immortals);
                    let alone = lost && self.machine.awaits().is_none();
                    assert!(!(stuck && alone && self.cause.is_some()), "nothing can end this stop");
                }
            }
        }
    }

    /// The longest that a stop may take; `None`: as long as something without limit does.
    fn budget(&self) -> Option<Duration> {
        if let Some(limit) = self.settings.stop_limit {
            return Some(limit + killing());
        }
        let mut all = self.settings.abort_grace + AFTER_KILL * 2 + killing();
        for rule in &self.settings.stop {
            all += match rule.kind {
                Kind::Units { limit, .. } => (limit? + AFTER_KILL) * u32::try_from(UNITS).ok()?,
                Kind::BringDown(limit) | Kind::AwaitDown(limit) => limit?,
                Kind::Terminate(limit) => limit,
                Kind::Kill => killing(),
                Kind::Supervise | Kind::Command | Kind::Say => Duration::ZERO,
            };
        }
        Some(all)
    }

    fn judge(&self) {
        let exit = self.exit.expect("it ended");
        let (codes, since) = self.cause.as_ref().expect("it had a reason to end");
        let of_cause = self.own.map_or_else(|| codes.clone(), |own| vec![own]);
        match self.file {
            Some(file) => assert_eq!(exit, file),
            None => assert!(of_cause.contains(&exit), "{exit} is not one of {of_cause:?}"),
        }
        if let Some(budget) = self.budget() {
            let took = self.clock.saturating_sub(*since);
            assert!(took <= budget, "{took:?} is more than {budget:?}");
        }
    }
}

#[test]
fn any_history_ends_as_the_plan_says() {
    // Known to the compiler: machines have no environment.
    let wanted = option_env!("S6X_HISTORIES").and_then(|count| count.parse().ok());
    for seed in 0..wanted.unwrap_or(50_000_u64) {
        let run = std::panic::catch_unwind(|| {
            let mut history = History::new(seed);
            history.live();
            history.judge();
        });
        assert!(run.is_ok(), "history {seed}");
    }
}
