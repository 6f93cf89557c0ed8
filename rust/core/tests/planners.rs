//! A planner that hangs: it is killed when its time is over, and so is what it started. Alone in its process,
//! and in its only thread, as it reaps every child there is and takes all signals.

use s6x_core::run::init::{Planner, Unplanned, first_facts, watch_signals};
use s6x_core::sys::{clock, wait};
use s6x_core::wire::environment::Environment;
use std::ffi::CString;
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(300);

fn main() {
    let word = |text: &str| CString::new(text).expect("no NUL");
    let script = "trap '' TERM; (sleep 1000 &); sleep 1000 & while :; do sleep 1000; done";
    let planner = Planner {
        interpreters: vec![word("/no/such/python3"), word("/bin/sh")],
        words: vec![word("-c"), word(script)],
        probe: vec![word("-c"), word("exit 0")],
        environment: first_facts(Environment::default()).env,
        limit: LIMIT,
    };
    let signals = watch_signals().expect("they can be watched");
    let began = clock::monotonic();
    let none = planner.plan(&signals).expect_err("it makes no plan");
    let took = clock::monotonic().since(began);
    assert_eq!(none, Unplanned::TimedOut(LIMIT));
    assert_eq!(none.exit_code(), 111);
    assert_eq!(none.to_string(), "the planner was killed because it took more than 300ms");
    assert!(took >= LIMIT && took < LIMIT + Duration::from_secs(5), "{took:?}");
    assert!(!wait::has_children(), "nothing that it started is left");
}
