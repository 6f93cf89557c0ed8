//! Where init keeps its state, for whoever wants to know afterwards.

use crate::sys::dir::{Dir, Stat, stat_path};
use crate::sys::process;
use crate::wire::environment::Environment;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variable that names the runtime directory.
pub const VARIABLE: &str = "S6X_RUN";

/// Where generations v1 and v2 have it.
const USUAL: [&str; 2] = ["/var/run/s6", "/run/s6"];
/// Where strangers can make directories: here it carries the user's id, and must be the user's.
const SHARED: [&str; 3] = ["/tmp", "/dev/shm", "/dev"];

/// Where it may be, best first: `$S6X_RUN` alone if that is set. Of the places where strangers could have
/// put something, only those are named that are our own and are there.
/// Nothing is looked at before it is asked for.
pub fn places(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let named = environment.filled(VARIABLE).map(PathBuf::from);
    let uid = process::effective_ids().0;
    let private = environment.filled("XDG_RUNTIME_DIR").map(|top| Path::new(top).join("s6x"));
    let shared = SHARED.iter().flat_map(move |top| {
        let place = Path::new(top).join(format!("s6x-{uid}"));
        beside(&place).into_iter().chain([place])
    });
    let own = private.into_iter().chain(shared).filter(move |place| owner(place) == Some(uid));
    let others = named.is_none().then(|| USUAL.iter().map(PathBuf::from).chain(own));
    named.into_iter().chain(others.into_iter().flatten())
}

/// The place of a container whose neighbour has `place` already: the containers of a pod have one
/// /dev/shm. It carries the number of the mount namespace, which is the container's own, and that of
/// whoever enters it later. `None`: only places that carry a user's id have neighbours.
pub fn beside(place: &Path) -> Option<PathBuf> {
    let name = place.file_name().filter(|name| name.as_bytes().starts_with(b"s6x-"))?;
    let (_, namespace) = stat_path("/proc/self/ns/mnt").ok()?.identity;
    let mut own = name.to_owned();
    own.push(format!("-{namespace}"));
    Some(place.with_file_name(own))
}

fn owner(path: &Path) -> Option<u32> {
    let root = Dir::open("/").ok()?;
    root.lstat(path).ok().filter(Stat::is_dir).map(|found| found.uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn places_with(name: &str, value: &Path) -> Vec<PathBuf> {
        let environment = [(OsString::from(name), value.as_os_str().to_owned())];
        places(&environment.into_iter().collect()).collect()
    }

    #[test]
    fn only_what_is_our_own_counts_where_strangers_can_write() {
        let top = std::env::temp_dir().join(format!("s6x-places-{}", std::process::id()));
        fs::create_dir_all(&top).expect("the temporary directory is writable");
        assert_eq!(places_with(VARIABLE, &top), [top.as_path()]);
        let named = |place: &Path| places_with("XDG_RUNTIME_DIR", &top).contains(&place.to_owned());
        assert!(!named(&top.join("s6x")), "it is not there");
        symlink("/", top.join("s6x")).expect("ours");
        assert!(!named(&top.join("s6x")), "a link");
        fs::remove_file(top.join("s6x")).expect("ours");
        fs::create_dir(top.join("s6x")).expect("ours");
        assert!(named(&top.join("s6x")));
        fs::remove_dir_all(top).expect("ours");
    }
}
