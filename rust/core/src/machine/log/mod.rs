//! The logger's decisions (contract s6 §1.10): where lines end ([`lines`]), and how a logdir is
//! written, rotated, and left ([`rotation`]). Which lines go where is data, in
//! [`crate::wire::log_script`].

pub mod lines;
pub mod rotation;
