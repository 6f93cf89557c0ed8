//! An environment as a value: a list of `NAME=value`, kept in its order.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where programs are looked for when there is no `PATH` (contract execline §0.2).
pub const DEFAULT_PATH: &str = "/command:/usr/bin:/bin";

/// A process environment. Entries that are no `NAME=value` are kept and passed on, as the
/// originals do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<OsString>);

impl Environment {
    /// From `NAME=value` entries.
    pub fn new(entries: impl IntoIterator<Item = OsString>) -> Environment {
        Environment(entries.into_iter().collect())
    }

    /// The value of a variable; the first one counts, as in C.
    pub fn lookup(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref().as_bytes();
        self.0.iter().find_map(|entry| value_of(entry, name))
    }

    /// The value of a variable that is set and not empty.
    pub fn filled(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.lookup(name).filter(|value| !value.is_empty())
    }

    /// Sets a variable: in its old place if it was there, else at the end.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        let name = name.as_ref();
        let mut entry = name.to_owned();
        entry.push("=");
        entry.push(value);
        match self.0.iter().position(|old| value_of(old, name.as_bytes()).is_some()) {
            Some(place) => {
                let tail = self.0.split_off(place);
                self.0.push(entry);
                let others = tail.into_iter().skip(1);
                self.0.extend(others.filter(|old| value_of(old, name.as_bytes()).is_none()));
            }
            None => self.0.push(entry),
        }
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: impl AsRef<OsStr>) {
        self.0.retain(|entry| value_of(entry, name.as_ref().as_bytes()).is_none());
    }

    /// Sets a variable as execline does: the first entry of this name, where it is, else one at the end.
    /// Others of the same name stay (contract execline §0.8).
    pub fn put(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        let name = name.as_ref();
        let mut entry = name.to_owned();
        entry.push("=");
        entry.push(value);
        match self.0.iter_mut().find(|old| value_of(old, name.as_bytes()).is_some()) {
            Some(place) => *place = entry,
            None => self.0.push(entry),
        }
    }

    /// Sets many variables at once as [`Environment::put`] would, the last of a name counting.
    pub fn put_all(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) {
        // Not collected: that sorts first, by code that is made anew for every kind of iterator.
        let mut wanted = BTreeMap::new();
        wanted.extend(variables);
        self.put_each(wanted);
    }

    fn put_each(&mut self, mut wanted: BTreeMap<OsString, OsString>) {
        let joined = |name: &OsStr, value: &OsStr| {
            OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
        };
        for entry in &mut self.0 {
            let name = entry.as_bytes().split(|&byte| byte == b'=').next().unwrap_or(&[]);
            let name = OsStr::from_bytes(name);
            if name.len() < entry.len()
                && let Some((name, value)) = wanted.remove_entry(name)
            {
                *entry = joined(&name, &value);
            }
        }
        self.0.extend(wanted.iter().map(|(name, value)| joined(name, value)));
    }

    /// Removes a variable as execline does: the first entry of this name.
    pub fn take(&mut self, name: impl AsRef<OsStr>) {
        let name = name.as_ref().as_bytes();
        let first = self.0.iter().position(|entry| value_of(entry, name).is_some());
        if let Some(place) = first {
            self.0.remove(place);
        }
    }

    /// Removes many variables at once as [`Environment::take`] would.
    pub fn take_all(&mut self, names: impl IntoIterator<Item = OsString>) {
        let mut wanted = BTreeSet::new();
        wanted.extend(names);
        self.0.retain(|entry| {
            let name = entry.as_bytes().split(|&byte| byte == b'=').next().unwrap_or(&[]);
            let name = OsStr::from_bytes(name);
            name.len() == entry.len() || !wanted.remove(name)
        });
    }

    /// The entries, `NAME=value` each.
    pub fn entries(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(OsString::as_os_str)
    }

    /// The variables, name and value.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().filter_map(|entry| {
            let bytes = entry.as_bytes();
            let equals = bytes.iter().position(|&byte| byte == b'=')?;
            let (name, value) = (bytes.get(..equals)?, bytes.get(equals + 1..)?);
            Some((OsStr::from_bytes(name), OsStr::from_bytes(value)))
        })
    }

    /// For exec. An entry with a NUL inside, which no process can have got, is left out.
    pub fn to_c(&self) -> Vec<CString> {
        self.0.iter().filter_map(|entry| CString::new(entry.as_bytes()).ok()).collect()
    }

    /// The paths to try for a program called by this name: itself if it has a slash, else below
    /// each part of `PATH` that is not empty (contract execline §0.2). Empty if `PATH` is.
    pub fn candidates(&self, program: &OsStr) -> Vec<CString> {
        let program = program.as_bytes();
        if program.contains(&b'/') {
            return CString::new(program).into_iter().collect();
        }
        let path = self.lookup("PATH").unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
        let parts = path.split(|&byte| byte == b':').filter(|part| !part.is_empty());
        parts.filter_map(|part| CString::new([part, b"/", program].concat()).ok()).collect()
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Environment {
        let joined = |(name, value): (OsString, OsString)| {
            OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
        };
        Environment(variables.into_iter().map(joined).collect())
    }
}

fn value_of<'a>(entry: &'a OsStr, name: &[u8]) -> Option<&'a OsStr> {
    entry.as_bytes().strip_prefix(name)?.strip_prefix(b"=").map(OsStr::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Environment {
        Environment::new(["A=1", "odd", "PATH=/x::/y", "A=2", "B="].map(OsString::from))
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let environment = sample();
        assert_eq!(environment.lookup("A"), Some(OsStr::new("1")));
        assert_eq!(environment.lookup("B"), Some(OsStr::new("")));
        assert_eq!(environment.lookup("odd"), None);
    }

    #[test]
    fn setting_leaves_one_in_the_old_place() {
        let mut environment = sample();
        environment.set("A", "3");
        environment.set("C", "4");
        environment.unset("B");
        let entries: Vec<&OsStr> = environment.entries().collect();
        assert_eq!(entries, ["A=3", "odd", "PATH=/x::/y", "C=4"]);
    }

    #[test]
    fn execline_touches_the_first_of_a_name() {
        let mut environment = sample();
        environment.put("A", "3");
        environment.put("C", "4");
        let entries: Vec<&OsStr> = environment.entries().collect();
        assert_eq!(entries, ["A=3", "odd", "PATH=/x::/y", "A=2", "B=", "C=4"]);
        let more = [("B", "5"), ("D", "6")].map(|(name, value)| (name.into(), value.into()));
        environment.put_all(more);
        let entries: Vec<&OsStr> = environment.entries().collect();
        assert_eq!(entries, ["A=3", "odd", "PATH=/x::/y", "A=2", "B=5", "C=4", "D=6"]);
        environment.take("A");
        environment.take("none");
        assert_eq!(environment.lookup("A"), Some(OsStr::new("2")));
        environment.take_all(["A", "odd", "none", "D"].map(OsString::from));
        let entries: Vec<&OsStr> = environment.entries().collect();
        assert_eq!(entries, ["odd", "PATH=/x::/y", "B=5", "C=4"]);
    }

    #[test]
    fn programs_are_looked_for_along_path() {
        let mut environment = sample();
        assert_eq!(
            environment.candidates(OsStr::new("ls")),
            vec![c"/x/ls".to_owned(), c"/y/ls".to_owned()]
        );
        assert_eq!(environment.candidates(OsStr::new("./ls")), vec![c"./ls".to_owned()]);
        environment.set("PATH", "");
        assert!(environment.candidates(OsStr::new("ls")).is_empty());
        environment.unset("PATH");
        assert_eq!(environment.candidates(OsStr::new("ls")).len(), 3);
    }
}
