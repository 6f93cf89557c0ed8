//! Rules about owners and modes as text.

use pyo3::prelude::*;
use s6x_core::model::ownership::owned_rules;
use s6x_core::sys::user::Accounts;

/// What is wrong with rules, each with the number of its line.
#[pyfunction]
pub(crate) fn rule_faults(rules: &[u8], passwd: &[u8], group: &[u8]) -> Vec<(usize, String)> {
    let accounts = Accounts::new(&String::from_utf8_lossy(passwd), &String::from_utf8_lossy(group));
    owned_rules(rules, &accounts)
        .filter_map(|rule| rule.err().map(|bad| (bad.line, bad.why)))
        .collect()
}
