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
