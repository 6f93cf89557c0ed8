//! The plans that `s6x.overlay` makes are plans to us: its tests keep these files up to date.

use s6x_core::wire::plan::{Kind, Meaning, Number, decode};
use s6x_core::wire::signal::Signal;

const V1: &[u8] = include_bytes!("../../../tests/overlay/snapshots/empty-v1.plan");
const V2: &[u8] = include_bytes!("../../../tests/overlay/snapshots/empty-v2.plan");

fn meaning_of(plan: &[u8], name: &str) -> Option<Meaning> {
    let plan = decode(plan).expect("a plan of our own");
    let signal = Signal::parse(name).expect("a signal");
    plan.signals.iter().find(|(its, _)| *its == signal).map(|(_, meaning)| *meaning)
}

#[test]
fn both_generations_are_read() {
    for (bytes, generation) in [(V1, "v1"), (V2, "v2")] {
        let plan = decode(bytes).expect("a plan of our own");
        assert_eq!(plan.generation, generation.as_bytes());
        assert_eq!(plan.boot.last().map(|step| &step.kind), Some(&Kind::Command));
        assert_eq!(
            plan.stop.first().map(|step| step.name.as_slice()),
            Some(&b"bring services down"[..])
        );
        assert_eq!(
            plan.failure.level,
            Number::Variable {
                name: b"S6_BEHAVIOUR_IF_STAGE2_FAILS".to_vec(),
                default: 0,
                max: None
            }
        );
    }
}

#[test]
fn hup_stops_v1_and_not_v2() {
    assert_eq!(meaning_of(V1, "SIGHUP"), Some(Meaning::Stop));
    assert_eq!(meaning_of(V2, "SIGHUP"), Some(Meaning::RescanAndPrune));
    assert_eq!(meaning_of(V2, "SIGTERM"), Some(Meaning::Stop));
    assert_eq!(meaning_of(V2, "SIGUSR1"), None);
}
