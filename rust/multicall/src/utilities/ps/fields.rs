//! The columns that s6-ps can show, and how.

use super::Process;
use s6x_core::error::Error;
use s6x_core::error::Result;
use s6x_core::sys::clock;
use s6x_core::sys::dir::{Dir, Open, open};
use s6x_core::sys::inode::Inode;
use s6x_core::sys::user::Accounts;
use s6x_core::sys::{fd, host};
use s6x_core::wire::environment::Environment;
use s6x_core::wire::tai64::Tai;
use s6x_core::wire::zone::{Civil, Zone};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

macro_rules! fields {
    ($($field:ident $name:literal $heading:literal $number:literal)*) => {
        /// A column.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($field),* }

        /// Every column: its name for `-o`, its heading, and whether it is a number.
        const FIELDS: &[(Field, &str, &str, bool)] = &[$((Field::$field, $name, $heading, $number)),*];
    };
}

fields! {
    Pid "pid" "PID" true
    Name "comm" "COMM" false
    State "s" "STAT" false
    Parent "ppid" "PPID" true
    Group "pgrp" "PGRP" true
    Session "sess" "SESSION" true
    Terminal "tty" "TTY" false
    Foreground "tpgid" "TPGID" true
    MinorFaults "minflt" "MINFLT" true
    ChildrenMinorFaults "cminflt" "CMINFLT" true
    MajorFaults "majflt" "MAJFLT" true
    ChildrenMajorFaults "cmajflt" "CMAJFLT" true
    UserTime "utime" "UTIME" false
    SystemTime "stime" "STIME" false
    AllUserTime "cutime" "CUTIME" false
    AllSystemTime "cstime" "CSTIME" false
    Priority "prio" "PRIO" true
    Nice "nice" "NICE" true
    Threads "thcount" "THREADS" true
    Started "start" "START" false
    VirtualSize "vsize" "VSZ" true
    Resident "rss" "RSS" true
    ResidentLimit "rsslimit" "RSSLIM" true
    Processor "psr" "CPU" true
    RealtimePriority "rtprio" "RTPRIO" true
    Policy "policy" "RTPOLICY" false
    User "user" "USER" false
    UserGroup "group" "GROUP" false
    MemoryShare "pmem" "%MEM" true
    WaitsIn "wchan" "WCHAN" false
    Arguments "args" "COMMAND" false
    Environment "env" "ENVIRONMENT" false
    ProcessorShare "pcpu" "%CPU" true
    Time "ttime" "TTIME" false
    AllTime "cttime" "CTTIME" false
    StartedStamp "tstart" "TSTART" false
    AllProcessorShare "cpcpu" "C%CPU" true
}

/// What numbers stand for on this machine.
pub(super) struct Lookup {
    accounts: Accounts,
    ticks: u64,
    page: u64,
    memory: u64,
    since_boot: Duration,
    now: (u64, u32),
    zone: Zone,
    /// Functions of the kernel by their addresses, from a file.
    functions: Option<BTreeMap<u64, Vec<u8>>>,
}

impl Lookup {
    /// What these columns need. The error is about the file with the kernel's functions.
    pub(super) fn new(
        fields: &[Field],
        functions: Option<&OsStr>,
        environment: &Environment,
    ) -> Result<Lookup> {
        let file = functions.filter(|_| fields.contains(&Field::WaitsIn));
        let functions = file.map(|path| addresses(Path::new(path))).transpose()?;
        Ok(Lookup { functions, ..Lookup::without_names(fields, environment) })
    }

    /// The same without names of the kernel's functions.
    pub(super) fn without_names(fields: &[Field], environment: &Environment) -> Lookup {
        let accounts = fields.iter().any(|f| matches!(f, Field::User | Field::UserGroup));
        Lookup {
            accounts: if accounts {
                Accounts::of_root(Path::new("/"))
            } else {
                Accounts::default()
            },
            ticks: host::ticks_per_second(),
            page: host::page_size(),
            memory: host::memory().max(1),
            since_boot: clock::since_boot(),
            now: clock::unix(),
            zone: clock::zone(environment),
            functions: None,
        }
    }

    /// So many ticks as a time.
    fn time(&self, ticks: u64) -> Duration {
        let rest = (ticks % self.ticks) * 1_000_000_000 / self.ticks;
        Duration::new(ticks / self.ticks, rest as u32)
    }

    /// The moment so many ticks after the boot, since 1970.
    fn moment(&self, ticks: u64) -> Duration {
        let now = Duration::new(self.now.0, self.now.1);
        now.saturating_sub(self.since_boot).saturating_add(self.time(ticks))
    }
}

/// The lines of a file like `/proc/kallsyms`: an address, a letter, a name.
fn addresses(path: &Path) -> Result<BTreeMap<u64, Vec<u8>>> {
    let text = open(path, Open::Read)
        .and_then(|file| fd::read_up_to(file, 256 << 20))
        .map_err(|errno| Error::on("read", path, errno))?;
    let line = |line: &[u8]| {
        let mut words = line.split(|&byte| byte == b' ');
        let address = std::str::from_utf8(words.next()?).ok()?;
        let name = words.nth(1)?;
        Some((u64::from_str_radix(address, 16).ok()?, name.to_vec()))
    };
    let mut functions = BTreeMap::new();
    functions.extend(text.split(|&byte| byte == b'\n').filter_map(line));
    Ok(functions)
}

impl Field {
    /// The column of this name.
    pub(super) fn named(name: &[u8]) -> Option<Field> {
        FIELDS.iter().find(|(_, known, ..)| known.as_bytes() == name).map(|&(field, ..)| field)
    }

    /// What stands above it.
    pub(super) fn heading(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, _, heading, _)| heading)
    }

    /// Whether it goes to the right.
    pub(super) fn is_number(self) -> bool {
        FIELDS.iter().any(|&(field, _, _, number)| field == self && number)
    }

    /// What a process has there. Nothing in it ends a line.
    pub(super) fn shown(self, process: &Process, lookup: &Lookup) -> Vec<u8> {
        let stat = &process.stat;
        let both = stat.user_time.saturating_add(stat.system_time);
        let all =
            both.saturating_add(stat.children_user_time).saturating_add(stat.children_system_time);
        let text = match self {
            Field::Pid => process.pid.to_string(),
            Field::Name => return printable(&stat.name),
            Field::State => state(process),
            Field::Parent => stat.parent.to_string(),
            Field::Group => stat.group.to_string(),
            Field::Session => stat.session.to_string(),
            Field::Terminal => stat.terminal_device().map_or("-".into(), terminal),
            Field::Foreground => stat.foreground.to_string(),
            Field::MinorFaults => stat.minor_faults.to_string(),
            Field::ChildrenMinorFaults => stat.children_minor_faults.to_string(),
            Field::MajorFaults => stat.major_faults.to_string(),
            Field::ChildrenMajorFaults => stat.children_major_faults.to_string(),
            Field::UserTime => spent(lookup, stat.user_time),
            Field::SystemTime => spent(lookup, stat.system_time),
            Field::AllUserTime => {
                spent(lookup, stat.user_time.saturating_add(stat.children_user_time))
            }
            Field::AllSystemTime => {
                spent(lookup, stat.system_time.saturating_add(stat.children_system_time))
            }
            Field::Priority => stat.priority.to_string(),
            Field::Nice => stat.nice.to_string(),
            Field::Threads => stat.threads.to_string(),
            Field::Started => started(lookup, stat.started),
            Field::VirtualSize => (stat.virtual_size / 1024).to_string(),
            Field::Resident => stat.resident_pages.saturating_mul(lookup.page / 1024).to_string(),
            Field::ResidentLimit => (stat.resident_limit / 1024).to_string(),
            Field::Processor => stat.processor.to_string(),
            Field::RealtimePriority => stat.realtime_priority.to_string(),
            Field::Policy => policy(stat.policy).to_owned(),
            Field::User => named(lookup.accounts.user_name(process.uid), process.uid),
            Field::UserGroup => named(lookup.accounts.group_name(process.gid), process.gid),
            Field::MemoryShare => {
                share(stat.resident_pages.saturating_mul(lookup.page), lookup.memory)
            }
            Field::WaitsIn => return waits_in(process, lookup),
            Field::Arguments => return arguments(process),
            Field::Environment => {
                return process.environment.as_ref().map_or(b"*".to_vec(), |all| printable(all));
            }
            Field::ProcessorShare => share(both, lifetime(lookup, stat.started)),
            Field::Time => spent(lookup, both),
            Field::AllTime => spent(lookup, all),
            Field::StartedStamp => {
                let moment = lookup.moment(stat.started);
                Tai::from_unix(moment.as_secs(), moment.subsec_nanos()).to_string()
            }
            Field::AllProcessorShare => share(all, lifetime(lookup, stat.started)),
        };
        text.into_bytes()
    }
}

/// As the kernel has it, then: leads its session, has threads, is in the foreground, is nice or not.
fn state(process: &Process) -> String {
    let stat = &process.stat;
    let mut text = String::from(char::from(stat.state));
    let foreground = u64::try_from(stat.foreground).is_ok_and(|group| group == stat.group);
    for (letter, holds) in [
        ('s', process.pid == stat.session),
        ('l', stat.threads > 1),
        ('+', foreground && stat.foreground > 0),
        ('<', stat.nice < 0),
        ('N', stat.nice > 0),
    ] {
        text.extend(holds.then_some(letter));
    }
    text
}

/// A terminal's name below `/dev`, if it has one, else its device number.
fn terminal((major, minor): (u64, u64)) -> String {
    let name = match major {
        4 if minor < 64 => Some(format!("tty{minor}")),
        136..=143 => Some(format!("pts/{}", (major - 136) << 20 | minor)),
        _ => None,
    };
    let device = |name: &String| Inode::behind(&Dir::open("/dev").ok()?, name).ok()?.device().ok();
    let number = (major & 0xfff) << 8 | minor & 0xff | (minor & 0xf_ff00) << 12;
    let listed = || {
        let path = format!("/sys/dev/char/{major}:{minor}/uevent");
        let text = fd::read_up_to(open(path, Open::Read).ok()?, 4096).ok()?;
        let text = String::from_utf8(text).ok()?;
        text.lines().find_map(|line| line.strip_prefix("DEVNAME=").map(str::to_owned))
    };
    name.filter(|name| device(name) == Some(number))
        .or_else(|| listed().filter(|name| device(name) == Some(number)))
        .unwrap_or_else(|| format!("({major}:{minor})"))
}

/// A name, or a number that has none.
fn named(name: Option<&str>, id: u32) -> String {
    name.map_or_else(|| format!("({id})"), str::to_owned)
}

/// Hundredths below a minute, else days, hours, minutes, seconds: as much as there is.
fn spent(lookup: &Lookup, ticks: u64) -> String {
    let time = lookup.time(ticks);
    let (seconds, minutes, hours) =
        (time.as_secs() % 60, time.as_secs() / 60 % 60, time.as_secs() / 3600 % 24);
    match time.as_secs() {
        0..60 => format!("{seconds:02}.{:02}s", time.subsec_millis() / 10),
        60..3600 => format!("{minutes:02}m{seconds:02}s"),
        3600..86_400 => format!("{hours:02}h{minutes:02}m{seconds:02}s"),
        all => format!("{}d{hours:02}h{minutes:02}m{seconds:02}s", all / 86_400),
    }
}

/// The time if it was today, the day and the time if not long ago, else the day and the year.
fn started(lookup: &Lookup, ticks: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = |moment| lookup.zone.civil(moment);
    let (Some(begin), Some(now)) = (civil(lookup.moment(ticks).as_secs()), civil(lookup.now.0))
    else {
        return "?".to_owned();
    };
    let Civil { year, month, day, hour, minute, second } = begin;
    let months = (now.year - year) * 12 + i64::from(now.month) - i64::from(month);
    if (year, month, day) == (now.year, now.month, now.day) {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else if year == now.year || (year + 1 == now.year && months < 9) {
        let name = MONTHS.get(usize::from(month).wrapping_sub(1)).unwrap_or(&"?");
        format!("{name}{day:02} {hour:02}:{minute:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// Ticks since a process was started, at least one.
fn lifetime(lookup: &Lookup, started: u64) -> u64 {
    let up = lookup.since_boot;
    let ticks = up.as_secs().saturating_mul(lookup.ticks)
        + u64::from(up.subsec_nanos()) * lookup.ticks / 1_000_000_000;
    ticks.saturating_sub(started).max(1)
}

/// A part of a whole, in per cent.
fn share(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn policy(number: u64) -> &'static str {
    match number {
        0 => "NORMAL",
        1 => "FIFO",
        2 => "RR",
        3 => "BATCH",
        5 => "IDLE",
        6 => "DEADLINE",
        7 => "EXT",
        _ => "UNKNOWN",
    }
}

/// By the file, if there is one; else as the kernel itself says.
fn waits_in(process: &Process, lookup: &Lookup) -> Vec<u8> {
    if let Some(functions) = &lookup.functions {
        return match process.stat.waits_at {
            0 => b"-".to_vec(),
            u64::MAX => b"*".to_vec(),
            address => functions.get(&address).map_or(b"?".to_vec(), |name| printable(name)),
        };
    }
    match process.waits_in.as_deref() {
        None => b"*".to_vec(),
        Some(b"0" | b"") => b"-".to_vec(),
        Some(name) => printable(name),
    }
}

/// Its words; those of the kernel's own, which have none, are their names in parentheses.
fn arguments(process: &Process) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(blanks) = process.depth.checked_sub(1) {
        text.extend(vec![b' '; blanks * 4 + 1]);
        text.extend_from_slice(b"\\_ ");
    }
    if !process.arguments.iter().all(|&byte| byte == 0) {
        text.extend(printable(&process.arguments));
    } else if process.stat.state == b'Z' {
        text.extend(printable(&process.stat.name));
        text.extend_from_slice(b" <defunct>");
    } else {
        text.push(b'(');
        text.extend(printable(&process.stat.name));
        text.push(b')');
    }
    text
}

/// Words with blanks between them; what would end the line or move about on the screen is a question
/// mark.
fn printable(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let shown = |byte: &u8| match byte {
        0 => b' ',
        1..=31 | 127 => b'?',
        byte => *byte,
    };
    bytes.get(..end).unwrap_or(&[]).iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_as_much_as_there_is() {
        let lookup = Lookup { ticks: 100, ..Lookup::without_names(&[], &Environment::default()) };
        for (ticks, text) in [
            (0, "00.00s"),
            (5999, "59.99s"),
            (6000, "01m00s"),
            (360_000, "01h00m00s"),
            (8_640_000 * 3 + 100, "3d00h00m01s"),
        ] {
            assert_eq!(spent(&lookup, ticks), text);
        }
    }

    #[test]
    fn moments_show_what_tells_them_apart() {
        let now = 1_700_000_000; // 2023-11-14 22:13:20 in Greenwich
        let lookup = Lookup {
            ticks: 1,
            now: (now, 0),
            since_boot: Duration::from_secs(now),
            ..Lookup::without_names(&[], &Environment::default())
        };
        assert_eq!(started(&lookup, now - 1).len(), 8);
        assert!(started(&lookup, now - 86_400 * 3).starts_with("Nov1"));
        assert!(started(&lookup, now - 86_400 * 300).contains(':'), "the same year");
        assert_eq!(started(&lookup, now - 86_400 * 500).len(), 10);
        assert!(started(&lookup, now - 86_400 * 500).starts_with("2022-"));
    }

    #[test]
    fn shares_of_anything() {
        assert_eq!(share(1, 3), "33.33");
        assert_eq!(share(u64::MAX, 1), "1844674407370955161500.00");
        assert_eq!(share(0, 0), "0.00");
    }

    #[test]
    fn names_are_unique() {
        for (nth, (field, name, ..)) in FIELDS.iter().enumerate() {
            assert_eq!(Field::named(name.as_bytes()), Some(*field));
            assert!(FIELDS.iter().skip(nth + 1).all(|(_, other, ..)| other != name));
        }
    }

    #[test]
    fn nothing_moves_about_on_the_screen() {
        assert_eq!(printable(b"a\0b\x1b[2J\n\0\0"), b"a b?[2J?");
    }
}
