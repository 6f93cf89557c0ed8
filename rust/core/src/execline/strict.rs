//! `EXECLINE_STRICT`: how much a command minds what is allowed but odd (contract execline §1.5).

use crate::wire::environment::Environment;

/// The variable.
pub const VARIABLE: &str = "EXECLINE_STRICT";

/// What a command does about words in a block that are not marked as such, and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing.
    Silent,
    /// It warns, and goes on.
    Warns,
    /// It fails.
    Fails,
}

impl Strictness {
    /// As the environment says; what is no number counts as silence.
    pub fn of(environment: &Environment) -> Strictness {
        match environment.lookup(VARIABLE).and_then(|value| number(value.as_encoded_bytes())) {
            None | Some(0) => Strictness::Silent,
            Some(1) => Strictness::Warns,
            Some(_) => Strictness::Fails,
        }
    }

    /// Whether the variable is there and makes no sense.
    pub fn is_misspelt(environment: &Environment) -> bool {
        let value = environment.lookup(VARIABLE);
        value.is_some_and(|value| number(value.as_encoded_bytes()).is_none())
    }
}

/// A number of decimal digits alone, below 2³² (contract execline §0.7).
fn number(text: &[u8]) -> Option<u32> {
    if text.iter().all(u8::is_ascii_digit) { str::from_utf8(text).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn only_numbers_count() {
        for (value, strictness, misspelt) in [
            ("0", Strictness::Silent, false),
            ("1", Strictness::Warns, false),
            ("2", Strictness::Fails, false),
            ("007", Strictness::Fails, false),
            ("", Strictness::Silent, true),
            ("+1", Strictness::Silent, true),
            ("1x", Strictness::Silent, true),
            ("4294967296", Strictness::Silent, true),
        ] {
            let entry = OsString::from(format!("{VARIABLE}={value}"));
            let environment = Environment::new([entry]);
            assert_eq!(Strictness::of(&environment), strictness, "{value}");
            assert_eq!(Strictness::is_misspelt(&environment), misspelt, "{value}");
        }
        assert!(!Strictness::is_misspelt(&Environment::default()));
    }
}
