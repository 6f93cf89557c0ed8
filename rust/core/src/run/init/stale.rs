//! Is a plan that was made earlier still right for this image?

use super::facts::{Affairs, hold};
use crate::error::{Errno, shown};
use crate::sys::dir::{self, Dir, Open};
use crate::sys::fd;
use crate::wire::plan::text::Facts;
use crate::wire::plan::{Fingerprint, Plan};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Why a plan is stale, as half a sentence; `None`: it is not. A link on the way is followed; what is
/// neither file nor directory counts as absent.
pub fn staleness(plan: &Plan, facts: &Facts) -> Option<String> {
    if !hold(&plan.valid_when, facts, Affairs::default()) {
        return Some("another generation of s6-overlay is asked for".to_owned());
    }
    let changed = plan.inputs.iter().find(|input| {
        let path = Path::new(OsStr::from_bytes(&input.path));
        match (fingerprint(path, input.fingerprint), input.fingerprint) {
            (Ok(Fingerprint::Absent), Fingerprint::There) => true,
            (Ok(_), Fingerprint::There) => false,
            (Ok(found), expected) => found != expected,
            (Err(_), _) => true,
        }
    });
    let path = &changed?.path;
    Some(format!("{} has changed since it was made", shown(Path::new(OsStr::from_bytes(path)))))
}

/// What is at this path now. Content is read only where the plan has a hash to compare with.
fn fingerprint(path: &Path, expected: Fingerprint) -> Result<Fingerprint, Errno> {
    let found = match Dir::open("/").and_then(|root| root.stat(path)) {
        Ok(found) => found,
        Err(Errno(libc::ENOENT | libc::ENOTDIR)) => return Ok(Fingerprint::Absent),
        Err(errno) => return Err(errno),
    };
    if !found.is_dir() && !found.is_file() {
        return Ok(Fingerprint::Absent);
    }
    match expected {
        Fingerprint::Absent | Fingerprint::There => return Ok(Fingerprint::There),
        Fingerprint::Directory(_) | Fingerprint::File(_) => {}
    }
    let mut hash = Hash::new();
    if found.is_dir() {
        for name in Dir::open(path)?.sorted_names()? {
            hash.add(name.as_bytes());
            hash.add(&[0]);
        }
        return Ok(Fingerprint::Directory(hash.0));
    }
    let file = dir::open(path, Open::ReadNow)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match fd::read(&file, &mut buffer)? {
            0 => return Ok(Fingerprint::File(hash.0)),
            got => hash.add(buffer.get(..got).unwrap_or(&[])),
        }
    }
}

/// FNV-1a, 64 bits.
struct Hash(u64);

impl Hash {
    fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::fs;

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Hash::new();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn files_directories_and_absence_are_told_apart() {
        let top = std::env::temp_dir().join(format!("s6x-stale-{}", process::own_pid()));
        fs::create_dir_all(&top).expect("the temporary directory is writable");
        let look = |name: &str, expected| fingerprint(&top.join(name), expected);
        let (file, directory) = (Fingerprint::File(0), Fingerprint::Directory(0));
        assert_eq!(look("a", file), Ok(Fingerprint::Absent));
        fs::write(top.join("a"), "foobar").expect("writable");
        assert_eq!(look("a", file), Ok(Fingerprint::File(0x8594_4171_f739_67e8)));
        assert_eq!(look("a", Fingerprint::Absent), Ok(Fingerprint::There));
        assert_eq!(look("a/b", file), Ok(Fingerprint::Absent));
        let before = look("", directory);
        fs::write(top.join("b"), "").expect("writable");
        assert_ne!(look("", directory), before);
        fs::remove_dir_all(top).expect("ours");
    }
}
