//! Points in time for deadlines. They cannot be mixed with the wall clock's ([`super::tai64`]).

use std::ops::Add;
use std::time::Duration;

/// A point on the monotonic clock; only differences mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// The point that lies this long after the clock's own start.
    pub const fn from_start(elapsed: Duration) -> Monotonic {
        Monotonic(elapsed)
    }

    /// How long it is from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Monotonic) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Monotonic {
    type Output = Monotonic;

    fn add(self, delay: Duration) -> Monotonic {
        Monotonic(self.0.saturating_add(delay))
    }
}
