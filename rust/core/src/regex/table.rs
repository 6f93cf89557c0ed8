//! Following an automaton by what was found out before: a table of sets of states, filled as it is needed.

use super::parse::{Assertion, Tree};
use super::program::{Program, Side, State};
use super::{Dialect, Mistake, threads};
use crate::sys::search;
use std::collections::BTreeMap;

/// The table has so many entries at most, of two bytes; when it is full, it begins anew.
const MOST_ENTRIES: usize = 1 << 14;
/// All sets of states together have so many members at most.
const MOST_MEMBERS: usize = 1 << 13;
/// A table that serves fewer bytes than this for each of its rows until it is full does not pay.
const LEAST_SERVED: usize = 8;

/// No text matches that goes on here.
const NEVER: u16 = u16::MAX;
/// It matches, whatever follows.
const MATCHES: u16 = u16::MAX - 1;
/// Not found out yet.
const UNKNOWN: u16 = u16::MAX - 2;

/// An expression for many texts. It takes some memory, of which there is a most.
#[derive(Debug)]
pub struct Matcher {
    program: Program,
    /// Bytes of which no state tells one from the other have the same number.
    classes: Box<[u8; 256]>,
    /// A byte of each class.
    samples: Vec<u8>,
    /// Whether it matters what a word is.
    knows_words: bool,
    /// Whether a match can only begin where the text does.
    anchored: bool,
    /// What it says if that is simply these bytes.
    literal: Option<Vec<u8>>,
    /// The bytes that may begin a match; where nothing has begun, all others are passed over.
    begins: Option<Box<[bool; 256]>>,
    table: Table,
    /// The table did not pay.
    gave_up: bool,
}

/// A set of states that has been reached, and what is before it. The states are those entered first; what
/// they lead to without a byte depends on what follows.
type Place = (Side, Box<[u32]>);

#[derive(Debug, Default)]
struct Table {
    /// For each row, what each class of bytes leads to: where a row begins. The last entry is for the
    /// text's end.
    entries: Vec<u16>,
    rows: Vec<Place>,
    /// The row where nothing has begun, if bytes are passed over there.
    idle: Option<u16>,
    known: BTreeMap<Place, u16>,
    members: usize,
    served: usize,
}

impl Matcher {
    /// Compiles an expression in one of the dialects.
    pub fn new(expression: &[u8], dialect: Dialect) -> Result<Matcher, Mistake> {
        let program = Program::of(&Tree::parse(expression, dialect)?)?;
        let knows = |state: &(State, u32)| match state.0 {
            State::Assertion(assertion) => !matches!(assertion, Assertion::Begin | Assertion::End),
            State::Byte(_) | State::Set(_) | State::Split(_) | State::Match => false,
        };
        let knows_words = program.states.iter().any(knows);
        let (classes, samples) = classes(&program, knows_words);
        let anchored = is_anchored(&program);
        let mut matcher = Matcher {
            literal: literal(&program),
            program,
            classes,
            samples,
            knows_words,
            anchored,
            begins: None,
            table: Table::default(),
            gave_up: false,
        };
        if !knows_words && !anchored {
            matcher.begins = Some(matcher.first_bytes());
        }
        Ok(matcher)
    }

    /// The bytes that may begin a match which does not begin with the text.
    fn first_bytes(&self) -> Box<[bool; 256]> {
        let nothing = (Side::Other, Box::default());
        let begins = |&byte: &u8| {
            let (matched, following) = self.follow(&nothing, Some(byte));
            matched || !following.is_empty()
        };
        let by_class: Vec<bool> = self.samples.iter().map(begins).collect();
        let mut all = Box::new([false; 256]);
        for (begins, class) in all.iter_mut().zip(self.classes.iter()) {
            *begins = by_class.get(usize::from(*class)).copied().unwrap_or(true);
        }
        all
    }

    /// Whether it matches somewhere in `text`.
    pub fn matches(&mut self, text: &[u8]) -> bool {
        if let Some(literal) = &self.literal {
            return search::bytes(literal, text).is_some();
        }
        if self.gave_up {
            return threads::is_match(&self.program, text);
        }
        if self.table.rows.is_empty() {
            self.begin_table();
        }
        self.table.served = self.table.served.saturating_add(text.len());
        let mut row = 0_u16;
        let mut rest = text.iter();
        loop {
            if let (true, Some(begins)) = (Some(row) == self.table.idle, &self.begins) {
                let passed = rest.as_slice();
                let Some(begin) = passed.iter().position(|&byte| begins[usize::from(byte)]) else {
                    break;
                };
                rest = passed.get(begin..).unwrap_or(&[]).iter();
            }
            let Some(&byte) = rest.next() else { break };
            let class = self.classes[usize::from(byte)];
            let mut next = self.entry(row, class.into());
            if next >= UNKNOWN {
                if next == UNKNOWN {
                    next = self.explore(row, Some(class));
                }
                match next {
                    MATCHES => return true,
                    NEVER => return false,
                    // There is no room for what comes next.
                    UNKNOWN => return self.matches_anew(text),
                    _ => {}
                }
            }
            row = next;
        }
        let end = self.samples.len();
        let known = self.entry(row, end);
        let known = if known == UNKNOWN { self.explore(row, None) } else { known };
        known == MATCHES
    }

    #[inline]
    fn entry(&self, row: u16, class: usize) -> u16 {
        self.table.entries.get(usize::from(row) + class).copied().unwrap_or(UNKNOWN)
    }

    fn begin_table(&mut self) {
        self.table = Table::default();
        self.row((Side::Edge, Box::default()));
        if self.begins.is_some() {
            self.table.idle = Some(self.row((Side::Other, Box::default())));
        }
    }

    /// With an empty table, or without one.
    fn matches_anew(&mut self, text: &[u8]) -> bool {
        let pays = self.table.served >= self.table.rows.len() * LEAST_SERVED;
        self.gave_up = !pays;
        self.table = Table::default();
        // This text has made it full once; it shall not do so without end.
        threads::is_match(&self.program, text)
    }

    /// Where the row of a place begins; a new one if there is none. `UNKNOWN`: there is no room.
    fn row(&mut self, place: Place) -> u16 {
        if let Some(&row) = self.table.known.get(&place) {
            return row;
        }
        let table = &mut self.table;
        let begin = table.entries.len();
        let width = self.samples.len() + 1;
        let full = begin + width > MOST_ENTRIES || table.members + place.1.len() > MOST_MEMBERS;
        if full && !table.rows.is_empty() {
            return UNKNOWN;
        }
        table.members += place.1.len();
        table.entries.resize(begin + width, UNKNOWN);
        table.rows.push(place.clone());
        table.known.insert(place, begin as u16);
        begin as u16
    }

    /// Finds out where a class of bytes, or the text's end, leads to from a row, and notes it.
    fn explore(&mut self, row: u16, class: Option<u8>) -> u16 {
        let width = self.samples.len() + 1;
        let sample = class.and_then(|class| self.samples.get(usize::from(class)).copied());
        let Some(place) = self.table.rows.get(usize::from(row) / width) else { return UNKNOWN };
        let (matched, following) = self.follow(place, sample);
        let Some(byte) = sample else {
            let found = if matched { MATCHES } else { NEVER };
            return self.note(row, width - 1, found);
        };
        let column = class.map_or(0, usize::from);
        if matched {
            return self.note(row, column, MATCHES);
        }
        if following.is_empty() && self.anchored {
            return self.note(row, column, NEVER);
        }
        let side = if self.knows_words { Side::of(Some(&byte)) } else { Side::Other };
        let next = self.row((side, following));
        self.note(row, column, next)
    }

    fn note(&mut self, row: u16, column: usize, found: u16) -> u16 {
        if let Some(entry) = self.table.entries.get_mut(usize::from(row) + column) {
            *entry = found;
        }
        found
    }

    /// Whether it matches before that byte; and if not, what is entered behind it.
    fn follow(&self, place: &Place, byte: Option<u8>) -> (bool, Box<[u32]>) {
        let (before, states) = place;
        let sides = (*before, Side::of(byte.as_ref()));
        let start = (*before == Side::Edge || !self.anchored).then_some(self.program.start);
        let mut seen = vec![false; self.program.states.len()];
        let is_new = |number: u32| {
            let place = seen.get_mut(number as usize);
            place.is_some_and(|seen| !std::mem::replace(seen, true))
        };
        let (mut is_new, mut stack) = (is_new, Vec::new());
        let (mut matched, mut following) = (false, Vec::new());
        for &number in states.iter().chain(&start) {
            self.program.enter(number, sides, &mut stack, &mut is_new, |number, state| {
                matched = matched || state == State::Match;
                if byte.is_some_and(|byte| self.program.takes(state, byte)) {
                    following.push(self.program.state(number).1);
                }
            });
        }
        following.sort_unstable();
        following.dedup();
        (matched, following.into_boxed_slice())
    }
}

/// The bytes that a program takes one after the other, if that is all it does.
fn literal(program: &Program) -> Option<Vec<u8>> {
    let (mut bytes, mut number) = (Vec::new(), program.start);
    loop {
        match program.state(number) {
            (State::Byte(byte), next) => {
                bytes.push(byte);
                number = next;
            }
            (State::Match, _) => return Some(bytes),
            (State::Set(_) | State::Assertion(_) | State::Split(_), _) => return None,
        }
    }
}

/// Whether nothing can begin but at the text's begin.
fn is_anchored(program: &Program) -> bool {
    let mut seen = vec![false; program.states.len()];
    let mut stack = vec![program.start];
    while let Some(number) = stack.pop() {
        let Some(seen) = seen.get_mut(number as usize) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        match program.state(number) {
            (State::Split(other), next) => stack.extend([next, other]),
            (State::Assertion(Assertion::Begin), _) => {}
            (State::Assertion(_), next) => stack.push(next),
            (State::Byte(_) | State::Set(_) | State::Match, _) => return false,
        }
    }
    true
}

/// The classes of bytes that a program tells from each other, and a byte of each.
fn classes(program: &Program, knows_words: bool) -> (Box<[u8; 256]>, Vec<u8>) {
    let mut classes = Box::new([0_u8; 256]);
    let mut count = 1_usize;
    let mut bytes = [false; 256];
    let mut sets = vec![false; program.sets().len()];
    for (state, _) in &program.states {
        match state {
            State::Byte(byte) => bytes[usize::from(*byte)] = true,
            State::Set(number) => {
                sets.get_mut(*number as usize).into_iter().for_each(|used| *used = true);
            }
            State::Assertion(_) | State::Split(_) | State::Match => {}
        }
    }
    for byte in (0..=u8::MAX).filter(|&byte| bytes[usize::from(byte)]) {
        count = split(&mut classes, count, |other| other == byte);
    }
    if knows_words {
        count = split(&mut classes, count, |byte| Side::of(Some(&byte)) == Side::Word);
    }
    for (set, _) in program.sets().iter().zip(&sets).filter(|(_, used)| **used) {
        if count == 256 {
            break;
        }
        count = split(&mut classes, count, |byte| set.contains(byte));
    }
    let sample = |class: usize| {
        (0..=u8::MAX).find(|&byte| usize::from(classes[usize::from(byte)]) == class).unwrap_or(0)
    };
    let samples = (0..count).map(sample).collect();
    (classes, samples)
}

/// Parts each class in those that are in a set and those that are not; how many classes there are then.
fn split(classes: &mut [u8; 256], count: usize, is_in: impl Fn(u8) -> bool) -> usize {
    let (mut has, mut lacks) = ([false; 256], [false; 256]);
    for byte in 0..=u8::MAX {
        let class = usize::from(classes[usize::from(byte)]);
        if is_in(byte) { has[class] = true } else { lacks[class] = true }
    }
    let mut count = count;
    let mut renamed = [None; 256];
    for class in 0..256 {
        if has[class] && lacks[class] {
            renamed[class] = Some(count as u8); // at most as many as bytes
            count += 1;
        }
    }
    for byte in 0..=u8::MAX {
        let class = &mut classes[usize::from(byte)];
        if let (true, Some(new)) = (is_in(byte), renamed[usize::from(*class)]) {
            *class = new;
        }
    }
    count
}
