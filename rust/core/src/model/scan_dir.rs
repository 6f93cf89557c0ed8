//! Where the running scan directory is, and the services in it by name.

use super::runtime;
use crate::error::{Error, Result, shown};
use crate::sys::dir::Dir;
use crate::wire::environment::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variable that names the scan directory.
pub const VARIABLE: &str = "S6X_SCANDIR";

/// Where scan directories are, best first: s6-overlay v3's, then v1's and v2's.
pub const USUAL: [&str; 2] = ["/run/service", "/var/run/s6/services"];

/// Where to look for the running scan directory: `$S6X_SCANDIR` alone if it is set; else where
/// s6-overlay has it, and where our init may have put its state.
pub fn places(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let named = environment.filled(VARIABLE).map(PathBuf::from);
    let others = named.is_none().then(|| {
        let runs = runtime::places(environment).map(|run| run.join("services"));
        let more = runs.filter(|place| !USUAL.iter().any(|usual| place == Path::new(usual)));
        USUAL.iter().map(PathBuf::from).chain(more)
    });
    named.into_iter().chain(others.into_iter().flatten())
}

/// The running scan directory: the first of [`places`] that a scanner has been in.
/// `Malformed` when there is none, naming all places looked at.
pub fn running(environment: &Environment) -> Result<PathBuf> {
    let found = places(environment).find(|place| place.join(".s6-svscan").is_dir());
    found.ok_or_else(|| nothing("the running scan directory", environment))
}

/// The directory of a service given by name or by path: a path if it has a slash or is an existing
/// directory, else the entry of that name in one of [`places`]. `Malformed` when there is none,
/// naming all places looked at.
pub fn service(name: &OsStr, environment: &Environment) -> Result<PathBuf> {
    let path = Path::new(name);
    if name.as_bytes().contains(&b'/') || Dir::open(path).is_ok() {
        return Ok(path.to_owned());
    }
    let found = places(environment).map(|place| place.join(path)).find(|place| place.is_dir());
    found.ok_or_else(|| nothing(&format!("service {}", shown(path)), environment))
}

fn nothing(what: &str, environment: &Environment) -> Error {
    let places: Vec<String> = places(environment).map(|place| shown(&place)).collect();
    let how = format!("looked in {}; ${VARIABLE} can name another place", places.join(" and "));
    Error::malformed(format!("find {what}"), how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn names_are_looked_up_paths_are_not() {
        let root = std::env::temp_dir().join(format!("s6x-scandir-{}", std::process::id()));
        std::fs::create_dir_all(root.join("web/log")).expect("the temporary directory is writable");
        let environment: Environment =
            [(OsString::from(VARIABLE), root.clone().into_os_string())].into_iter().collect();
        let find = |name: &str| service(OsStr::new(name), &environment);
        assert_eq!(find("web"), Ok(root.join("web")));
        assert_eq!(find("no/such"), Ok(PathBuf::from("no/such")));
        assert_eq!(find("/no-such"), Ok(PathBuf::from("/no-such")));
        let error = find("absent").expect_err("not there").to_string();
        assert!(error.contains("service absent") && error.contains(&shown(&root)), "{error}");
        assert!(running(&environment).is_err());
        std::fs::create_dir(root.join(".s6-svscan")).expect("writable");
        assert_eq!(running(&environment), Ok(root.clone()));
        std::fs::remove_dir_all(root).expect("ours");
    }
}
