//! Users and groups, read from `/etc/passwd` and `/etc/group` by our own parser.
//!
//! Not getpwnam: in a static glibc executable it loads the image's NSS modules, and crashes when
//! these do not match.

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
        let text = |name: &str| {
            let bytes = fs::read(root.join("etc").join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Accounts { passwd: text("passwd"), group: text("group") }
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
            if found != name || name.is_empty() {
                return None;
            }
            let uid = fields.next()?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
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
            if found == name && !name.is_empty() { fields.next()?.parse().ok() } else { None }
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
            members.split(',').any(|name| name == user).then(|| gid.parse().ok()).flatten()
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

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}", name in ".{0,9}", id: u32) {
            let accounts = Accounts::new(&text, &text);
            let _ = (accounts.user(&name), accounts.group(&name), accounts.groups_of(&name));
            let _ = (accounts.user_name(id), accounts.group_name(id));
        }
    }
}
