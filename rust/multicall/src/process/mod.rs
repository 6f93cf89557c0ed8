//! Programs that change one thing about this process and become another program: environment,
//! rights, session, limits, locks (contract s6 §1.5).

pub mod applyuidgid;
pub mod envdir;
pub mod envuidgid;
pub mod fghack;
pub mod ids;
pub mod setlock;
pub mod setsid;
pub mod setuidgid;
pub mod softlimit;
