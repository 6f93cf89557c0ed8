//! Holders of descriptors and their clients (contract s6 §1.7).

pub mod client;
mod connection;
mod rights;
pub mod server;
