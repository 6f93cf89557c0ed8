//! The programs around supervised services (contract s6 §1.1 to §1.3).

pub mod daemons;
pub mod svok;
