//! The execline language as text (contract execline §1, §2): from a script's bytes to words, blocks
//! among words, and substitution in them. Pure; commands live in s6x-multicall.

pub mod quote;
