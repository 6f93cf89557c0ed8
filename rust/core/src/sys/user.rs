//! Users and groups, read from `/etc/passwd` and `/etc/group` by our own parser.
//!
//! Not getpwnam: in a static glibc executable it loads the image's NSS modules, and crashes when
//! these do not match.

use crate::error::{Errno, Error, Result};
use std::fs;
use std::path::Path;

/// A line of `/etc/passwd`, as far as we need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
}

/// The accounts of one root directory.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    passwd: String,
    group: String,
}

impl Accounts {
    /// Reads both files; one that cannot be read counts as empty.
    pub fn of_root(root: &Path) -> Accounts {
        let text = |name: &str| read(root, name).unwrap_or_default();
        Accounts { passwd: text("passwd"), group: text("group") }
    }

    /// The same, but only one that is not there counts as empty: for those who change rights by it.
    pub fn of_root_exactly(root: &Path) -> Result<Accounts> {
        Ok(Accounts { passwd: read(root, "passwd")?, group: read(root, "group")? })
    }

    /// From the two files' texts.
    pub fn new(passwd: &str, group: &str) -> Accounts {
        Accounts { passwd: passwd.to_owned(), group: group.to_owned() }
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<User> {
        self.passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (found, _password) = (fields.next()?, fields.next()?);
            if found != name || !is_name(name) {
                return None;
            }
            let (uid, gid) = (id(fields.next()?)?, id(fields.next()?)?);
            let (_gecos, home) = (fields.next(), fields.next().unwrap_or_default());
            Some(User { uid, gid, home: home.to_owned() })
        })
    }

    /// The name of this user id.
    pub fn user_name(&self, uid: u32) -> Option<&str> {
        name_of(&self.passwd, uid)
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<u32> {
        self.group.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (found, _password) = (fields.next()?, fields.next()?);
            if found == name && is_name(name) { id(fields.next()?) } else { None }
        })
    }

    /// The name of this group id.
    pub fn group_name(&self, gid: u32) -> Option<&str> {
        name_of(&self.group, gid)
    }

    /// The supplementary groups that list this user as a member.
    pub fn groups_of(&self, user: &str) -> Vec<u32> {
        let member = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let &[_, _, gid, members, ..] = fields.as_slice() else { return None };
            let is_member =
                is_name(user) && members.split(',').any(|name| name.trim_start() == user);
            if is_member { id(gid) } else { None }
        };
        self.group.lines().filter_map(member).collect()
    }
}

fn name_of(table: &str, id: u32) -> Option<&str> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        (fields.next()?.parse() == Ok(id)).then_some(name)
    })
}

fn read(root: &Path, name: &str) -> Result<String> {
    let path = root.join("etc").join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => match Errno::of(&error) {
            Errno::NOT_FOUND => Ok(String::new()),
            errno => Err(Error::on("read", &path, errno)),
        },
    }
}

/// Whether anybody can be called so. Lines whose names begin with `+` or `-` are instructions to
/// NSS; and a name that is not UTF-8 is not to be mistaken for another one.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['+', '-']) && !name.contains('\u{FFFD}')
}

/// An id as these files write it: digits alone, and not the number that means "leave it".
fn id(field: &str) -> Option<u32> {
    let digits = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    if digits { field.parse().ok().filter(|&id| id != u32::MAX) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_users_groups_and_members() {
        let accounts = Accounts::new(
            "root:x:0:0:root:/root:/bin/sh\nbroken\ndaemon:x:2:2::/:/bin/false\n",
            "root:x:0:\nwww:x:33:daemon,root\nx:x:9:daemonic\n",
        );
        let daemon = accounts.user("daemon").expect("listed");
        assert_eq!((daemon.uid, daemon.gid, daemon.home.as_str()), (2, 2, "/"));
        assert_eq!(accounts.group("www"), Some(33));
        assert_eq!(accounts.groups_of("daemon"), vec![33]);
        assert_eq!((accounts.user_name(2), accounts.group_name(9)), (Some("daemon"), Some("x")));
        assert_eq!(
            (accounts.user("broken"), accounts.user(""), accounts.group("y")),
            (None, None, None)
        );
    }

    #[test]
    fn hostile_lines_are_nobody() {
        let passwd = "+::::::\n+nis:x:0:0::/:\nplus:x:+0:0::/:\nleave:x:4294967295:5::/:\n\
                      big:x:4294967296:5::/:\nblank:x: 0:0::/:\nempty:x:::::\n\u{FFFD}:x:0:0::/:\n\
                      twice:x:x:0::/:\ntwice:x:7:8::/:\ntwice:x:0:0::/:\n";
        let group =
            "+:x:0:\nplus:x:+0:\nleave:x:4294967295:bob\nfew:x\nwheel:x:0:bob ,\nx:x:4:bob,bob\n";
        let accounts = Accounts::new(passwd, group);
        let nobody =
            ["+", "+nis", "plus", "leave", "big", "blank", "empty", "\u{FFFD}", "", "wheel"];
        for name in nobody {
            assert_eq!(accounts.user(name), None, "{name}");
        }
        for name in ["+", "plus", "leave", "few", ""] {
            assert_eq!(accounts.group(name), None, "{name}");
        }
        assert_eq!(accounts.user("twice").map(|user| (user.uid, user.gid)), Some((7, 8)));
        assert_eq!(accounts.groups_of("bob"), [4]);
        assert_eq!(accounts.groups_of(""), []);
    }

    proptest! {
        #[test]
        fn whoever_is_found_has_a_line_that_says_so(
            passwd in "([ab+]{0,2}:x?:[-+ 0-9]{0,3}:[0-9]{0,2}:::\n){0,6}", name in "[ab+]{0,2}",
        ) {
            let accounts = Accounts::new(&passwd, "");
            if let Some(User { uid, gid, .. }) = accounts.user(&name) {
                let said = |line: &str| {
                    let fields: Vec<&str> = line.split(':').collect();
                    fields.first() == Some(&name.as_str())
                        && fields.get(2).and_then(|field| field.parse().ok()) == Some(uid)
                        && fields.get(3).and_then(|field| field.parse().ok()) == Some(gid)
                };
                prop_assert!(passwd.lines().any(said));
            }
        }

        #[test]
        fn any_text_is_survived(text in ".{0,200}", name in ".{0,9}", id: u32) {
            let accounts = Accounts::new(&text, &text);
            let _ = (accounts.user(&name), accounts.group(&name), accounts.groups_of(&name));
            let _ = (accounts.user_name(id), accounts.group_name(id));
        }
    }
}
