//! Servers and clients on Unix sockets, who may use them, and programs run with somebody else's
//! rights (contract s6 §1.8, §1.9).

pub mod socketbinder;
