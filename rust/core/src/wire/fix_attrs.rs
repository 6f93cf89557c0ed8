//! Rules about owners and modes: `path recurse account fmode dmode` (contract s6-overlay §3.2).

use std::fmt;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The number of its line, from 1.
    pub line: usize,
    /// A shell pattern of paths.
    pub path: Vec<u8>,
    /// Whether it goes for what lies below, too.
    pub recurse: bool,
    /// Who is to own it.
    pub account: Account,
    /// The mode of what is no directory; `None`: as it is.
    pub file_mode: Option<u32>,
    /// The mode of directories; `None`: as it is.
    pub directory_mode: Option<u32>,
}

/// `NAME[,UID:GID]` or `USER:GROUP[,UID:GID]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    user: String,
    group: Option<String>,
    default: Option<(u32, u32)>,
}

/// A rule that nobody can understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    /// The number of its line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The rules of a text, each with its line, good and bad. Blank lines, and comments (`#` first), are
/// passed over.
pub fn rules(text: &[u8]) -> impl Iterator<Item = Result<Rule, BadRule>> {
    text.split(|&byte| byte == b'\n').enumerate().filter_map(|(nth, line)| {
        let fields: Vec<&[u8]> = line
            .split(|&byte| byte == b' ' || byte == b'\t' || byte == b'\r')
            .filter(|field| !field.is_empty())
            .collect();
        let first = fields.first()?;
        if first.starts_with(b"#") {
            return None;
        }
        let line = nth + 1;
        Some(rule(line, &fields).map_err(|why| BadRule { line, why }))
    })
}

fn rule(line: usize, fields: &[&[u8]]) -> Result<Rule, String> {
    // What follows is passed over, as in the originals.
    let &[path, recurse, account, file_mode, directory_mode, ..] = fields else {
        return Err(format!(
            "{} fields, but a rule is: path recurse account fmode dmode",
            fields.len()
        ));
    };
    let recurse = match recurse {
        b"true" => true,
        b"false" => false,
        other => return Err(format!("{} is neither true nor false", shown(other))),
    };
    if path.contains(&0) {
        return Err("a path cannot hold a NUL".to_owned());
    }
    Ok(Rule {
        line,
        path: path.to_vec(),
        recurse,
        account: Account::parse(account)?,
        file_mode: mode(file_mode)?,
        directory_mode: mode(directory_mode)?,
    })
}

fn mode(field: &[u8]) -> Result<Option<u32>, String> {
    if field == b"-" {
        return Ok(None);
    }
    let octal = !field.is_empty() && field.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let text = std::str::from_utf8(field).ok().filter(|_| octal);
    match text.and_then(|text| u32::from_str_radix(text, 8).ok()).filter(|mode| *mode <= 0o7777) {
        Some(mode) => Ok(Some(mode)),
        None => Err(format!("{} is no mode (octal digits, or -)", shown(field))),
    }
}

impl Account {
    /// Takes an account apart.
    pub fn parse(field: &[u8]) -> Result<Account, String> {
        let wrong = || format!("{} is no account (USER[:GROUP][,UID:GID])", shown(field));
        let text = std::str::from_utf8(field).map_err(|_| wrong())?;
        let (names, default) = match text.split_once(',') {
            None => (text, None),
            Some((names, default)) => {
                let (uid, gid) = default.split_once(':').unwrap_or((default, "0"));
                (names, Some((number(uid).ok_or_else(wrong)?, number(gid).ok_or_else(wrong)?)))
            }
        };
        let (user, group) = match names.split_once(':') {
            None => (names, None),
            Some((user, group)) => (user, Some(group.to_owned())),
        };
        if user.is_empty() || group.as_deref() == Some("") {
            return Err(wrong());
        }
        Ok(Account { user: user.to_owned(), group, default })
    }

    /// The ids that it stands for. `user` gives the ids of a user by name, `group` that of a group,
    /// `primary` the primary group of a user by number.
    pub fn resolve(
        &self,
        user: impl Fn(&str) -> Option<(u32, u32)>,
        group: impl Fn(&str) -> Option<u32>,
        primary: impl Fn(u32) -> Option<u32>,
    ) -> Result<(u32, u32), String> {
        let known = user(&self.user);
        let Some(group_name) = &self.group else {
            return known.or(self.default).map_or_else(
                // The originals refuse a number here; as docker's USER, it has group 0.
                || match number(&self.user) {
                    Some(uid) => Ok((uid, primary(uid).unwrap_or(0))),
                    None => Err(format!("unknown user: {}", self.user)),
                },
                Ok,
            );
        };
        let uid = known.map(|(uid, _)| uid).or_else(|| number(&self.user));
        let gid = group(group_name).or_else(|| number(group_name));
        let uid = uid.or(self.default.map(|(uid, _)| uid));
        let gid = gid.or(self.default.map(|(_, gid)| gid));
        match (uid, gid) {
            (Some(uid), Some(gid)) => Ok((uid, gid)),
            (None, _) => Err(format!("unknown user: {}", self.user)),
            (Some(_), None) => Err(format!("unknown group: {group_name}")),
        }
    }
}

/// A decimal id. The largest number means "as it is" to chown, so it is none.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id| digits && id != u32::MAX)
}

fn shown(field: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// daemon is 2:2, the only user and group.
    fn ids(account: &str) -> Result<(u32, u32), String> {
        let daemon = |name: &str| (name == "daemon").then_some(2);
        Account::parse(account.as_bytes())?.resolve(
            |name| daemon(name).map(|uid| (uid, 2)),
            daemon,
            |uid| (uid == 2).then_some(2),
        )
    }

    #[test]
    fn the_account_table_of_the_contract() {
        for account in ["daemon", "daemon,3:4", "daemon:daemon,3:4", "2:2,3:4"] {
            assert_eq!(ids(account), Ok((2, 2)), "{account}");
        }
        for (account, wanted) in [
            ("daemon:11111,3:4", (2, 11111)),
            ("11111:daemon,3:4", (11111, 2)),
            ("daemon:unexisting,3:4", (2, 4)),
            ("unexisting:daemon,3:4", (3, 2)),
            ("unexisting,3:4", (3, 4)),
            ("unexisting:unexisting,3:4", (3, 4)),
            ("11111:11111", (11111, 11111)),
            ("unexisting,7", (7, 0)),
        ] {
            assert_eq!(ids(account), Ok(wanted), "{account}");
        }
    }

    #[test]
    fn a_bare_number_is_accepted() {
        assert_eq!((ids("55"), ids("2"), ids("55,3:4")), (Ok((55, 0)), Ok((2, 2)), Ok((3, 4))));
    }

    #[test]
    fn accounts_that_mean_nobody_are_refused() {
        for (account, why) in [
            ("nobody", "unknown user: nobody"),
            ("nobody:2", "unknown user: nobody"),
            ("2:nobody", "unknown group: nobody"),
            ("", "is no account"),
            (":2", "is no account"),
            ("2:", "is no account"),
            ("a,b:c", "is no account"),
            ("4294967295", "unknown user"),
        ] {
            let error = ids(account).expect_err(account);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn lines_become_rules() {
        let text = b"\n# a comment\n  #another\n/data/*\ttrue  daemon 0600 - \nbad line\n\
            /x yes a 0 0\n/y false a 08 0\n/z false root - 7755 # and why";
        let got: Vec<_> = rules(text).collect();
        let first = got[0].as_ref().expect("a rule");
        assert_eq!((first.path.as_slice(), first.recurse), (&b"/data/*"[..], true));
        assert_eq!((first.file_mode, first.directory_mode), (Some(0o600), None));
        for (nth, line, why) in [
            (1, 5, "2 fields, but a rule is"),
            (2, 6, "\"yes\" is neither true nor false"),
            (3, 7, "\"08\" is no mode"),
        ] {
            let bad = got[nth].as_ref().expect_err("no rule").to_string();
            assert!(bad.starts_with(&format!("line {line}: ")) && bad.contains(why), "{bad}");
        }
        assert_eq!(got[4].as_ref().expect("a rule").directory_mode, Some(0o7755));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for rule in rules(&bytes).flatten() {
                let _ = rule.account.resolve(|_| None, |_| None, |_| None);
            }
        }
    }
}
