//! `s6x._core`: the core for Python; conversions and nothing else.
//!
//! What each item means to a Python program is written in `python/s6x/_core.pyi`.
#![allow(clippy::needless_pass_by_value, reason = "Python's arguments come as values")]

mod child;
mod directory;
mod error;
mod events;
mod rules;
mod script;
mod status;
mod tables;
mod wait;
mod watch;

/// The core of s6x.
#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::child::{Child, spawn};
    #[pymodule_export]
    use crate::directory::{
        is_scanned, is_supervised, make_events, read_status, read_tally, scandir_places, send,
        send_scanner,
    };
    #[pymodule_export]
    use crate::events::Subscription;
    #[pymodule_export]
    use crate::rules::rule_faults;
    #[pymodule_export]
    use crate::script::read_script;
    #[pymodule_export]
    use crate::status::{Death, Status, decode_status, decode_tally};
    #[pymodule_export]
    use crate::watch::Watch;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::tables::add(module)
    }
}
