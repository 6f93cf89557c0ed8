//! Servers and clients on Unix sockets, who may use them, and programs run with somebody else's
//! rights (contract s6 §1.8, §1.9).

pub mod accessrules;
pub mod alias;
pub mod alias_chpst;
pub mod alias_sv;
pub mod connlimit;
pub mod ioconnect;
pub mod ipcclient;
pub mod ipcserver;
pub mod ipcserver_access;
pub mod ipcserverd;
pub mod socketbinder;
pub mod sudo;
pub mod sudoc;
pub mod sudod;
pub mod usertree_maker;
