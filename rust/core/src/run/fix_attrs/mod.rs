//! Applies rules about owners and modes to the files that they name.
//!
//! As in s6-overlay (contract §3.2), a path that a rule names is followed through links; below it, no
//! link is: nothing outside of the tree can be reached by putting a link into it. Only what is wrong is
//! written, so that a tree on which all is right can be read-only, and costs no copy in an image's upper layer.

mod helpers;
#[cfg(test)]
mod hostile;
mod report;
mod walk;

pub use helpers::spare_processors;
pub use report::Told;

use crate::model::ownership::owned_rules;
use crate::sys::dir::{self, Dir};
use crate::sys::pattern;
use crate::sys::user::Accounts;
use crate::wire::fix_attrs::Rule;
use helpers::Helpers;
use report::Report;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walk::{Walk, Wanted};

/// Applies a text of rules, which messages call `source`. What cannot be done is told and the work goes on, as in the
/// originals; returns whether all went well. A tree that takes long is shared with up to `helpers` processes,
/// which are forked from this one.
pub fn apply(
    text: &[u8],
    source: &str,
    accounts: &Accounts,
    hidden: bool,
    helpers: usize,
    tell: &mut dyn FnMut(Told<'_>),
) -> bool {
    let mut problems = 0;
    for rule in owned_rules(text, accounts) {
        match rule {
            Ok((rule, ids)) => {
                let Rule { file_mode, directory_mode, .. } = rule;
                let wanted = Wanted { ids, file_mode, directory_mode, hidden };
                let name = crate::error::shown(Path::new(OsStr::from_bytes(&rule.path)));
                let mut report = Report::new(name, tell);
                let mut walk = Walk::new(wanted, Helpers::new(helpers), &mut report);
                for path in matching(&rule.path) {
                    walk.run(&path, rule.recurse);
                }
                problems += report.ends();
            }
            Err(bad) => {
                problems += 1;
                tell(Told::Problem(&format!("{source}: {bad}")));
            }
        }
    }
    problems == 0
}

/// The existing paths that a pattern means, sorted; none is no error. Relative ones begin at `/`.
fn matching(pattern: &[u8]) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
        let part = OsStr::from_bytes(part);
        let step = |base: &PathBuf| -> Vec<PathBuf> {
            if !pattern::is_pattern(part) {
                return vec![base.join(part)];
            }
            names_of(base)
                .into_iter()
                .filter(|name| pattern::matches(part, name))
                .map(|name| base.join(name))
                .collect()
        };
        found = found.iter().flat_map(step).collect();
    }
    found.retain(|path| dir::lstat_path(path).is_ok());
    found
}

fn names_of(path: &Path) -> Vec<OsString> {
    Dir::open(path).and_then(|dir| dir.sorted_names()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn tree(name: &str) -> PathBuf {
        let top = std::env::temp_dir().join(format!("s6x-attrs-{name}-{}", process::own_pid()));
        fs::create_dir_all(top.join("data/sub dir")).expect("the temporary directory is writable");
        for file in ["data/a", "data/.hidden", "data/sub dir/b c", "outside"] {
            fs::write(top.join(file), "").expect("writable");
            fs::set_permissions(top.join(file), fs::Permissions::from_mode(0o644)).expect("ours");
        }
        symlink(top.join("outside"), top.join("data/link")).expect("writable");
        top
    }

    fn modes(top: &Path, names: &[&str]) -> Vec<u32> {
        let mode = |name: &&str| fs::metadata(top.join(name)).expect("there").mode() & 0o7777;
        names.iter().map(mode).collect()
    }

    fn run(rules: &str, hidden: bool) -> Vec<String> {
        let mut problems = Vec::new();
        let accounts = Accounts::new("me:x:0:0::/:\n", "");
        apply(rules.as_bytes(), "rules", &accounts, hidden, 0, &mut |told| match told {
            Told::Problem(problem) => problems.push(problem.to_owned()),
            Told::Progress(line) => panic!("{line}"),
        });
        problems
    }

    fn own() -> String {
        let (uid, gid) = process::effective_ids();
        format!("{uid}:{gid}")
    }

    #[test]
    fn recursion_takes_blanks_but_neither_hidden_files_nor_links() {
        let top = tree("recurse");
        let rule = format!("{}/data true {} 0600 0700\n", top.display(), own());
        assert_eq!(run(&rule, false), Vec::<String>::new());
        let names =
            ["data", "data/sub dir", "data/a", "data/sub dir/b c", "data/.hidden", "outside"];
        assert_eq!(modes(&top, &names), [0o700, 0o700, 0o600, 0o600, 0o644, 0o644]);
        assert_eq!(run(&rule, true), Vec::<String>::new());
        assert_eq!(modes(&top, &["data/.hidden", "outside"]), [0o600, 0o644]);
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn patterns_name_what_is_there_and_named_links_are_followed() {
        let top = tree("glob");
        let (at, own) = (top.display(), own());
        let rules = format!("{at}/data/* false {own} 0640 -\n{at}/no/* true {own} 0 0\n");
        assert_eq!(run(&rules, false), Vec::<String>::new());
        let names = ["data/a", "data/.hidden", "data/sub dir", "outside"];
        let dir = modes(&top, &["data/sub dir"])[0];
        assert_eq!(modes(&top, &names), [0o640, 0o644, dir, 0o640]);
        fs::remove_dir_all(top).expect("ours");
    }

    #[test]
    fn bad_rules_are_told_and_the_others_applied() {
        let top = tree("bad");
        let at = top.display();
        let rules =
            format!("nonsense\n{at}/data/a false who 0 0\n{at}/data/a false {} 0604 -\n", own());
        let problems = run(&rules, false);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("rules: line 1: 1 fields"), "{problems:?}");
        assert_eq!(problems[1], "rules: line 2: unknown user: who");
        assert_eq!(modes(&top, &["data/a"]), [0o604]);
        fs::remove_dir_all(top).expect("ours");
    }
}
