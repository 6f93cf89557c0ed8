//! Following an automaton through a text, in all its states at once.

use super::program::{Direction, Program, Side, State};
use std::mem;
use std::ops::Range;

/// The states that take a byte next, each with the place where its match began. A state is in it once:
/// with the first begin, and begins only grow.
#[derive(Default)]
struct States {
    list: Vec<(u32, usize)>,
    /// For each state, in which round it was entered last.
    entered: Vec<u32>,
    round: u32,
}

/// All that go through a text.
struct Threads<'a> {
    program: &'a Program,
    text: &'a [u8],
    direction: Direction,
    current: States,
    next: States,
    stack: Vec<u32>,
    /// The earliest begin of what matches up to this place.
    matched: Option<usize>,
}

impl States {
    fn new(count: usize) -> States {
        States { list: Vec::new(), entered: vec![0; count], round: 1 }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.entered.fill(0);
            self.round = 1;
        }
    }
}

impl<'a> Threads<'a> {
    fn new(program: &'a Program, text: &'a [u8], direction: Direction) -> Threads<'a> {
        let count = program.states.len();
        let (current, next) = (States::new(count), States::new(count));
        Threads { program, text, direction, current, next, stack: Vec::new(), matched: None }
    }

    /// Begins a match at a place, behind those that began before.
    fn begin(&mut self, at: usize) {
        let mut current = mem::take(&mut self.current);
        self.enter(&mut current, self.program.start, at, at);
        self.current = current;
    }

    fn enter(&mut self, states: &mut States, state: u32, begin: usize, at: usize) {
        let before = at.checked_sub(1).and_then(|before| self.text.get(before));
        let sides = (Side::of(before), Side::of(self.text.get(at)));
        let States { list, entered, round } = states;
        let is_new = |number: u32| {
            let Some(last) = entered.get_mut(number as usize) else { return false };
            let is_new = *last != *round;
            *last = *round;
            is_new
        };
        let matched = &mut self.matched;
        self.program.enter(state, sides, &mut self.stack, is_new, |number, state| {
            if state == State::Match {
                *matched = Some(matched.map_or(begin, |known| known.min(begin)));
            } else {
                list.push((number, begin));
            }
        });
    }

    /// Takes the byte at a place (backward: the one before it) and goes to the next place.
    fn step(&mut self, at: usize) {
        self.matched = None;
        let (taken, to) = match self.direction {
            Direction::Forward => (at, at + 1),
            Direction::Backward => (at.saturating_sub(1), at.saturating_sub(1)),
        };
        let mut next = mem::take(&mut self.next);
        next.clear();
        let byte = self.text.get(taken).copied();
        let current = mem::take(&mut self.current);
        for &(number, begin) in &current.list {
            let (state, following) = self.program.state(number);
            if byte.is_some_and(|byte| self.program.takes(state, byte)) {
                self.enter(&mut next, following, begin, to);
            }
        }
        self.next = current;
        self.current = next;
    }
}

/// Whether the program matches somewhere.
pub(super) fn is_match(program: &Program, text: &[u8]) -> bool {
    let mut threads = Threads::new(program, text, Direction::Forward);
    for at in 0..=text.len() {
        threads.begin(at);
        if threads.matched.is_some() {
            return true;
        }
        threads.step(at);
        if threads.matched.is_some() {
            return true;
        }
    }
    false
}

/// Where it matches first, and there as far as it can.
pub(super) fn find(program: &Program, text: &[u8]) -> Option<Range<usize>> {
    let mut threads = Threads::new(program, text, Direction::Forward);
    let mut best: Option<Range<usize>> = None;
    for at in 0..=text.len() {
        if best.is_none() {
            threads.begin(at);
        }
        if let Some(begin) = threads.matched {
            if best.as_ref().is_none_or(|best| begin <= best.start) {
                best = Some(begin..at);
            }
            threads.current.list.retain(|&(_, its)| its <= begin);
        }
        if threads.current.list.is_empty() && best.is_some() {
            break;
        }
        threads.step(at);
    }
    best
}

/// All places up to which something matches that began, in the direction, at one of `begins`. Places are
/// looked at within `range` alone, but what surrounds it is seen.
pub(super) fn ends(
    program: &Program,
    text: &[u8],
    range: &Range<usize>,
    direction: Direction,
    begins: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let mut threads = Threads::new(program, text, direction);
    let mut found = vec![false; range.end - range.start + 1];
    for nth in 0..found.len() {
        let at = match direction {
            Direction::Forward => range.start + nth,
            Direction::Backward => range.end - nth,
        };
        if begins(at) {
            threads.begin(at);
        }
        if let Some(found) = found.get_mut(at - range.start) {
            *found = threads.matched.is_some();
        }
        threads.step(at);
    }
    found
}
