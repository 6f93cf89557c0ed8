//! Signals by number and by name.

use std::fmt;
use std::num::NonZeroU8;

/// A signal number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(NonZeroU8);

macro_rules! signals {
    ($($name:ident)*) => {
        #[allow(missing_docs, reason = "each constant is the signal of that name")]
        impl Signal {
            $(pub const $name: Signal = Signal(NonZeroU8::new(libc::$name as u8).unwrap());)*
        }

        /// Every signal with a name of its own, without the `SIG`.
        const NAMES: &[(&str, Signal)] = &[$((stringify!($name), Signal::$name)),*];
    };
}

signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG
    SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
}

impl Signal {
    /// The signal with this number, if there can be one.
    pub fn new(number: u8) -> Option<Signal> {
        NonZeroU8::new(number).filter(|n| n.get() <= 64).map(Signal)
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0.get()
    }

    /// By name, any case, with or without `SIG`, or by decimal number: the form of
    /// `down-signal` and of `s6-svc -s` (contract s6 §3.1).
    pub fn parse(text: &str) -> Option<Signal> {
        if text.bytes().next()?.is_ascii_digit() {
            return text.parse().ok().and_then(Signal::new);
        }
        let upper = text.to_ascii_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        NAMES.iter().find(|(name, _)| name.strip_prefix("SIG") == Some(bare)).map(|&(_, s)| s)
    }

    /// `SIGTERM`; `SIGRTMIN+3`-like signals have no name here and are shown by number, `SIG34`.
    pub fn name(self) -> String {
        match NAMES.iter().find(|&&(_, signal)| signal == self) {
            Some((name, _)) => (*name).to_owned(),
            None => format!("SIG{}", self.number()),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_in_every_form() {
        for text in ["TERM", "SIGTERM", "sigterm", "term", "15"] {
            assert_eq!(Signal::parse(text), Some(Signal::SIGTERM), "{text}");
        }
        for text in ["", "0", "65", "999", "SIG", "TER", "TERMS", "-1", " 15"] {
            assert_eq!(Signal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_named_signal_round_trips() {
        for number in 1..=64 {
            let signal = Signal::new(number).expect("1 to 64 are signals");
            assert_eq!(signal.number(), number);
            if !signal.name().ends_with(|c: char| c.is_ascii_digit()) {
                assert_eq!(Signal::parse(&signal.name()), Some(signal));
            }
        }
    }
}
