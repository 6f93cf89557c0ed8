//! execline scripts as text.

use crate::error::Result;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use s6x_core::execline::script::parse;
use std::os::unix::ffi::OsStrExt;

/// The words of a script, each with the line and the column where it begins.
#[pyfunction]
pub(crate) fn read_script<'py>(
    py: Python<'py>,
    script: &[u8],
) -> Result<Vec<(Bound<'py, PyBytes>, u32, u32)>> {
    let script = parse(script)?;
    let words = script.words.iter().map(|word| PyBytes::new(py, word.as_bytes()));
    let places = script.places.iter();
    Ok(words.zip(places).map(|(word, place)| (word, place.line, place.column)).collect())
}
