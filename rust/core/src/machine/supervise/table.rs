//! `docs/state-machine.md`, written by walking every pair of state and event.

use super::*;
use crate::wire::tai64::Tai;
use std::fmt::Write;
use std::time::Duration;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/state-machine.md");

#[test]
fn the_page_shows_the_machine() {
    let now = page();
    let old = std::fs::read_to_string(PAGE).unwrap_or_default();
    if old != now {
        std::fs::write(PAGE, &now).expect("docs/state-machine.md can be written");
        panic!("docs/state-machine.md did not show this machine; it was rewritten: look at it");
    }
}

fn page() -> String {
    let mut page = String::from(
        "# The supervise machine\n\nWritten by `machine::supervise::table`, from the machine \
         itself. Each row: an event in a state, the state after it, and what is done, in order. The \
         service is wanted up and ready, `timeout-kill` and `timeout-finish` are 5 s. *Nothing* \
         means that neither state nor world change.\n",
    );
    for state in [State::Down, State::Up, State::Finish, State::LastUp, State::LastFinish] {
        let _ = write!(page, "\n## {state:?}\n\n| event | then | actions |\n|---|---|---|\n");
        for event in events() {
            let mut machine = machine_in(state);
            let settings =
                Settings { timeout_kill: Some(Duration::from_secs(5)), ..Settings::default() };
            let actions = machine.step(now(), event, &settings);
            let shown: Vec<String> = actions.iter().map(|action| format!("`{action:?}`")).collect();
            let shown = if shown.is_empty() && machine.state() == state {
                "nothing".to_owned()
            } else {
                shown.join(", ")
            };
            let _ = writeln!(page, "| {} | {:?} | {shown} |", name(event), machine.state());
        }
    }
    page
}

fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Timeout,
        Event::Started(Program::Run),
        Event::StartFailed(Program::Run),
        Event::Started(Program::Finish),
        Event::StartFailed(Program::Finish),
        Event::Died(WaitStatus::exited(0)),
        Event::Died(WaitStatus::exited(PERMANENT_FAILURE)),
        Event::Ready,
        Event::Term,
        Event::Hup,
        Event::Quit,
        Event::Int,
    ];
    events.extend(Control::ALL.iter().map(|&control| Event::Asked(control)));
    events
}

fn name(event: Event) -> String {
    match event {
        Event::Asked(control) => format!("`{}` {control:?}", char::from(control.letter())),
        Event::Died(how) => format!("died, {:?}", how.ending()),
        Event::Timeout
        | Event::Started(_)
        | Event::StartFailed(_)
        | Event::Ready
        | Event::Term
        | Event::Hup
        | Event::Quit
        | Event::Int => format!("{event:?}"),
    }
}

fn machine_in(state: State) -> Supervisor {
    let mut machine = Supervisor::new(now(), true);
    machine.state = state;
    machine.status.paused = false;
    machine
}

fn now() -> Now {
    Now {
        monotonic: Monotonic::from_start(Duration::from_secs(100)),
        wall: Tai::from_unix(1_800_000_000, 0),
    }
}
