//! Trees that others change while the walk is in them, and trees without end: the steps of the walk, one by one, with
//! somebody else's step between them.

use super::helpers::{Half, Helpers};
use super::report::{Report, Told};
use super::walk::{Walk, Wanted, shown};
use crate::error::Errno;
use crate::sys::dir::Dir;
use crate::sys::process;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, directories: &[&str], files: &[&str]) -> Tree {
        let top = std::env::temp_dir().join(format!("s6x-walk-{name}-{}", process::own_pid()));
        let _ = fs::remove_dir_all(&top);
        for directory in directories {
            fs::create_dir_all(top.join(directory)).expect("the temporary directory is writable");
        }
        for file in files {
            fs::write(top.join(file), "").expect("writable");
            fs::set_permissions(top.join(file), fs::Permissions::from_mode(0o644)).expect("ours");
        }
        Tree(top)
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.0.join(name)).expect("there").mode() & 0o7777
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = crate::run::tree::remove(&self.0);
    }
}

fn wanted(file_mode: u32) -> Wanted {
    let ids = process::effective_ids();
    Wanted { ids, file_mode: Some(file_mode), directory_mode: None, hidden: true }
}

/// Leads a walk, and returns what was told, how many files were looked at, and how many changed.
fn walked(steps: impl FnOnce(&mut Walk<'_, '_>)) -> (Vec<String>, u64, u64) {
    let mut told = Vec::new();
    let mut tell = |what: Told<'_>| match what {
        Told::Problem(text) | Told::Progress(text) => told.push(text.to_owned()),
    };
    let mut report = Report::new("/rule".to_owned(), &mut tell);
    steps(&mut Walk::new(wanted(0o600), Helpers::new(0), &mut report));
    let (looked, changed) = (report.counts.looked, report.counts.changed);
    report.ends();
    (told, looked, changed)
}

#[test]
fn what_is_right_is_not_written() {
    let tree = Tree::new("right", &["sub"], &["a", "sub/b"]);
    symlink("a", tree.0.join("sub/link")).expect("writable");
    let changes = || {
        ["", "a", "sub", "sub/b", "sub/link"].map(|name| {
            let stat = fs::symlink_metadata(tree.0.join(name)).expect("there");
            (stat.ctime(), stat.ctime_nsec())
        })
    };
    assert_eq!(walked(|walk| walk.run(&tree.0, true)), (vec![], 5, 2));
    let before = changes();
    assert_eq!(walked(|walk| walk.run(&tree.0, true)), (vec![], 5, 0));
    assert_eq!(changes(), before);
}

#[test]
fn a_directory_that_became_a_link_is_not_entered() {
    let tree = Tree::new("swap", &["data/sub", "outside"], &["data/sub/a", "outside/a"]);
    let told = walked(|walk| {
        walk.start(&tree.0.join("data"), true);
        walk.step(); // the names in it
        fs::rename(tree.0.join("data/sub"), tree.0.join("moved")).expect("ours");
        symlink("../outside", tree.0.join("data/sub")).expect("writable");
        walk.go();
    });
    assert_eq!(
        (told, tree.mode("outside/a"), tree.mode("moved/a")),
        ((vec![], 2, 0), 0o644, 0o644)
    );
}

#[test]
fn what_vanishes_is_no_problem() {
    let tree = Tree::new("gone", &["data/sub"], &["data/a", "data/sub/b"]);
    let told = walked(|walk| {
        walk.start(&tree.0.join("data"), true);
        walk.step();
        fs::remove_dir_all(tree.0.join("data/sub")).expect("ours");
        walk.go();
        let dir = Dir::open(tree.0.join("data")).expect("there");
        assert!(!walk.look(&dir, OsStr::new("never there")));
    });
    assert_eq!(told, (vec![], 2, 1));
    let emptied = walked(|walk| {
        walk.start(&tree.0.join("data"), true);
        fs::remove_dir_all(tree.0.join("data")).expect("ours");
        walk.go();
    });
    assert_eq!(emptied, (vec![], 1, 0));
}

#[test]
fn a_directory_moved_away_ends_the_walk_there_and_not_above() {
    let tree = Tree::new("moved", &["a/b/c/d", "other"], &["a/b/c/d/e", "a/f"]);
    fs::create_dir(tree.0.join("a/g")).expect("writable");
    fs::write(tree.0.join("a/g/h"), "").expect("writable");
    let (told, ..) = walked(|walk| {
        walk.hold_open(1);
        walk.start(&tree.0, true);
        while !walk.is_in("d") {
            walk.step();
        }
        fs::rename(tree.0.join("a/b/c"), tree.0.join("other/c")).expect("ours");
        walk.go();
    });
    let stale = Errno(libc::ESTALE);
    let where_to = tree.0.join("a/b");
    assert!(
        told.iter().any(|line| line.contains(&format!("{}: {stale}", where_to.display()))),
        "{told:?}"
    );
    assert_eq!(tree.mode("other/c/d/e"), 0o600, "where the walk was, it went on");
}

#[test]
fn deeper_than_any_path_and_any_limit_of_descriptors() {
    let tree = Tree::new("deep", &["top"], &[]);
    let mut here = Dir::open(tree.0.join("top")).expect("made");
    for _ in 0..1500 {
        here.mkdir("directory", 0o755).expect("made");
        here = here.sub("directory").expect("made");
    }
    here.replace("file", b"", 0o644).expect("made");
    assert_eq!(walked(|walk| walk.run(&tree.0.join("top"), true)), (vec![], 1502, 1));
    assert_eq!(here.lstat("file").expect("there").permissions(), 0o600);
}

#[test]
fn a_large_directory_is_never_in_memory_as_a_whole() {
    let tree = Tree::new("large", &["top"], &[]);
    let top = Dir::open(tree.0.join("top")).expect("made");
    for number in 0..1000 {
        top.mkdir(format!("{number:0200}"), 0o755).expect("made");
    }
    let mut most = 0;
    let (told, looked, changed) = walked(|walk| {
        walk.start(&tree.0.join("top"), true);
        while walk.waiting().is_some_and(|names| {
            most = most.max(names);
            true
        }) {
            walk.step();
        }
    });
    assert_eq!((told, looked, changed), (vec![], 1001, 0));
    assert!(most < 200, "{most} names at once");
}

#[test]
fn two_names_of_a_file_are_one_change() {
    let tree = Tree::new("links", &["sub"], &["a"]);
    fs::hard_link(tree.0.join("a"), tree.0.join("sub/b")).expect("writable");
    assert_eq!(walked(|walk| walk.run(&tree.0, true)), (vec![], 4, 1));
}

#[test]
fn a_long_walk_says_how_far_it_is() {
    let tree = Tree::new("long", &["sub"], &["a", "sub/b"]);
    let mut told = Vec::new();
    let mut tell = |what: Told<'_>| told.push(format!("{what:?}"));
    let mut report = Report::new("/rule".to_owned(), &mut tell);
    report.be_impatient();
    Walk::new(wanted(0o600), Helpers::new(0), &mut report).run(&tree.0, true);
    assert_eq!(report.ends(), 0);
    assert_eq!(told[0], "Progress(\"/rule: looked at 2 files, 1 of them changed, in 0 s\")");
}

#[test]
fn helpers_leave_nothing_out() {
    let names: Vec<String> = (0..60).map(|number| format!("{}/{number}", number % 7)).collect();
    let directories: Vec<&str> = names.iter().map(String::as_str).collect();
    let files: Vec<String> = names.iter().map(|name| format!("{name}/file")).collect();
    let tree =
        Tree::new("shared", &directories, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let mut most = 0;
    let told = walked(|walk| {
        *walk.helpers() = Helpers::impatient(3);
        walk.run(&tree.0, true);
        most = walk.helpers().started;
    });
    assert!(most >= 3, "{most} helpers");
    assert_eq!(told, (vec![], 128, 60));
    assert!(files.iter().all(|file| tree.mode(file) == 0o600));
}

#[test]
fn a_helper_that_was_killed_is_told() {
    let (told, ..) = walked(|walk| {
        *walk.helpers() = Helpers::impatient(1);
        match walk.helpers().fork().expect("a process") {
            Half::Theirs(_) => process::exit_now(7),
            Half::Ours => walk.go(),
        }
    });
    let said =
        "/rule: a process that went through a part of it did not come to its end: run it again";
    assert_eq!(told, [said]);
}

#[test]
fn long_paths_are_cut_in_messages() {
    let name = "n".repeat(200);
    let short = ["/a/b", &name, "c"].map(OsStr::new);
    assert_eq!(shown(short.into_iter()), Path::new("/a/b").join(&name).join("c"));
    let long: Vec<&str> =
        std::iter::once("/a/b").chain(std::iter::repeat_n(name.as_str(), 30)).collect();
    let cut = shown(long.iter().map(OsStr::new));
    let ends = format!("{name}/{name}");
    assert_eq!(cut, PathBuf::from(format!("/a/b/{ends}/.../{ends}/{name}")));
}
