//! Access rules where they are kept, and the look-up for a client (contract s6 §1.8).
//!
//! In a directory of rules, each key is a directory: with a file `allow`, and then perhaps `env/` and
//! `exec`, or with a file `deny`. One that cannot be read for want of rights counts as absent, as in
//! the originals; any other failure is an error, and whoever asks must deny.

use super::envdir::{self, Manner, Reading};
use crate::error::{Errno, Error, Result, shown};
use crate::sys::dir::{self, Open};
use crate::sys::fd;
use crate::wire::access_rules::{self, LONGEST_RECORD, MOST, Rule, Terms};
use crate::wire::cdb::{self, Source};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How the originals read the files of `env/`.
const MANNER: Manner = Manner { whole: false, uncut: false, most: Some(4095), nul: b'\n' };

/// Where rules are kept.
#[derive(Debug)]
pub enum Rules {
    /// In a directory, which is looked at anew for every client.
    Directory(PathBuf),
    /// In a database, the one that was opened, whatever its name leads to later.
    Database(Database),
}

/// An open database. It is never held in memory: a look-up reads what it needs.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    file: File,
}

impl Rules {
    /// The rule that decides about a client, given its effective user and group, and ours. `None`: no
    /// rule does, and it is to be denied.
    pub fn look_up(&self, client: (u32, u32), own: (u32, u32)) -> Result<Option<Rule>> {
        for key in access_rules::keys(client, own) {
            let found = match self {
                Rules::Directory(path) => in_directory(path, &key)?,
                Rules::Database(database) => database.rule(&key)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl Database {
    /// Opens a cdb.
    pub fn open(path: impl Into<PathBuf>) -> Result<Database> {
        let path = path.into();
        let file =
            dir::open(&path, Open::ReadNow).map_err(|errno| Error::on("open", &path, errno))?;
        Ok(Database { path, file: File::from(file) })
    }

    /// All rules, by their keys, in their order.
    pub fn rules(&self) -> Result<Vec<(OsString, Rule)>> {
        let (mut rules, mut position) = (Vec::new(), cdb::FIRST);
        let next = |position| cdb::next(self, position, LONGEST_RECORD);
        while let Some((record, following)) = next(position).map_err(|fault| self.faulty(fault))? {
            if let Some(rule) = Rule::unpack(&record.data).map_err(|how| self.wrong(how))? {
                rules.push((OsString::from_vec(record.key), rule));
            }
            position = following;
        }
        Ok(rules)
    }

    fn rule(&self, key: &str) -> Result<Option<Rule>> {
        let record = cdb::find(self, key.as_bytes(), LONGEST_RECORD);
        match record.map_err(|fault| self.faulty(fault))? {
            None => Ok(None),
            Some(record) => Rule::unpack(&record).map_err(|how| self.wrong(how)),
        }
    }

    fn faulty(&self, fault: cdb::Fault) -> Error {
        match fault {
            cdb::Fault::System(errno) => Error::on("read", &self.path, errno),
            cdb::Fault::Malformed | cdb::Fault::TooLong => self.wrong(&fault.to_string()),
        }
    }

    fn wrong(&self, how: &str) -> Error {
        Error::malformed(format!("use the rules in {}", shown(&self.path)), how)
    }
}

impl Source for Database {
    fn read_at(&self, position: u32, buffer: &mut [u8]) -> std::result::Result<bool, Errno> {
        match self.file.read_exact_at(buffer, position.into()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(Errno::of(&error)),
        }
    }
}

/// The rule with this key in a directory of rules.
pub fn in_directory(rules: &Path, key: impl AsRef<Path>) -> Result<Option<Rule>> {
    let place = rules.join(key);
    if is_there(&place.join("allow"))? {
        return Ok(Some(Rule::Allow(Terms { env: env(&place)?, exec: exec(&place)? })));
    }
    Ok(is_there(&place.join("deny"))?.then_some(Rule::Deny))
}

fn is_there(file: &Path) -> Result<bool> {
    match dir::open(file, Open::ReadNow) {
        Ok(_) => Ok(true),
        Err(Errno::NOT_FOUND | Errno(libc::EACCES)) => Ok(false),
        Err(errno) => Err(Error::on("open", file, errno)),
    }
}

/// The changes in `env/`; all of them or none.
fn env(place: &Path) -> Result<Vec<(OsString, Option<OsString>)>> {
    let mut failure = None;
    let mut complain = |error| failure = Some(error);
    match envdir::changes(&place.join("env"), Reading::AsTold(MANNER), &mut complain) {
        Err(error) if error.errno() == Some(Errno::NOT_FOUND) => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(changes) => failure.map_or(Ok(changes), Err),
    }
}

fn exec(place: &Path) -> Result<Option<OsString>> {
    let file = place.join("exec");
    match dir::open(&file, Open::ReadNow).and_then(|exec| fd::read_up_to(exec, MOST)) {
        Ok(text) => {
            let line = text.split(|&byte| byte == 0).next().filter(|text| !text.is_empty());
            Ok(line.map(|text| OsStr::from_bytes(text).to_owned()))
        }
        Err(Errno::NOT_FOUND | Errno(libc::EACCES)) => Ok(None),
        Err(errno) => Err(Error::on("read", file, errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::fs;

    /// A directory of rules: who may come in, with what; and the same as a database.
    fn both(name: &str) -> (PathBuf, [Rules; 2]) {
        let top = std::env::temp_dir().join(format!("s6x-rules-{name}-{}", process::own_pid()));
        let tree = [
            ("uid/7/allow", ""),
            ("uid/7/env/A", "1  \nx"),
            ("uid/7/env/GONE", ""),
            ("uid/7/exec", "echo hi\n"),
            ("uid/8/deny", ""),
            ("gid/8/allow", ""),
            ("uid/self/deny", ""),
            ("gid/self/allow", ""),
            ("uid/9/env/A", "neither allows nor denies"),
        ];
        for (path, content) in tree {
            let path = top.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("writable");
            fs::write(path, content).expect("writable");
        }
        let keys = ["uid/7", "uid/8", "gid/8", "uid/self", "gid/self", "uid/9"];
        let mut records = Vec::new();
        for key in keys {
            if let Some(rule) = in_directory(&top, key).expect("readable") {
                records.push((key, rule.pack().expect("short")));
            }
        }
        assert_eq!(records.len(), 5);
        let records = records.iter().map(|(key, data)| (key.as_bytes(), data.as_slice()));
        let file = top.with_extension("cdb");
        fs::write(&file, cdb::write(records).expect("small")).expect("writable");
        let database = Database::open(&file).expect("just written");
        fs::remove_file(file).expect("just written");
        (top.clone(), [Rules::Directory(top), Rules::Database(database)])
    }

    #[test]
    fn the_first_key_with_a_rule_decides() {
        let (top, forms) = both("order");
        for rules in &forms {
            let what = |client| rules.look_up(client, (1, 1)).expect("right rules");
            let terms = Terms {
                env: vec![("A".into(), Some("1".into())), ("GONE".into(), None)],
                exec: Some("echo hi\n".into()),
            };
            assert_eq!(what((7, 8)), Some(Rule::Allow(terms)));
            assert_eq!(what((8, 8)), Some(Rule::Deny));
            assert_eq!(what((9, 8)), Some(Rule::Allow(Terms::default())));
            assert_eq!(what((9, 9)), None);
            assert_eq!(what((1, 8)), Some(Rule::Deny));
            assert_eq!(what((2, 1)), Some(Rule::Allow(Terms::default())));
        }
        let [_, Rules::Database(database)] = &forms else { panic!("the second is one") };
        assert_eq!(database.rules().expect("right rules").len(), 5);
        fs::remove_dir_all(top).expect("still there");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let (top, [rules, _]) = both("broken");
        fs::create_dir(top.join("uid/7/env/DIR")).expect("writable");
        assert!(rules.look_up((7, 7), (1, 1)).is_err());
        fs::write(top.join("uid/5"), "no directory").expect("writable");
        assert!(rules.look_up((5, 7), (1, 1)).is_err());
        fs::write(top.join("cdb"), "no database").expect("writable");
        let database = Database::open(top.join("cdb")).expect("it can be opened");
        assert!(database.rules().is_err());
        assert!(Rules::Database(database).look_up((7, 7), (1, 1)).is_err());
        fs::remove_dir_all(top).expect("still there");
    }
}
