//! Groups of like services (contract s6 §1.6): `template/` is what all of them are copies of,
//! `instances/NAME` are the copies, and `instance/` is the scan directory of links to them.

mod place;

pub mod control;
pub mod create;
pub mod delete;
pub mod list;
pub mod maker;
pub mod status;
