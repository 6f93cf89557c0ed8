//! `<PRI>` in front of syslog messages, by name.

/// Facilities by number; those from 12 to 15 have no name that the originals print.
const FACILITIES: [&str; 25] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "unknown", "unknown", "unknown", "unknown", "local0", "local1", "local2", "local3",
    "local4", "local5", "local6", "local7", "mark",
];

const PRIORITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The facility and priority that a message begins with, and the rest of it. `None`: it begins with
/// no `<number>`.
pub fn split(message: &[u8]) -> Option<(&'static str, &'static str, &[u8])> {
    let inside = message.strip_prefix(b"<")?;
    let end = inside.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = inside.split_at(end);
    let rest = rest.strip_prefix(b">")?;
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let facility = FACILITIES.get((number as usize & 0x3f8) >> 3).unwrap_or(&"unknown");
    let priority = PRIORITIES.get(number as usize & 7).unwrap_or(&"unknown");
    Some((facility, priority, rest))
}

/// The longest datagrams that may be asked for, in bytes, and the shortest.
pub const LIMITS: (usize, usize) = (76, 1 << 20);

/// Makes a line of a datagram, of which at most `limit` bytes and one more were read: without the newlines
/// and NULs at its end, with `~` for those within, with a mark where the rest is missing, and, unless it is
/// to stay `raw`, with facility and priority by name.
pub fn line(datagram: &mut [u8], limit: usize, raw: bool, output: &mut Vec<u8>) {
    let ends = |byte: u8| byte == b'\n' || byte == 0;
    let cut = datagram.len() > limit;
    let length = datagram.iter().rposition(|&byte| !ends(byte)).map_or(0, |last| last + 1);
    let text = datagram.get_mut(..length).unwrap_or(&mut []);
    text.iter_mut().filter(|byte| ends(**byte)).for_each(|byte| *byte = b'~');
    match split(text).filter(|_| !raw) {
        Some((facility, priority, rest)) => {
            output.extend_from_slice(format!("{facility}.{priority}: ").as_bytes());
            output.extend_from_slice(rest);
        }
        None => output.extend_from_slice(text),
    }
    output.extend_from_slice(if cut { b"...\n" } else { b"\n" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names() {
        assert_eq!(split(b"<0>x"), Some(("kern", "emerg", b"x".as_slice())));
        assert_eq!(split(b"<30> x"), Some(("daemon", "info", b" x".as_slice())));
        assert_eq!(split(b"<191>"), Some(("local7", "debug", b"".as_slice())));
        assert_eq!(split(b"<199>"), Some(("mark", "debug", b"".as_slice())));
    }

    #[test]
    fn datagrams_become_lines() {
        let made = |text: &[u8], raw| {
            let mut output = Vec::new();
            line(&mut text.to_vec(), 10, raw, &mut output);
            output
        };
        assert_eq!(made(b"<13>a\nb\0\n", false), b"user.notice: a~b\n");
        assert_eq!(made(b"<13>a\n", true), b"<13>a\n");
        assert_eq!(made(b"\n\0", false), b"\n");
        assert_eq!(made(b"0123456789", false), b"0123456789\n");
        assert_eq!(made(b"0123456789x", false), b"0123456789x...\n");
        assert_eq!(made(b"012345678\n\n", false), b"012345678...\n");
    }

    #[test]
    fn numbers_without_a_name() {
        assert_eq!(split(b"<96>x"), Some(("unknown", "emerg", b"x".as_slice())));
        assert_eq!(split(b"<4294967295>"), Some(("unknown", "debug", b"".as_slice())));
    }

    #[test]
    fn anything_else_stays() {
        for text in [b"".as_slice(), b"<", b"<>x", b"<1", b"<x>", b"<-1>x", b"<99999999999>x"] {
            assert_eq!(split(text), None);
        }
    }
}
