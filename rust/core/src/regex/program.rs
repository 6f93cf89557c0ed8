//! An expression as an automaton: states, and where each of them leads.

use super::Mistake;
use super::bracket::{self, ByteSet};
use super::parse::{Assertion, Node, Times, Tree};

/// An automaton has so many states at most; an interval multiplies those of what it repeats.
pub(super) const MOST_STATES: usize = 40_000;

/// What a state does before its next one is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Byte(u8),
    /// Takes a byte of the set of that number.
    Set(u32),
    Assertion(Assertion),
    /// Enters this one, too.
    Split(u32),
    Match,
}

/// States by their numbers.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) states: Vec<(State, u32)>,
    pub(super) start: u32,
    sets: Vec<ByteSet>,
}

/// What is on one side of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// The text's begin or end.
    Edge,
    /// A byte of a word.
    Word,
    Other,
}

impl Side {
    pub(super) fn of(byte: Option<&u8>) -> Side {
        match byte {
            None => Side::Edge,
            Some(byte) if bracket::is_word(*byte) => Side::Word,
            Some(_) => Side::Other,
        }
    }
}

impl Assertion {
    pub(super) fn holds(self, before: Side, after: Side) -> bool {
        let begins = before != Side::Word && after == Side::Word;
        let ends = before == Side::Word && after != Side::Word;
        match self {
            Assertion::Begin => before == Side::Edge,
            Assertion::End => after == Side::Edge,
            Assertion::WordBegin => begins,
            Assertion::WordEnd => ends,
            Assertion::Boundary => begins || ends,
            Assertion::NoBoundary => !begins && !ends,
        }
    }
}

/// Which way the text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// A part of an expression: these in sequence.
pub(super) type Part<'a> = &'a [&'a Node];

impl Program {
    pub(super) fn of(tree: &Tree) -> Result<Program, Mistake> {
        Program::of_part(&[&tree.root], &tree.sets, Direction::Forward)
    }

    /// The automaton of a part, for text read in that direction.
    pub(super) fn of_part(
        part: Part<'_>,
        sets: &[ByteSet],
        direction: Direction,
    ) -> Result<Program, Mistake> {
        let mut maker = Maker { states: vec![(State::Match, 0)], work: 0, direction };
        let start = maker.sequence(part.iter().copied(), 0)?;
        Ok(Program { states: maker.states, start, sets: sets.to_vec() })
    }

    /// The same for something repeated.
    pub(super) fn of_repeated(
        node: &Node,
        times: Times,
        sets: &[ByteSet],
        direction: Direction,
    ) -> Result<Program, Mistake> {
        let mut maker = Maker { states: vec![(State::Match, 0)], work: 0, direction };
        let start = maker.repeat(node, times, 0)?;
        Ok(Program { states: maker.states, start, sets: sets.to_vec() })
    }

    pub(super) fn state(&self, number: u32) -> (State, u32) {
        self.states.get(number as usize).copied().unwrap_or((State::Match, 0))
    }

    pub(super) fn sets(&self) -> &[ByteSet] {
        &self.sets
    }

    /// Whether a state takes the byte.
    pub(super) fn takes(&self, state: State, byte: u8) -> bool {
        match state {
            State::Byte(wanted) => wanted == byte,
            State::Set(number) => {
                self.sets.get(number as usize).is_some_and(|set| set.contains(byte))
            }
            State::Assertion(_) | State::Split(_) | State::Match => false,
        }
    }

    /// The states that are entered with one, between those sides; `seen` says of each of all states
    /// whether it was entered already. What takes bytes or matches is told.
    pub(super) fn enter(
        &self,
        state: u32,
        sides: (Side, Side),
        stack: &mut Vec<u32>,
        mut is_new: impl FnMut(u32) -> bool,
        mut tell: impl FnMut(u32, State),
    ) {
        stack.push(state);
        while let Some(number) = stack.pop() {
            if !is_new(number) {
                continue;
            }
            match self.state(number) {
                (State::Split(other), next) => stack.extend([next, other]),
                (State::Assertion(assertion), next) => {
                    if assertion.holds(sides.0, sides.1) {
                        stack.push(next);
                    }
                }
                (state @ (State::Byte(_) | State::Set(_) | State::Match), _) => tell(number, state),
            }
        }
    }
}

/// Makes states from the last to the first: each is told where it leads to.
struct Maker {
    states: Vec<(State, u32)>,
    /// Parts looked at: repeating nothing makes no states, but takes time.
    work: usize,
    direction: Direction,
}

impl Maker {
    fn state(&mut self, state: State, next: u32) -> u32 {
        self.states.push((state, next));
        self.states.len() as u32 - 1
    }

    fn part(&mut self, node: &Node, next: u32) -> Result<u32, Mistake> {
        self.work += 1;
        if self.states.len().max(self.work) > MOST_STATES {
            let why = "the expression is too large: its intervals repeat too much";
            return Err(Mistake { at: 0, why });
        }
        Ok(match node {
            Node::Empty => next,
            Node::Byte(byte) => self.state(State::Byte(*byte), next),
            Node::Set(number) => self.state(State::Set(*number), next),
            Node::Assertion(assertion) => self.state(State::Assertion(*assertion), next),
            Node::Group(_, inner) => self.part(inner, next)?,
            Node::Sequence(parts) => self.sequence(parts.iter(), next)?,
            Node::Choice(branches) => {
                let mut entry = None;
                for branch in branches.iter().rev() {
                    let begin = self.part(branch, next)?;
                    entry = Some(match entry {
                        None => begin,
                        Some(other) => self.state(State::Split(other), begin),
                    });
                }
                entry.unwrap_or(next)
            }
            Node::Repeat(inner, times) => self.repeat(inner, *times, next)?,
        })
    }

    fn sequence<'n>(
        &mut self,
        mut parts: impl DoubleEndedIterator<Item = &'n Node>,
        next: u32,
    ) -> Result<u32, Mistake> {
        let direction = self.direction;
        let step = |next, part| self.part(part, next);
        match direction {
            Direction::Forward => parts.rev().try_fold(next, step),
            Direction::Backward => parts.try_fold(next, step),
        }
    }

    fn repeat(&mut self, node: &Node, times: Times, next: u32) -> Result<u32, Mistake> {
        let mut entry = next;
        if let Some(most) = times.most {
            for _ in times.least..most {
                let begin = self.part(node, entry)?;
                entry = self.state(State::Split(begin), next);
            }
        } else {
            entry = self.state(State::Match, next); // until it is known where the loop begins
            let begin = self.part(node, entry)?;
            if let Some(place) = self.states.get_mut(entry as usize) {
                place.0 = State::Split(begin);
            }
        }
        for _ in 0..times.least {
            entry = self.part(node, entry)?;
        }
        Ok(entry)
    }
}
