//! The descriptors that are held, by name, and in the order in which their time ends.

use crate::wire::fdholder::{Entry, Id};
use crate::wire::tai64::Tai;
use std::collections::{BTreeMap, BTreeSet};

/// What is held.
#[derive(Debug)]
pub(super) struct Store<D> {
    held: BTreeMap<Id, (Tai, D)>,
    /// Of those whose time ends in a time that anybody could wait for.
    expiries: BTreeSet<(Tai, Id)>,
}

impl<D> Default for Store<D> {
    fn default() -> Store<D> {
        Store { held: BTreeMap::new(), expiries: BTreeSet::new() }
    }
}

impl<D: Clone> Store<D> {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Their names.
    pub(super) fn ids(&self) -> impl ExactSizeIterator<Item = &Id> {
        self.held.keys()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (Entry, D)> {
        let entry = |(id, (limit, descriptor)): (&Id, &(Tai, D))| {
            (Entry { id: id.clone(), limit: *limit }, descriptor.clone())
        };
        self.held.iter().map(entry)
    }

    /// Whether there is one of this name.
    pub(super) fn has(&self, id: &Id) -> bool {
        self.held.contains_key(id)
    }

    /// The descriptor of this name.
    pub(super) fn descriptor(&self, id: &Id) -> Option<D> {
        self.held.get(id).map(|(_, descriptor)| descriptor.clone())
    }

    /// Adds one; what had the name before is gone.
    pub(super) fn put(&mut self, entry: Entry, descriptor: D, now: Tai) {
        self.remove(&entry.id);
        if !entry.limit.is_never(now) {
            self.expiries.insert((entry.limit, entry.id.clone()));
        }
        self.held.insert(entry.id, (entry.limit, descriptor));
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, id: &Id) -> Option<D> {
        let (limit, descriptor) = self.held.remove(id)?;
        self.expiries.remove(&(limit, id.clone()));
        Some(descriptor)
    }

    /// When the first one's time ends.
    pub(super) fn next_expiry(&self) -> Option<Tai> {
        self.expiries.first().map(|(limit, _)| *limit)
    }

    /// Removes those whose time has ended.
    pub(super) fn expire(&mut self, now: Tai) {
        while self.next_expiry().is_some_and(|limit| limit <= now) {
            if let Some((_, id)) = self.expiries.pop_first() {
                self.held.remove(&id);
            }
        }
    }
}
