//! case: the block of the first pattern that matches a word.

use super::blocks::Blocks;
use super::{CHAIN_CODES, go_on};
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use s6x_core::error::shown;
use s6x_core::execline::frame::Frame;
use s6x_core::regex::{Dialect, Mistake, Regex};
use s6x_core::sys::pattern::{self, Rules};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// case.
pub static APPLET: Applet = Applet {
    name: "case",
    section: Section::Execline,
    about: "Become the block of the first pattern that matches a word",
    options: &[
        flag('S', "patterns are regular expressions (default)"),
        flag('s', "patterns are those of a shell"),
        flag('E', "extended regular expressions (default)"),
        flag('e', "basic regular expressions; with -s, a backslash is a character like others"),
        flag('n', "keep the variables as they are (default)"),
        flag('N', "what groups match becomes 1 and so on; with -s, slashes are matched as such"),
        flag('i', "ignore case; with -s, a first dot is matched by a dot only"),
    ],
    arguments: "value { pattern { prog... } ... } default...",
    syntax: Syntax::Posix,
    exit_codes: &[
        ("100", "wrong usage, or a pattern that is none"),
        CHAIN_CODES[0],
        CHAIN_CODES[1],
    ],
    run,
};

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let value = call.argument(0, "value")?;
    call.argument(1, "block")?;
    let mut blocks = Blocks::of(call, call.rest.get(1..).unwrap_or(&[]));
    let cases = blocks.need("unterminated case block")?;
    let mut inner = blocks.within(&cases);
    while let Some((pattern, rest)) = inner.rest().split_first() {
        if rest.is_empty() {
            return Err(Failure::new(100, "malformed case block"));
        }
        inner.go_to(rest);
        let chosen = inner.need("unterminated regex block")?;
        if let Some(groups) = matched(call, pattern, value)? {
            let mut environment = call.environment.clone();
            if wants_groups(call) && !is_shell(call) {
                Frame { zero: pattern.clone(), words: groups }.set(&mut environment);
            }
            return Ok(go_on(chosen, environment));
        }
    }
    Ok(go_on(blocks.rest().to_vec(), call.environment.clone()))
}

/// Whether patterns are those of a shell.
fn is_shell(call: &Invocation) -> bool {
    call.last_of("sS") == Some('s')
}

/// Whether groups become variables.
fn wants_groups(call: &Invocation) -> bool {
    call.last_of("nN") == Some('N')
}

/// What the groups of a pattern match, as far as they are asked for; `None` if it does not match.
fn matched(
    call: &Invocation,
    pattern: &OsStr,
    value: &OsStr,
) -> Result<Option<Vec<OsString>>, Failure> {
    let special = call.last_of("eE") == Some('e');
    if is_shell(call) {
        let rules = Rules {
            plain_backslash: special,
            dot_by_dot: call.has('i'),
            slash_by_slash: wants_groups(call),
        };
        return Ok(pattern::matches_under(rules, pattern, value).then(Vec::new));
    }
    // Not in parentheses: `a|b` matches what begins with an a, or ends with a b, as it always did.
    let whole = [b"^", pattern.as_bytes(), b"$"].concat();
    let dialect = Dialect { basic: special, ignores_case: call.has('i') };
    let regex = Regex::in_dialect(&whole, dialect).map_err(|mistake| {
        let why = Mistake { at: mistake.at.saturating_sub(1), ..mistake };
        let pattern = shown(Path::new(&pattern));
        Failure::new(100, format!("unable to compile the regular expression {pattern}: {why}"))
    })?;
    if !wants_groups(call) {
        return Ok(regex.is_match(value.as_bytes()).then(Vec::new));
    }
    let Some(found) = regex.find_groups(value.as_bytes()) else { return Ok(None) };
    let text = |range: Option<std::ops::Range<usize>>| {
        let bytes = range.and_then(|range| value.as_bytes().get(range)).unwrap_or(&[]);
        OsStr::from_bytes(bytes).to_owned()
    };
    Ok(Some(found.into_iter().skip(1).map(text).collect()))
}
