//! Access rules: who may use a local socket, and how (contract s6 §1.8).
//!
//! A rule has a key, as `uid/1000` or `gid/default`. A client has several keys, in an order; the first
//! that has a rule decides. Rules are kept as a directory of directories, or as a cdb; here is what
//! they mean, [`crate::model::access_rules`] looks them up.

use super::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// At most so many bytes of changes to the environment, and of a program, are in a rule.
pub const MOST: usize = 4096;
/// The longest record of a database of rules.
pub const LONGEST_RECORD: u32 = 5 + 2 * MOST as u32;

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Go away.
    Deny,
    /// Come in, on these terms.
    Allow(Terms),
}

/// What whoever comes in gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Changes to the environment: a variable and its value; none removes it.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// What to run instead of the usual program: a line of execline.
    pub exec: Option<OsString>,
}

/// The keys of a local client in their order, given its effective user and group, and our own.
pub fn keys(client: (u32, u32), own: (u32, u32)) -> Vec<String> {
    let ((uid, gid), (own_uid, own_gid)) = (client, own);
    let mut keys = Vec::new();
    if uid == own_uid {
        keys.push("uid/self".to_owned());
    }
    keys.push(format!("uid/{uid}"));
    if gid == own_gid {
        keys.push("gid/self".to_owned());
    }
    keys.push(format!("gid/{gid}"));
    keys.push("uid/default".to_owned());
    keys
}

impl Terms {
    /// The value that a variable is given; the first one counts.
    pub fn lookup(&self, name: &str) -> Option<&OsStr> {
        let (_, value) = self.env.iter().find(|(its, value)| its == name && value.is_some())?;
        value.as_deref()
    }

    /// Makes the changes to an environment.
    pub fn apply(&self, environment: &mut Environment) {
        for (name, value) in &self.env {
            match value {
                Some(value) => environment.set(name, value),
                None => environment.unset(name),
            }
        }
    }
}

impl Rule {
    /// From a record of a database: `D`, or `A`, changes, and program, each behind its length.
    /// `None`: a record that begins with something else is none for anybody who looks for rules. The
    /// error says what is wrong.
    pub fn unpack(record: &[u8]) -> Result<Option<Rule>, &'static str> {
        let terms = match record.split_first() {
            None => return Err("a rule is empty"),
            Some((b'D', _)) => return Ok(Some(Rule::Deny)),
            Some((b'A', terms)) => terms,
            Some(_) => return Ok(None),
        };
        let (env, rest) = counted(terms).ok_or("the environment of a rule has a wrong length")?;
        let (exec, rest) = counted(rest).ok_or("the program of a rule has a wrong length")?;
        if !rest.is_empty() {
            return Err("something follows a rule");
        }
        let env = changes(env).ok_or("the environment of a rule does not end")?;
        let exec = exec.split(|&byte| byte == 0).next().filter(|text| !text.is_empty());
        Ok(Some(Rule::Allow(Terms { env, exec: exec.map(|text| OsStr::from_bytes(text).into()) })))
    }

    /// As a record of a database. The error says what is longer than [`MOST`] bytes.
    pub fn pack(&self) -> Result<Vec<u8>, &'static str> {
        let Rule::Allow(terms) = self else { return Ok(b"D".to_vec()) };
        let mut env = Vec::new();
        for (name, value) in &terms.env {
            env.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                env.push(b'=');
                env.extend_from_slice(value.as_bytes());
            }
            env.push(0);
        }
        let exec = terms.exec.as_ref().map_or(&[][..], |line| line.as_bytes());
        let mut record = b"A".to_vec();
        for (part, complaint) in
            [(&env[..], "the environment is too long"), (exec, "the program is too long")]
        {
            let length = u16::try_from(part.len()).ok().filter(|_| part.len() <= MOST);
            record.extend_from_slice(&length.ok_or(complaint)?.to_be_bytes());
            record.extend_from_slice(part);
        }
        Ok(record)
    }
}

/// Two bytes of length, and so many bytes.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length > MOST { None } else { rest.split_at_checked(length) }
}

/// Each `NAME=value` or `NAME`, and a NUL behind it.
fn changes(bytes: &[u8]) -> Option<Vec<(OsString, Option<OsString>)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let entries = bytes.strip_suffix(b"\0")?.split(|&byte| byte == 0);
    let change = |entry: &[u8]| {
        let text = |part: &[u8]| OsString::from_vec(part.to_vec());
        let mut parts = entry.splitn(2, |&byte| byte == b'=');
        (text(parts.next().unwrap_or_default()), parts.next().map(text))
    };
    Some(entries.map(change).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn who_is_asked_for_first() {
        assert_eq!(keys((5, 6), (0, 0)), ["uid/5", "gid/6", "uid/default"]);
        assert_eq!(keys((0, 0), (0, 0)), ["uid/self", "uid/0", "gid/self", "gid/0", "uid/default"]);
    }

    #[test]
    fn the_bytes_of_rules() {
        let terms = Terms {
            env: vec![
                ("A".into(), Some("1".into())),
                ("B".into(), None),
                ("C".into(), Some("".into())),
            ],
            exec: Some("true".into()),
        };
        let record = b"A\0\x09A=1\0B\0C=\0\0\x04true";
        assert_eq!(Rule::unpack(record), Ok(Some(Rule::Allow(terms.clone()))));
        assert_eq!(terms.lookup("A"), Some(OsStr::new("1")));
        assert_eq!(terms.lookup("B"), None);
        assert_eq!(Rule::Allow(terms).pack(), Ok(record.to_vec()));
        assert_eq!(Rule::unpack(b"D"), Ok(Some(Rule::Deny)));
        assert_eq!(Rule::unpack(b"Dx"), Ok(Some(Rule::Deny)));
        assert_eq!(Rule::unpack(b"X"), Ok(None));
        assert_eq!(Rule::unpack(b"A\0\0\0\0"), Ok(Some(Rule::Allow(Terms::default()))));
    }

    #[test]
    fn wrong_rules_are_refused() {
        for record in [
            &b""[..],
            b"A",
            b"A\0\0\0",
            b"A\0\x01x\0\0",
            b"A\0\x02x\0",
            b"A\0\0\0\0x",
            b"A\xff\xffx\0",
            b"A\0\0\x10\x01",
        ] {
            assert!(Rule::unpack(record).is_err(), "{record:?}");
        }
        let long = Terms { env: vec![("A".into(), Some("x".repeat(MOST).into()))], exec: None };
        assert_eq!(Rule::Allow(long).pack(), Err("the environment is too long"));
    }

    proptest! {
        #[test]
        fn rules_round_trip(
            env in proptest::collection::vec(("[^=\0]{1,9}", proptest::option::of("[^\0]{0,9}")), 0..9),
            exec in proptest::option::of("[^\0]{1,99}"),
        ) {
            let env = env.into_iter().map(|(name, value)| (name.into(), value.map(OsString::from)));
            let rule = Rule::Allow(Terms { env: env.collect(), exec: exec.map(OsString::from) });
            prop_assert_eq!(Rule::unpack(&rule.pack().expect("short")), Ok(Some(rule)));
        }

        #[test]
        fn any_record_is_survived(bytes: Vec<u8>) {
            let _ = Rule::unpack(&[&b"A"[..], &bytes].concat());
        }
    }
}
