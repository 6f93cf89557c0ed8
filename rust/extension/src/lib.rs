//! `s6x._core`: the core for Python; conversions and nothing else.
use pyo3::prelude::*;

/// The core of s6x.
#[pymodule]
fn _core(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
