//! s6-permafailon: in `finish`, turns too many deaths of one kind into a permanent failure.

use crate::invocation::{number, quoted};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use s6x_core::run::observe;
use s6x_core::sys::clock;
use s6x_core::wire::signal::Signal;
use s6x_core::wire::tally::{Death, MOST};
use std::path::Path;

/// s6-permafailon.
pub static APPLET: Applet = Applet {
    name: "s6-permafailon",
    section: Section::Status,
    about: "In finish: exit 125 after too many deaths of one kind, else run a program",
    options: &[],
    arguments: "seconds deathcount statuslist prog...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("125", "that many deaths of that kind: the service has failed for good"),
        ("126", "the program cannot be executed"),
        ("127", "there is no such program"),
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let seconds = numeric(call, 0, "seconds")?;
    let count = numeric(call, 1, "deathcount")?.min(MOST as u32) as usize;
    if count == 0 {
        return Err(Failure::usage("a deathcount of 0 is always reached"));
    }
    let list = call.argument(2, "statuslist")?.to_string_lossy();
    let kinds = kinds(&list).map_err(|why| Failure::new(100, why))?;
    if !Path::new("supervise/death_tally").exists() {
        call.warning("there is no ./supervise/death_tally: is this a service directory?");
    }
    let now = clock::wall();
    let matching: Vec<Death> = match observe::deaths(Path::new(".")) {
        Ok(deaths) => deaths
            .into_iter()
            // A stamp of the future (a clock set back) counts as now.
            .filter(|death| now.seconds_since(death.stamp) < u64::from(seconds))
            .filter(|death| kinds.iter().any(|kind| kind.matches(*death)))
            .collect(),
        Err(error) => {
            call.warning(error.to_string());
            Vec::new()
        }
    };
    match matching.get(count - 1) {
        Some(last) => {
            let kind = Signal::new(last.signal).map_or_else(
                || format!("exit code {}", last.code),
                |signal| format!("signal {signal}"),
            );
            call.info(format!(
                "PERMANENT FAILURE triggered after {count} events involving {kind} in the last \
                 {seconds} seconds"
            ));
            Ok(Exit::Code(125))
        }
        None => match call.rest.get(3..) {
            // As the original: a `finish` may have nothing more to do.
            None | Some([]) => Ok(Exit::SUCCESS),
            Some(program) => Ok(call.chain(program, call.environment.clone())),
        },
    }
}

fn numeric(call: &Invocation, index: usize, name: &str) -> Result<u32, Failure> {
    let word = call.argument(index, name)?;
    number(word).ok_or_else(|| Failure::usage(format!("{name}: {} is not a number", quoted(word))))
}

/// A kind of death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Exit codes of this range, bounds included. Deaths by signal have the code 128 + signal.
    Codes(u8, u8),
    /// This signal.
    Killed(Signal),
}

impl Kind {
    fn matches(self, death: Death) -> bool {
        match self {
            Kind::Codes(low, high) => (low..=high).contains(&death.code),
            Kind::Killed(signal) => death.signal == signal.number(),
        }
    }
}

/// Reads a list like `1,3-5 SIGSEGV`. A number is always an exit code.
fn kinds(list: &str) -> Result<Vec<Kind>, String> {
    let words = list.split([',', ';', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    words.map(kind).collect()
}

fn kind(word: &str) -> Result<Kind, String> {
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        let signal = Signal::parse(word);
        return signal.map(Kind::Killed).ok_or_else(|| {
            format!("invalid status list: {word:?} is neither exit code nor signal")
        });
    }
    let (low, high) = word.split_once('-').unwrap_or((word, word));
    let code = |text: &str| {
        text.parse::<u8>().map_err(|_| format!("invalid exit code in status list: {word:?}"))
    };
    let (low, high) = (code(low)?, code(high)?);
    if high < low {
        return Err(format!("invalid interval in status list: {word:?}"));
    }
    Ok(Kind::Codes(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(list in "[0-9A-Za-z,; \\t-]{0,20}|.{0,9}") {
            if let Ok(kinds) = kinds(&list) {
                let ordered = |kind: &Kind| !matches!(kind, Kind::Codes(low, high) if low > high);
                prop_assert!(kinds.iter().all(ordered));
            }
        }
    }

    #[test]
    fn lists() {
        assert_eq!(
            kinds("1, 3-5;SEGV\tsigabrt\n"),
            Ok(vec![
                Kind::Codes(1, 1),
                Kind::Codes(3, 5),
                Kind::Killed(Signal::SIGSEGV),
                Kind::Killed(Signal::SIGABRT),
            ])
        );
        assert_eq!(kinds(""), Ok(vec![]));
        for wrong in ["256", "5-3", "1-", "1-300", "FOO", "-1", "3x", "1--2"] {
            assert!(kinds(wrong).is_err(), "{wrong}");
        }
    }
}
