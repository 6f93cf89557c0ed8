//! s6-socklog: syslog datagrams as lines.

use super::readiness;
use crate::process::applyuidgid;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag, value};
use s6x_core::run::socklog::{self, Ended, Place, Settings};
use s6x_core::wire::syslog;
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// s6-socklog.
pub static APPLET: Applet = Applet {
    name: "s6-socklog",
    section: Section::Logging,
    about: "Print the syslog messages that come to a socket, a line each",
    options: &[
        flag('r', "leave <PRI> as it is, rather than turn it into facility and priority"),
        value('d', "fd", "write a newline there when the socket is there"),
        value('l', "bytes", "cut longer messages (1024; 76 to 1048576)"),
        value('t', "ms", "after SIGTERM, wait so long for the reader (0: ever)"),
        value('u', "uid", "become this user when the socket is there (0: do not)"),
        value('g', "gid", "become this group (0: do not)"),
        value('G', "gidlist", "have these supplementary groups, with commas between"),
        flag('U', "ids and groups are those of the variables UID, GID and GIDLIST"),
        value('x', "path", "the socket (/dev/log)"),
        value('i', "ip_port", "a UDP socket instead (port 514), and say who has sent a message"),
    ],
    arguments: "",
    syntax: Syntax::Posix,
    exit_codes: &[("99", "SIGTERM came, and the reader did not take everything in time")],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    call.warn_of_more_than(0);
    let (least, most) = syslog::LIMITS;
    let settings = Settings {
        place: place(call)?,
        limit: (call.number('l')?.unwrap_or(1024) as usize).clamp(least, most),
        raw: call.has('r'),
        credentials: applyuidgid::wanted(call)?,
        patience: match call.number('t')?.unwrap_or(0) {
            0 => None,
            limit => Some(Duration::from_millis(limit.into())),
        },
    };
    Ok(Exit::Code(match socklog::run(&settings, readiness(call)?)? {
        Ended::Flushed => 0,
        Ended::Late => 99,
    }))
}

/// The last of `-x` and `-i` counts.
fn place(call: &Invocation) -> Result<Place, Failure> {
    let last = call.options.iter().rfind(|(letter, _)| matches!(letter, 'x' | 'i'));
    match last {
        Some(('i', Some(word))) => udp(word).map(Place::Udp),
        Some((_, Some(path))) => Ok(Place::Local(path.into())),
        _ => Ok(Place::Local("/dev/log".into())),
    }
}

/// `ip`, `ip_port`, and for four numbers `ip:port`.
fn udp(word: &OsStr) -> Result<SocketAddr, Failure> {
    /// Where syslog listens.
    const PORT: u16 = 514;
    let wrong = || {
        let word = word.to_string_lossy();
        Failure::usage(format!("option -i: {word:?} is no address like 127.0.0.1_514 or ::1_514"))
    };
    let text = word.to_str().ok_or_else(wrong)?;
    let colon = text.rsplit_once(':').filter(|(ip, _)| !ip.contains(':'));
    let (ip, port) = match text.rsplit_once('_').or(colon) {
        Some((ip, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (ip, port.parse().map_err(|_| wrong())?)
        }
        Some(_) => return Err(wrong()),
        None => (text, PORT),
    };
    Ok(SocketAddr::new(ip.parse::<IpAddr>().map_err(|_| wrong())?, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (word, expected) in [
            ("127.0.0.1", Some("127.0.0.1:514")),
            ("127.0.0.1_5", Some("127.0.0.1:5")),
            ("127.0.0.1:5", Some("127.0.0.1:5")),
            ("::1", Some("[::1]:514")),
            ("::1_5", Some("[::1]:5")),
            ("::1:5", Some("[::1:5]:514")),
            ("::_65535", Some("[::]:65535")),
            ("127.0.0.1_65536", None),
            ("127.0.0.1_", None),
            ("127.0.0.1_x", None),
            ("127.0.0.1_+5", None),
            ("_5", None),
            ("localhost", None),
            ("", None),
        ] {
            let found = udp(OsStr::new(word)).ok().map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{word}");
        }
    }
}
