//! Descriptors kept open for others: s6-fdholderd and its clients (contract s6 §1.7).

mod asking;

pub mod daemon;
pub mod delete;
pub mod fdholderd;
pub mod getdump;
pub mod list;
pub mod retrieve;
pub mod setdump;
pub mod store;
pub mod transferdump;
