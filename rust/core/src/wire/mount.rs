//! What is mounted where: options by name, and the lines of fstab, `/proc/mounts` and `/proc/swaps`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How something is mounted: the flags of mount(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u64);

impl Flags {
    /// As mount(2) wants them.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// Options of a mount: flags, and what else there is, for the file system's own code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The options that are flags.
    pub flags: Flags,
    /// The others, separated by commas.
    pub data: OsString,
}

impl Options {
    /// Adds a list of options, separated by commas; later ones win.
    pub fn add(&mut self, list: &OsStr) {
        for word in list.as_bytes().split(|&byte| byte == b',') {
            if let Some(&(_, set, cleared)) = NAMES.iter().find(|(name, ..)| *name == word) {
                self.flags.0 = self.flags.0 & !cleared | set;
            } else if !word.is_empty() {
                if !self.data.is_empty() {
                    self.data.push(",");
                }
                self.data.push(OsStr::from_bytes(word));
            }
        }
    }
}

/// A line of fstab or of `/proc/mounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The device, or what stands for it.
    pub device: OsString,
    /// The directory.
    pub place: OsString,
    /// The type of the file system.
    pub kind: OsString,
    /// Its options, separated by commas.
    pub options: OsString,
}

/// The entries of such a file. Comments, and lines with fewer than three fields, are no entries.
pub fn entries(text: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut fields = fields(line);
        let first = fields.next().filter(|field| !field.starts_with(b"#"))?;
        Some(Entry {
            device: unescaped(first),
            place: unescaped(fields.next()?),
            kind: unescaped(fields.next()?),
            options: fields.next().map(unescaped).unwrap_or_default(),
        })
    })
}

/// The devices and files in a text like `/proc/swaps`, which begins with a heading.
pub fn swaps(text: &[u8]) -> impl Iterator<Item = OsString> + '_ {
    text.split(|&byte| byte == b'\n').skip(1).filter_map(|line| fields(line).next().map(unescaped))
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty())
}

/// A field as it was before blanks, tabs, newlines and backslashes in it became `\` and three octal
/// digits.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
            bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    OsString::from_vec(bytes)
}

/// How a mount spreads to others: each excludes the other three.
const SPREAD: u64 = libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;

/// `MS_NOSYMFOLLOW`.
const NOSYMFOLLOW: u64 = 0x100;

/// `MS_LAZYTIME`.
const LAZYTIME: u64 = 1 << 25;

/// The options that are flags: what each sets and what it clears (contract execline §5.2).
const NAMES: &[(&[u8], u64, u64)] = &[
    (b"async", 0, libc::MS_SYNCHRONOUS),
    (b"atime", 0, libc::MS_NOATIME),
    (b"bind", libc::MS_BIND, 0),
    (
        b"defaults",
        0,
        libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_SYNCHRONOUS,
    ),
    (b"dev", 0, libc::MS_NODEV),
    (b"diratime", 0, libc::MS_NODIRATIME),
    (b"dirsync", libc::MS_DIRSYNC, 0),
    (b"exec", 0, libc::MS_NOEXEC),
    (b"lazytime", LAZYTIME, 0),
    (b"loud", 0, libc::MS_SILENT),
    (b"mandlock", libc::MS_MANDLOCK, 0),
    (b"move", libc::MS_MOVE, 0),
    (b"noatime", libc::MS_NOATIME, 0),
    (b"nobind", 0, libc::MS_BIND),
    (b"nodev", libc::MS_NODEV, 0),
    (b"nodiratime", libc::MS_NODIRATIME, 0),
    (b"nodirsync", 0, libc::MS_DIRSYNC),
    (b"noexec", libc::MS_NOEXEC, 0),
    (b"nolazytime", 0, LAZYTIME),
    (b"nomandlock", 0, libc::MS_MANDLOCK),
    (b"nomove", 0, libc::MS_MOVE),
    (b"norelatime", 0, libc::MS_RELATIME),
    (b"nostrictatime", 0, libc::MS_STRICTATIME),
    (b"nosuid", libc::MS_NOSUID, 0),
    (b"nosymfollow", NOSYMFOLLOW, 0),
    (b"private", libc::MS_PRIVATE, SPREAD),
    (b"relatime", libc::MS_RELATIME, 0),
    (b"remount", libc::MS_REMOUNT, 0),
    (b"ro", libc::MS_RDONLY, 0),
    (b"rw", 0, libc::MS_RDONLY),
    (b"shared", libc::MS_SHARED, SPREAD),
    (b"silent", libc::MS_SILENT, 0),
    (b"slave", libc::MS_SLAVE, SPREAD),
    (b"strictatime", libc::MS_STRICTATIME, 0),
    (b"suid", 0, libc::MS_NOSUID),
    (b"symfollow", 0, NOSYMFOLLOW),
    (b"sync", libc::MS_SYNCHRONOUS, 0),
    (b"unbindable", libc::MS_UNBINDABLE, SPREAD),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn options(lists: &[&str]) -> Options {
        let mut options = Options::default();
        for list in lists {
            options.add(OsStr::new(list));
        }
        options
    }

    #[test]
    fn later_options_win_and_unknown_ones_are_kept() {
        let got = options(&["ro", "size=1m,nosuid,rw", "mode=755,,shared,private"]);
        assert_eq!(got.flags.bits(), libc::MS_NOSUID | libc::MS_PRIVATE);
        assert_eq!(got.data, "size=1m,mode=755");
        assert_eq!(options(&["ro,noexec,nodev,defaults"]), Options::default());
        assert_eq!(options(&["rbind,rec"]).data, "rbind,rec");
    }

    #[test]
    fn names_are_sorted_and_say_something() {
        assert!(NAMES.is_sorted_by(|(a, ..), (b, ..)| a < b));
        for (name, set, cleared) in NAMES {
            assert_ne!((*set, *cleared), (0, 0), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn lines_are_entries() {
        let text = b"# a comment\n\n  /dev/a\t/mnt\\040x  ext4 ro 0 0\nshort line\nproc /proc proc";
        let got: Vec<Entry> = entries(text).collect();
        assert_eq!(got.len(), 2);
        let line = got.first().expect("two");
        assert_eq!(
            (line.place.as_os_str(), line.options.as_os_str()),
            (OsStr::new("/mnt x"), OsStr::new("ro"))
        );
        assert_eq!(got.get(1).map(|entry| entry.options.as_os_str()), Some(OsStr::new("")));
    }

    #[test]
    fn swap_space_is_listed_below_a_heading() {
        let text = b"Filename\tType\n/dev/sda2   partition 1 0 -2\n/swap\\040file file 1 0 -3\n";
        assert_eq!(swaps(text).collect::<Vec<_>>(), ["/dev/sda2", "/swap file"]);
        assert_eq!(swaps(b"").count(), 0);
    }

    proptest! {
        #[test]
        fn escaping_is_undone(name in proptest::collection::vec(any::<u8>(), 0..12)) {
            let escaped: Vec<u8> = name.iter().flat_map(|byte| match byte {
                b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
                byte => vec![*byte],
            }).collect();
            prop_assert_eq!(unescaped(&escaped).into_vec(), name);
        }

        #[test]
        fn any_text_decodes(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(entries(&text).count() + swaps(&text).count() <= 2 * text.len());
        }
    }
}
