//! What the groups of an expression match, when it is known what all of it matches.
//!
//! Each part gets as much as it can while what follows it can still match the rest: the part is followed
//! forward from its begin, what follows it backward from the end, and where both meet last, it ends.

use super::parse::{Node, Times, Tree};
use super::program::{Direction, Program};
use super::threads;
use std::ops::Range;

type Groups = Vec<Option<Range<usize>>>;

struct Finder<'a> {
    tree: &'a Tree,
    text: &'a [u8],
    found: Groups,
}

/// The whole, and each group.
pub(super) fn find(tree: &Tree, text: &[u8], whole: Range<usize>) -> Groups {
    let mut finder = Finder { tree, text, found: vec![None; tree.groups + 1] };
    if let Some(first) = finder.found.first_mut() {
        *first = Some(whole.clone());
    }
    if tree.groups > 0 {
        finder.assign(&tree.root, &whole);
    }
    finder.found
}

impl Finder<'_> {
    /// A part that matches this range: which groups in it match what?
    fn assign(&mut self, node: &Node, range: &Range<usize>) {
        match node {
            Node::Empty | Node::Byte(_) | Node::Set(_) | Node::Assertion(_) => {}
            Node::Group(number, inner) => {
                if let Some(place) = self.found.get_mut(*number) {
                    *place = Some(range.clone());
                }
                self.assign(inner, range);
            }
            Node::Sequence(parts) => self.assign_sequence(parts, range),
            Node::Choice(branches) => {
                let matches = |branch: &&Node| {
                    self.forward(&[branch], range).last().is_some_and(|reached| *reached)
                };
                if let Some(branch) = branches.iter().find(matches) {
                    self.assign(branch, range);
                }
            }
            Node::Repeat(inner, times) => self.assign_repeated(inner, *times, range.clone()),
        }
    }

    /// The places that a part reaches from the range's begin.
    fn forward(&self, part: &[&Node], range: &Range<usize>) -> Vec<bool> {
        let program = Program::of_part(part, &self.tree.sets, Direction::Forward);
        let Ok(program) = program else { return Vec::new() }; // smaller than the whole, which was made
        threads::ends(&program, self.text, range, Direction::Forward, |at| at == range.start)
    }

    fn assign_sequence(&mut self, parts: &[Node], range: &Range<usize>) {
        // For each part, from where those behind it match all the rest.
        let mut rests = vec![Vec::new(); parts.len()];
        let mut rest: Vec<bool> = vec![false; range.end - range.start + 1];
        if let Some(last) = rest.last_mut() {
            *last = true;
        }
        for (part, place) in parts.iter().zip(&mut rests).rev() {
            let program = Program::of_part(&[part], &self.tree.sets, Direction::Backward);
            let Ok(program) = program else { return };
            let is_rest = |at: usize| rest.get(at - range.start).is_some_and(|is| *is);
            let before = threads::ends(&program, self.text, range, Direction::Backward, is_rest);
            *place = std::mem::replace(&mut rest, before);
        }
        let mut begin = range.start;
        for (part, rest) in parts.iter().zip(&rests) {
            let reached = self.forward(&[part], &(begin..range.end));
            let rest = rest.get(begin - range.start..).unwrap_or(&[]);
            let Some(length) = last_common(&reached, rest) else { return };
            self.assign(part, &(begin..begin + length));
            begin += length;
        }
    }

    fn assign_repeated(&mut self, node: &Node, times: Times, mut range: Range<usize>) {
        let (mut least, mut most) = (times.least, times.most);
        let mut rest: Option<Vec<bool>> = None;
        let begin = range.start;
        while most != Some(0) {
            let first = range.start == begin;
            if range.is_empty() && !(first || least > 0) {
                return;
            }
            (least, most) = (least.saturating_sub(1), most.map(|most| most - 1));
            // Any number of times is any number of times, wherever it begins.
            if rest.is_none() || least > 0 || most.is_some() {
                let again = Times { least, most };
                let (sets, end) = (&self.tree.sets, range.end);
                let program = Program::of_repeated(node, again, sets, Direction::Backward);
                let Ok(program) = program else { return };
                let all = begin..end;
                let is_end = |at: usize| at == end;
                let ends = threads::ends(&program, self.text, &all, Direction::Backward, is_end);
                rest = Some(ends);
            }
            let reached = self.forward(&[node], &range);
            let from = range.start - begin;
            let rest = rest.as_ref().and_then(|rest| rest.get(from..)).unwrap_or(&[]);
            let Some(length) = last_common(&reached, rest) else { return };
            self.assign(node, &(range.start..range.start + length));
            range.start += length;
            if length == 0 {
                return;
            }
        }
    }
}

/// The last place at which both are true.
fn last_common(one: &[bool], other: &[bool]) -> Option<usize> {
    one.iter().zip(other).rposition(|(one, other)| *one && *other)
}
