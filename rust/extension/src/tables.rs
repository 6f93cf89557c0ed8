//! The core's letters and names, so that Python need not have them a second time.

use pyo3::prelude::*;
use s6x_core::model::scan_dir;
use s6x_core::wire::control::{Control, ScanControl};
use s6x_core::wire::notice::Notice;
use std::collections::BTreeMap;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let letter = |letter: u8| char::from(letter).to_string();
    let controls: BTreeMap<String, String> =
        Control::ALL.iter().map(|one| (format!("{one:?}"), letter(one.letter()))).collect();
    let scanner: BTreeMap<String, String> =
        ScanControl::ALL.iter().map(|one| (format!("{one:?}"), letter(one.letter()))).collect();
    let notices: BTreeMap<String, String> =
        Notice::ALL.iter().map(|one| (format!("{one:?}"), letter(one.letter()))).collect();
    // The letters for one process come before those for its group, and the first is kept.
    let mut signals: BTreeMap<u8, String> = BTreeMap::new();
    for control in Control::ALL {
        if let Some(signal) = control.signal() {
            signals.entry(signal.number()).or_insert_with(|| letter(control.letter()));
        }
    }
    module.add("SCANDIR_VARIABLE", scan_dir::VARIABLE)?;
    module.add("CONTROLS", controls)?;
    module.add("SCAN_CONTROLS", scanner)?;
    module.add("SIGNAL_CONTROLS", signals)?;
    module.add("NOTICES", notices)
}
