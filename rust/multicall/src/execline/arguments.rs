//! What `$#`, `$0`, `$@` and `$1` stand for (contract execline §1.7).

use crate::{Failure, Invocation};
use s6x_core::execline::strict::Strictness;
use s6x_core::execline::substitution::Keys;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The keys of positional parameters and their values.
#[derive(Debug)]
pub(super) struct Arguments {
    count: [OsString; 1],
    zero: [OsString; 1],
    args: Vec<OsString>,
    /// Of those that are announced, the missing ones are empty.
    least: u32,
    /// How many of them `$@` leaves out.
    skipped: u32,
    /// What a missing one is.
    missing: [OsString; 1],
}

impl Arguments {
    /// Those of a script: its name, and what it was given.
    pub(super) fn new(zero: OsString, args: Vec<OsString>, least: u32) -> Arguments {
        let (count, missing) = ([args.len().to_string().into()], [OsString::new()]);
        Arguments { count, zero: [zero], args, least, skipped: 0, missing }
    }

    /// The same, but `$@` is only what comes behind the first ones.
    pub(super) fn skipping(self, skipped: u32) -> Arguments {
        Arguments { skipped, ..self }
    }
}

/// Says how many arguments are missing, or fails, if that is minded.
pub(super) fn enough(
    call: &Invocation,
    given: u32,
    least: u32,
    strictness: Strictness,
    expecting: &str,
) -> Result<(), Failure> {
    if given < least {
        let what = format!("too few arguments: {expecting} at least {least} but got {given}");
        match strictness {
            Strictness::Silent => {}
            Strictness::Warns => call.warning(what),
            Strictness::Fails => return Err(Failure::new(100, what)),
        }
    }
    Ok(())
}

impl Keys for Arguments {
    fn values(&self, key: &OsStr) -> Option<&[OsString]> {
        match key.as_bytes() {
            b"#" => Some(&self.count),
            b"0" => Some(&self.zero),
            b"@" => Some(self.args.get(self.skipped as usize..).unwrap_or(&[])),
            [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
                let nth: u32 = key.to_str()?.parse().ok()?;
                let index = nth as usize - 1;
                match self.args.get(index..=index) {
                    Some(given) => Some(given),
                    None => (nth <= self.least).then_some(&self.missing),
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_keys_there_are() {
        let arguments = Arguments::new("s".into(), vec!["a".into(), "b".into()], 3).skipping(1);
        let all: [(&str, Option<&[&str]>); 9] = [
            ("#", Some(&["2"])),
            ("0", Some(&["s"])),
            ("@", Some(&["b"])),
            ("1", Some(&["a"])),
            ("3", Some(&[""])),
            ("4", None),
            ("01", None),
            ("1x", None),
            ("", None),
        ];
        for (key, values) in all {
            let values: Option<Vec<OsString>> =
                values.map(|values| values.iter().map(OsString::from).collect());
            assert_eq!(arguments.values(OsStr::new(key)), values.as_deref(), "{key}");
        }
        let few = Arguments::new("s".into(), vec!["a".into()], 3).skipping(3);
        assert_eq!(few.values(OsStr::new("@")), Some([].as_slice()));
    }
}
