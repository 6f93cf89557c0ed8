//! fstab2s6rc: the mounts of an fstab as services for s6-rc (contract execline §5.2).
//!
//! Each mount and each swap space becomes a oneshot. One that lies on another mount, or whose device
//! does, depends on it; apart from that, s6-rc may do all of them at once.

use super::modes;
use super::mount::text;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::Error;
use s6x_core::execline::quote;
use s6x_core::run::tree;
use s6x_core::sys::dir::{self, Dir, chmod};
use s6x_core::wire::mount::{Entry, entries};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// fstab2s6rc.
pub static APPLET: Applet = Applet {
    name: "fstab2s6rc",
    section: Section::Utilities,
    about: "Write source directories for s6-rc from an fstab, a service for each mount and swap space",
    options: &[
        flag('A', "those marked noauto as well (default)").long("include-noauto"),
        flag('a', "no service for those marked noauto").long("exclude-noauto"),
        flag('U', "services use s6-mount and its siblings (default)").long("without-uuid"),
        flag('u', "services use mount of util-linux: UUID= and LABEL=").long("with-uuid"),
        flag('E', "services are essential, and never unmounted (default)").long("essential"),
        flag('e', "services are recommended, and unmount when stopped").long("not-essential"),
        value('F', "fstab", "read this file (/etc/fstab)").long("fstab"),
        value('m', "mode", "the mode of dir, octal (0755)").long("mode"),
        value('B', "bundle", "also write bundles of this name, -mounts and -swaps").long("bundle"),
        value('d', "dep", "every service depends on this one").long("base-dependency"),
    ],
    arguments: "dir",
    syntax: Syntax::Long,
    exit_codes: &[("1", "the fstab is not one; nothing was written")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let top = Path::new(call.only_argument("directory")?);
    let mode = modes::option(call)?.unwrap_or(0o755);
    for letter in ['B', 'd'] {
        call.value(letter).map_or(Ok(()), |name| is_name(letter, name))?;
    }
    let how = How {
        noauto: call.last_of("Aa") != Some('a'),
        labels: call.last_of("Uu") == Some('u'),
        essential: call.last_of("Ee") != Some('e'),
    };
    let fstab = call.value('F').unwrap_or(OsStr::new("/etc/fstab"));
    let services = services(&text(fstab)?, how, &mut |warning| call.warning(warning));
    let services = services
        .map_err(|why| Failure::new(1, format!("{}: {why}", Path::new(fstab).display())))?;
    dir::mkdir(top, 0o700).map_err(|errno| Error::on("mkdir", top, errno))?;
    let written = Dir::open(top).map_err(|errno| Error::on("open", top, errno)).and_then(|dir| {
        let failed = |errno| Error::on("write a service in", top, errno);
        for service in &services {
            write(&dir, service, call.value('d')).map_err(failed)?;
        }
        if let Some(name) = call.value('B') {
            write_bundles(&dir, name, &services).map_err(failed)?;
        }
        chmod(&dir, mode).map_err(failed)
    });
    if let Err(error) = written {
        let _ = tree::remove(top); // half of it would be mistaken for the whole
        return Err(error.into());
    }
    Ok(Exit::SUCCESS)
}

/// What the services are to be like.
#[derive(Clone, Copy, Debug)]
struct How {
    /// Whether there are services for entries marked noauto.
    noauto: bool,
    /// Whether devices may be named by UUID or label.
    labels: bool,
    /// Whether nothing is ever unmounted.
    essential: bool,
}

/// A service to be written.
#[derive(Debug, PartialEq, Eq)]
struct Service {
    name: OsString,
    swap: bool,
    up: Vec<u8>,
    down: Vec<u8>,
    /// `flag-essential` or `flag-recommended`, which one marked noauto has not.
    flag: Option<&'static str>,
    needs: BTreeSet<OsString>,
}

/// Options that are not for the kernel.
const IGNORED: [&[u8]; 4] = [b"comment", b"defaults", b"owner", b"user"];

/// The services of an fstab. The error says what is wrong with it, and where.
fn services(fstab: &[u8], how: How, warn: &mut dyn FnMut(String)) -> Result<Vec<Service>, String> {
    let mut all = Vec::new();
    for (nth, line) in fstab.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let wrong = |why: &str| format!("line {}: {why}", nth + 1);
        let entry = entries(line).next().ok_or_else(|| wrong("fewer than three fields"))?;
        let swap = entry.kind == "swap";
        if !swap && !entry.place.as_bytes().starts_with(b"/") {
            return Err(wrong("the mount point is no absolute path"));
        }
        if !swap && all.iter().any(|(_, known): &(bool, Entry)| known.place == entry.place) {
            return Err(wrong("the mount point is there twice"));
        }
        if !how.labels && is_label(&entry.device) {
            warn(format!(
                "{}: s6-mount knows no {}; -u makes services that do",
                wrong("a device that is named by its label or UUID"),
                entry.device.display()
            ));
        }
        all.push((swap, entry));
    }
    let mounts: Vec<&Entry> = all.iter().filter(|(swap, _)| !swap).map(|(_, e)| e).collect();
    let wanted = all.iter().filter(|(_, entry)| how.noauto || !has(entry, b"noauto"));
    Ok(wanted.map(|(swap, entry)| service(entry, *swap, how, &mounts)).collect())
}

fn service(entry: &Entry, swap: bool, how: How, mounts: &[&Entry]) -> Service {
    let (mount, unmount, enable, disable) = if how.labels {
        ("mount", "umount -l", "swapon", "swapoff")
    } else {
        ("s6-mount", "s6-umount", "s6-swapon", "s6-swapoff")
    };
    let options: Vec<&[u8]> = kernel_options(entry).collect();
    let options = OsString::from_vec(options.join(&b','));
    let device = quote::quoted(&entry.device);
    let mut up = if swap { enable } else { mount }.as_bytes().to_vec();
    let named = |option: &[u8], value: &OsStr| [option, quote::quoted(value).as_slice()].concat();
    if !swap && entry.kind != "none" {
        up.extend(named(b" -t ", &entry.kind));
    }
    if !options.is_empty() && (!swap || how.labels) {
        up.extend(named(b" -o ", &options));
    }
    up.extend([b" -- ", device.as_slice()].concat());
    if !swap {
        up.extend(named(b" ", &entry.place));
    }
    if has(entry, b"nofail") {
        up = [b"foreground { ", up.as_slice(), b" }\nexit 0"].concat();
    }
    up.push(b'\n');
    let noauto = has(entry, b"noauto");
    let down = if noauto || !how.essential {
        let (program, what) = if swap { (disable, &entry.device) } else { (unmount, &entry.place) };
        let what = quote::quoted(what);
        [b"foreground { ", program.as_bytes(), b" -- ", what.as_slice(), b" }\nexit 0\n"].concat()
    } else {
        Vec::new()
    };
    let below = |path: &OsStr| {
        let above = mounts.iter().filter(|other| is_below(path, &other.place));
        above.max_by_key(|other| other.place.len()).map(|other| name(false, &other.place))
    };
    let mut needs: BTreeSet<OsString> = below(&entry.device).into_iter().collect();
    if !swap {
        needs.extend(below(&entry.place));
    }
    let name = name(swap, if swap { &entry.device } else { &entry.place });
    let flag = if how.essential { "flag-essential" } else { "flag-recommended" };
    Service { name, swap, up, down, flag: (!noauto).then_some(flag), needs }
}

fn is_label(device: &OsStr) -> bool {
    device.as_bytes().starts_with(b"UUID=") || device.as_bytes().starts_with(b"LABEL=")
}

/// Whether an entry has this option.
fn has(entry: &Entry, option: &[u8]) -> bool {
    entry.options.as_bytes().split(|&byte| byte == b',').any(|word| word == option)
}

/// The options that mount(2) or the file system is to see.
fn kernel_options(entry: &Entry) -> impl Iterator<Item = &[u8]> {
    entry.options.as_bytes().split(|&byte| byte == b',').filter(|word| {
        let ours = matches!(*word, b"" | b"noauto" | b"nofail") || word.starts_with(b"x-");
        !ours && !IGNORED.contains(word)
    })
}

/// Whether a path lies on what is mounted there. Everything does on `/`, which needs no service.
fn is_below(path: &OsStr, place: &OsStr) -> bool {
    let rest = path.as_bytes().strip_prefix(place.as_bytes());
    place != "/" && rest.is_some_and(|rest| rest.starts_with(b"/"))
}

/// `mount-var:log`, `swap-dev:sda2`.
fn name(swap: bool, path: &OsStr) -> OsString {
    let path = path.as_bytes();
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let colons = path.iter().map(|&byte| if byte == b'/' { b':' } else { byte });
    let kind: &[u8] = if swap { b"swap-" } else { b"mount-" };
    OsString::from_vec(kind.iter().copied().chain(colons).collect())
}

/// The error is that of a name which is none.
fn is_name(letter: char, name: &OsStr) -> Result<(), Failure> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.starts_with(b".") || bytes.contains(&b'/') {
        let shown = crate::invocation::quoted(name);
        return Err(Failure::usage(format!("option -{letter}: {shown} is no name of a service")));
    }
    Ok(())
}

fn write(top: &Dir, service: &Service, base: Option<&OsStr>) -> Result<(), s6x_core::error::Errno> {
    top.mkdir(&service.name, 0o755)?;
    let own = top.sub_nofollow(&service.name)?;
    own.replace("type", b"oneshot\n", 0o644)?;
    own.replace("up", &service.up, 0o644)?;
    own.replace("down", &service.down, 0o644)?;
    if let Some(flag) = service.flag {
        own.replace(flag, b"", 0o644)?;
    }
    own.mkdir("dependencies.d", 0o755)?;
    let needs = own.sub_nofollow("dependencies.d")?;
    for name in service.needs.iter().map(OsString::as_os_str).chain(base) {
        needs.replace(name, b"", 0o644)?;
    }
    Ok(())
}

/// One bundle of the mounts, one of the swap spaces, and one of both.
fn write_bundles(
    top: &Dir,
    name: &OsStr,
    services: &[Service],
) -> Result<(), s6x_core::error::Errno> {
    let ended = |end: &str| OsString::from_vec([name.as_bytes(), end.as_bytes()].concat());
    let of = |swap: bool| {
        let auto = services.iter().filter(move |s| s.swap == swap && s.flag.is_some());
        auto.map(|service| service.name.clone()).collect::<Vec<_>>()
    };
    let (mounts, swaps) = (ended("-mounts"), ended("-swaps"));
    for (bundle, contents) in [
        (name.to_owned(), vec![mounts.clone(), swaps.clone()]),
        (mounts, of(false)),
        (swaps, of(true)),
    ] {
        top.mkdir(&bundle, 0o755)?;
        let own = top.sub_nofollow(&bundle)?;
        own.replace("type", b"bundle\n", 0o644)?;
        own.mkdir("contents.d", 0o755)?;
        let inside = own.sub_nofollow("contents.d")?;
        for name in contents {
            inside.replace(name, b"", 0o644)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FSTAB: &[u8] = b"# what is mounted\n\
        /dev/sda1 / ext4 defaults 0 1\n\
        /dev/sda2 none swap sw,pri=1\n\
        /dev/sda3 /var ext4 ro,nofail,x-systemd.automount 0 2\n\
        tmpfs /var/tmp\\040x tmpfs size=1m\n\
        /var/image /mnt none bind,noauto\n\
        /var/swap none swap noauto\n";

    fn made(how: How) -> Vec<Service> {
        services(FSTAB, how, &mut |warning| panic!("{warning}")).expect("an fstab")
    }

    fn shown(text: &[u8]) -> &str {
        std::str::from_utf8(text).expect("text")
    }

    const USUAL: How = How { noauto: true, labels: false, essential: true };

    #[test]
    fn scripts() {
        let services = made(USUAL);
        let ups: Vec<&str> = services.iter().map(|service| shown(&service.up)).collect();
        assert_eq!(
            ups,
            [
                "s6-mount -t \"ext4\" -- \"/dev/sda1\" \"/\"\n",
                "s6-swapon -- \"/dev/sda2\"\n",
                "foreground { s6-mount -t \"ext4\" -o \"ro\" -- \"/dev/sda3\" \"/var\" }\nexit 0\n",
                "s6-mount -t \"tmpfs\" -o \"size=1m\" -- \"tmpfs\" \"/var/tmp x\"\n",
                "s6-mount -o \"bind\" -- \"/var/image\" \"/mnt\"\n",
                "s6-swapon -- \"/var/swap\"\n",
            ]
        );
        let down =
            |how: How| made(how).iter().map(|s| shown(&s.down).to_owned()).collect::<Vec<_>>();
        assert_eq!(down(USUAL)[3], "");
        assert_eq!(down(USUAL)[4], "foreground { s6-umount -- \"/mnt\" }\nexit 0\n");
        let mortal = How { essential: false, labels: true, ..USUAL };
        assert_eq!(down(mortal)[1], "foreground { swapoff -- \"/dev/sda2\" }\nexit 0\n");
        assert_eq!(down(mortal)[2], "foreground { umount -l -- \"/var\" }\nexit 0\n");
        assert_eq!(shown(&made(mortal)[1].up), "swapon -o \"sw,pri=1\" -- \"/dev/sda2\"\n");
    }

    #[test]
    fn names_flags_and_needs() {
        let services = made(USUAL);
        let facts: Vec<(&str, bool, Vec<&str>)> = services
            .iter()
            .map(|service| {
                let needs = service.needs.iter().map(|need| need.to_str().expect("text"));
                (service.name.to_str().expect("text"), service.flag.is_some(), needs.collect())
            })
            .collect();
        assert_eq!(
            facts,
            [
                ("mount-", true, vec![]),
                ("swap-dev:sda2", true, vec![]),
                ("mount-var", true, vec![]),
                ("mount-var:tmp x", true, vec!["mount-var"]),
                ("mount-mnt", false, vec!["mount-var"]),
                ("swap-var:swap", false, vec!["mount-var"]),
            ]
        );
        assert_eq!(made(How { noauto: false, ..USUAL }).len(), 4);
        assert_eq!(made(USUAL)[0].flag, Some("flag-essential"));
        let mortal = made(How { essential: false, ..USUAL });
        assert_eq!(mortal[0].flag, Some("flag-recommended"));
    }

    #[test]
    fn mistakes_have_their_line() {
        for (fstab, why) in [
            ("\n/dev/a /", "line 2: fewer than three fields"),
            ("/dev/a b ext4", "line 1: the mount point is no absolute path"),
            ("a /x t\nb /x t", "line 2: the mount point is there twice"),
        ] {
            let error = services(fstab.as_bytes(), USUAL, &mut |_| ()).expect_err("wrong");
            assert_eq!(error, why);
        }
        let mut warnings = Vec::new();
        let text = b"UUID=12 /x ext4\nLABEL=a /y ext4";
        let made = services(text, USUAL, &mut |warning| warnings.push(warning));
        assert_eq!(made.map(|services| services.len()), Ok(2));
        assert_eq!(warnings.len(), 2);
        assert!(warnings.iter().all(|warning| warning.contains("-u makes services that do")));
    }
}
