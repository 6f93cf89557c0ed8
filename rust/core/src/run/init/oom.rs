//! Whether the kernel killed somebody of the container for want of memory.
//!
//! Who is killed so dies of SIGKILL and is not told why; the control group counts it. The count is read
//! when init begins and when a death asks for an explanation, so a boot costs one look.

use crate::sys::dir::{self, Open};
use crate::sys::fd;
use crate::wire::plan::decimal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Counts fit in this.
const MOST: usize = 4096;

/// How many were killed, as of the last look.
#[derive(Debug)]
pub(super) struct Kills {
    /// Where the kernel counts; `None`: nowhere that we see.
    counter: Option<PathBuf>,
    known: u64,
}

impl Kills {
    /// The first look.
    pub(super) fn now() -> Kills {
        let found = candidates().find_map(|path| Some((count(&path)?, path)));
        let (known, counter) = found.map_or((0, None), |(known, path)| (known, Some(path)));
        Kills { counter, known }
    }

    /// How many more there are than at the last look.
    pub(super) fn news(&mut self) -> u64 {
        let now = self.counter.as_deref().and_then(count).unwrap_or(self.known);
        let news = now.saturating_sub(self.known);
        self.known = now;
        news
    }
}

/// In a control group namespace, as containers usually have one, our group is the root; else it is
/// where the kernel says.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let top = Path::new("/sys/fs/cgroup");
    let named = std::iter::once_with(|| read(Path::new("/proc/self/cgroup"))).flatten();
    let named = named.flat_map(|groups| parse(&groups));
    let unified = std::iter::once(top.join("memory.events"));
    unified.chain(named).chain(std::iter::once(top.join("memory/memory.oom_control")))
}

/// Of lines `NUMBER:CONTROLLERS:PATH`, where the groups count.
fn parse(groups: &[u8]) -> Vec<PathBuf> {
    let counter = |line: &[u8]| {
        let mut parts = line.splitn(3, |&byte| byte == b':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let below = Path::new(OsStr::from_bytes(path.strip_prefix(b"/")?));
        let top = Path::new("/sys/fs/cgroup");
        match controllers {
            b"" => Some(top.join(below).join("memory.events")),
            b"memory" => Some(top.join("memory").join(below).join("memory.oom_control")),
            _ => None,
        }
    };
    groups.split(|&byte| byte == b'\n').filter_map(counter).collect()
}

/// What a counter says.
fn count(path: &Path) -> Option<u64> {
    let text = read(path)?;
    let mut lines = text.split(|&byte| byte == b'\n');
    let digits = lines.find_map(|line| line.strip_prefix(b"oom_kill "))?;
    decimal(digits.trim_ascii())
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let file = dir::open(path, Open::ReadNow).ok()?;
    fd::read_up_to(file, MOST).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;

    #[test]
    fn our_groups() {
        let groups =
            b"9:name=systemd:/\n4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/d:e\n0::x\nnonsense\n";
        let found = parse(groups);
        let expected =
            ["/sys/fs/cgroup/memory/a/b/memory.oom_control", "/sys/fs/cgroup/d:e/memory.events"];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn counters_count_up() {
        let path = std::env::temp_dir().join(format!("s6x-oom-{}", process::own_pid()));
        let write = |text: &str| std::fs::write(&path, text).expect("writable");
        write("low 0\noom 4\noom_kill 1\noom_group_kill 7\n");
        let mut kills = Kills { known: count(&path).expect("there"), counter: Some(path.clone()) };
        assert_eq!(kills.news(), 0);
        write("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
        assert_eq!((kills.news(), kills.news()), (2, 0));
        std::fs::remove_file(&path).expect("ours");
        assert_eq!(kills.news(), 0);
    }
}
