//! Who is connected to a super-server, and whether one more may be (contract s6 §1.8).
//!
//! Each connection is served by one child. The driver knows children by number; here a number is
//! whatever names a connection until it is closed.

use std::collections::BTreeMap;

/// How many connections there may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: u32,
    /// Of one user.
    pub per_user: u32,
}

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    limits: Limits,
    /// Connection → user.
    open: BTreeMap<i32, u32>,
    /// User → how many are theirs; nobody is listed with none.
    users: BTreeMap<u32, u32>,
}

impl Connections {
    /// None is open.
    pub fn new(limits: Limits) -> Connections {
        Connections { limits, open: BTreeMap::new(), users: BTreeMap::new() }
    }

    /// How many there may be.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How many there are.
    pub fn total(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    /// Whether clients must wait until a connection is closed.
    pub fn is_full(&self) -> bool {
        self.total() >= self.limits.total
    }

    /// How many are this user's.
    pub fn of(&self, user: u32) -> u32 {
        self.users.get(&user).copied().unwrap_or(0)
    }

    /// Whether this user may have one more.
    pub fn admits(&self, user: u32) -> bool {
        !self.is_full() && self.of(user) < self.limits.per_user
    }

    /// A connection is served, by that name; returns how many are this user's now.
    pub fn opened(&mut self, name: i32, user: u32) -> u32 {
        self.closed(name); // a name stands for one connection only
        self.open.insert(name, user);
        let count = self.users.entry(user).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    /// A connection is served no more; returns whose it was. `None`: it was none of ours.
    pub fn closed(&mut self, name: i32) -> Option<u32> {
        let user = self.open.remove(&name)?;
        let left = self.of(user).saturating_sub(1);
        if left == 0 {
            self.users.remove(&user);
        } else {
            self.users.insert(user, left);
        }
        Some(user)
    }

    /// What the open ones are called.
    pub fn names(&self) -> impl Iterator<Item = i32> {
        self.open.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_user_does_not_take_all() {
        let mut connections = Connections::new(Limits { total: 3, per_user: 2 });
        assert!(connections.admits(7));
        assert_eq!(connections.opened(100, 7), 1);
        assert_eq!(connections.opened(101, 7), 2);
        assert!(!connections.admits(7));
        assert!(connections.admits(8));
        assert_eq!(connections.opened(102, 8), 1);
        assert!(connections.is_full() && !connections.admits(9));
        assert_eq!(connections.closed(100), Some(7));
        assert_eq!(connections.closed(100), None);
        assert!(connections.admits(7) && connections.admits(9));
        assert_eq!((connections.of(7), connections.of(9), connections.total()), (1, 0, 2));
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_open_ones(
            events in proptest::collection::vec((any::<bool>(), 0..20_i32, 0..4_u32), 0..200),
            total in 1..10_u32, per_user in 1..10_u32,
        ) {
            let mut connections = Connections::new(Limits { total, per_user });
            let mut open: Vec<(i32, u32)> = Vec::new();
            for (opens, name, user) in events {
                if !opens {
                    let known = open.iter().position(|(its, _)| *its == name);
                    let whose = known.map(|place| open.remove(place).1);
                    prop_assert_eq!(connections.closed(name), whose);
                } else if connections.admits(user) && open.iter().all(|(its, _)| *its != name) {
                    open.push((name, user));
                    let count = connections.opened(name, user);
                    prop_assert!(count <= per_user);
                }
                prop_assert!(connections.total() <= total);
                prop_assert_eq!(connections.total() as usize, open.len());
                for user in 0..4 {
                    let theirs = open.iter().filter(|(_, its)| *its == user).count();
                    prop_assert_eq!(connections.of(user) as usize, theirs);
                }
                let mut names: Vec<i32> = open.iter().map(|(name, _)| *name).collect();
                names.sort_unstable();
                prop_assert_eq!(connections.names().collect::<Vec<_>>(), names);
            }
        }
    }
}
