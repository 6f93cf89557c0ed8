//! Hostile input for every parser: no panic, bounded memory, bounded work, and the laws of each.
//!
//! [`parsers::TABLE`] has a line for each parser: inputs to begin with, words of its language, and a
//! function that panics if a law is broken. Inputs are mutated from these, and whatever breaks something
//! is made shorter and shown. What was found goes into the table as another input to begin with, and
//! is tried first ever after.
//!
//! `cargo test` spends a moment on each. `make fuzz SECONDS=600 PARSER=bencode` spends longer, and
//! lets the counters of the compiler's coverage instrumentation say which inputs are worth keeping.
#![allow(unsafe_code, reason = "a counting allocator, and the compiler's counters")]

mod coverage;
mod laws;
mod memory;
mod mutation;
mod parsers;

use coverage::Coverage;
use mutation::Random;
use parsers::{Parser, TABLE};
use s6x_core::sys::clock;
use s6x_core::wire::clock::Monotonic;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

/// Counted steps that any input may cost, whatever its size.
const FREE_WORK: u64 = 200_000;
/// No input may take longer. Generous: tests share the machine.
const LONGEST: Duration = Duration::from_secs(10);
/// Inputs worth keeping beyond those given.
const MOST_KEPT: usize = 4000;

thread_local! {
    /// Where and how the law on trial was broken.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// One parser's inputs, and what they have reached.
struct Trial<'a> {
    parser: &'a Parser,
    coverage: Coverage,
    random: Random,
    kept: Vec<Vec<u8>>,
    runs: u64,
}

impl Trial<'_> {
    /// What an input breaks, if anything.
    fn broken(&mut self, input: &[u8]) -> (Option<String>, bool) {
        PANIC.set(None);
        let law = self.parser.law;
        let started = clock::monotonic();
        self.coverage.reset();
        let (bytes, outcome) =
            memory::measured(|| panic::catch_unwind(AssertUnwindSafe(|| law(input))));
        let (work, new) = self.coverage.reached();
        self.runs += 1;
        let length = input.len();
        if outcome.is_err() {
            return (Some(PANIC.take().unwrap_or_default()), new);
        }
        let most = self.parser.room + self.parser.memory * length;
        if bytes > most {
            return (Some(format!("{length} bytes cost {bytes} of memory, allowed: {most}")), new);
        }
        let most = FREE_WORK + self.parser.work * length as u64;
        if work > most {
            return (Some(format!("{length} bytes cost {work} steps, allowed: {most}")), new);
        }
        let took = clock::monotonic().since(started);
        (self.is_slow(input, took).then(|| format!("{length} bytes took {took:?}")), new)
    }

    /// Whether an input takes too long again and again: once may be the machine's fault.
    fn is_slow(&self, input: &[u8], mut took: Duration) -> bool {
        for _ in 0..3 {
            if took <= LONGEST {
                return false;
            }
            let started = clock::monotonic();
            let _ = panic::catch_unwind(|| (self.parser.law)(input));
            took = clock::monotonic().since(started);
        }
        took > LONGEST
    }

    /// Tries an input, and keeps it if it reached something new. The error shows a short input that
    /// breaks something, and what.
    fn try_one(&mut self, input: Vec<u8>) -> Result<(), String> {
        let (broken, new) = self.broken(&input);
        if let Some(how) = broken {
            let short = mutation::shrunk(input, |input| self.broken(input).0.is_some());
            let how = self.broken(&short).0.unwrap_or(how);
            return Err(format!("{}: {how}\nb\"{}\"", self.parser.name, short.escape_ascii()));
        }
        if new && self.kept.len() < MOST_KEPT {
            self.kept.push(input);
        }
        Ok(())
    }

    /// An input made from those kept.
    fn next_input(&mut self) -> Vec<u8> {
        // What came last reached something that nothing before did.
        let recent = if self.random.below(2) == 0 { 16 } else { self.kept.len() };
        let back = self.random.below(recent.min(self.kept.len()));
        let mut input = self.kept[self.kept.len() - 1 - back].clone();
        let other = self.random.below(self.kept.len());
        mutation::mutate(&mut input, &self.kept[other], self.parser.words, &mut self.random);
        input
    }
}

/// What this thread has had of a processor: a busy machine must not make a trial shorter. Where the
/// kernel does not count that, the time that has passed.
fn spent(began: Monotonic) -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| clock::monotonic().since(began), Duration::from_nanos)
}

/// Tries a parser until it has had `budget` of a processor.
fn hold(parser: &Parser, budget: Duration, seed: u64) -> Result<(), String> {
    let (coverage, random) = (Coverage::new(), Random::new(seed));
    let mut trial = Trial { parser, coverage, random, kept: Vec::new(), runs: 0 };
    let began = clock::monotonic();
    let until = spent(began) + budget;
    trial.try_one(Vec::new())?;
    for seed in parser.seeds {
        trial.try_one(seed.to_vec())?;
        trial.kept.push(seed.to_vec());
        let many = 60_000 / seed.len().max(1);
        trial.try_one(seed.repeat(many))?;
    }
    while spent(began) < until {
        for _ in 0..16 {
            let input = trial.next_input();
            trial.try_one(input)?;
        }
    }
    if trial.coverage.is_known() {
        let (kept, reached) = (trial.kept.len(), trial.coverage.breadth());
        let name = parser.name;
        let line = format!("{name}: {} inputs, {kept} kept, {reached} places\n", trial.runs);
        s6x_core::sys::fd::complain(&line);
    }
    Ok(())
}

fn number(variable: &str) -> Option<f64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_input_breaks_a_parser() {
    panic::set_hook(Box::new(|info| PANIC.set(Some(info.to_string()))));
    let budget = Duration::from_secs_f64(number("S6X_FUZZ_SECONDS").unwrap_or(0.1));
    let seed = number("S6X_FUZZ_SEED").unwrap_or(1.0) as u64;
    let wanted = std::env::var("S6X_FUZZ_PARSER").unwrap_or_default();
    let chosen: Vec<&Parser> =
        TABLE.iter().filter(|parser| parser.name.contains(&wanted)).collect();
    let broken: Vec<String> =
        chosen.iter().filter_map(|parser| hold(parser, budget, seed).err()).collect();
    let _ = panic::take_hook();
    assert!(!chosen.is_empty(), "no parser is called like {wanted:?}");
    assert!(broken.is_empty(), "\n{}", broken.join("\n\n"));
}
