//! `s6x WORD`: applets natively, everything else by the Python command line.

use crate::applet::Section;
use crate::exit::{Exec, Failure};
use crate::table::{self, ALIASES, APPLETS};
use s6x_core::wire::environment::Environment;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Where an image keeps an interpreter of its own for s6x.
const PRIVATE_PYTHON: &str = "/package/s6x/bin/python3";

/// Names the interpreter that has the package `s6x`.
const PYTHON_VARIABLE: &str = "S6X_PYTHON";

/// The applet that `s6x WORD` means: that of this name, or `s6-WORD`.
pub(crate) fn applet(word: &OsStr) -> Option<&'static crate::Applet> {
    let word = word.to_str()?;
    table::named(word).or_else(|| table::named(&format!("s6-{word}")))
}

/// `--list-applets`: one name a line, sorted.
pub(crate) fn list() -> String {
    let own = APPLETS.iter().map(|applet| applet.name);
    let mut names: Vec<&str> = own.chain(ALIASES.iter().map(|(alias, _)| *alias)).collect();
    names.sort_unstable();
    names.join("\n") + "\n"
}

/// `--version`.
pub(crate) fn version() -> String {
    format!("s6x {}\n", env!("CARGO_PKG_VERSION"))
}

/// `--help`.
pub(crate) fn help() -> String {
    format!(
        "Usage: s6x WORD [ARGUMENTS]\n\n\
         Container init and process supervision.\n\n  \
         s6x status             what is up, what is not, and why (needs Python)\n  \
         s6x svc -r web         restart the service web, by its name or by its directory\n  \
         s6x svwait -U web      wait until it is ready\n  \
         s6x WORD --help        what a word does, its options and exit codes\n\n\
         Words that this executable knows; most are also programs, called s6-WORD or as \
         here:\n\n{}\n\
         Words that need s6x's Python package: status, tree, plan, check, install, build, bundle.\n",
        words()
    )
}

/// The words for applets by section, wrapped.
fn words() -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let own = APPLETS.iter().filter(|applet| applet.section == section);
        let mut names: Vec<&str> = own.map(|applet| short(applet.name)).collect();
        let is_own = |name: &str| table::named(name).is_some_and(|its| its.section == section);
        let aliases = table::ALIASES.iter().map(|(alias, _)| *alias).filter(|alias| is_own(alias));
        names.extend(aliases.map(short));
        names.sort_unstable();
        let mut line = format!("  {:<15}", section.title());
        for name in &names {
            if line.len() + name.len() > 96 {
                text += &line;
                text.push('\n');
                line = format!("  {:<15}", "");
            }
            line.push(' ');
            line.push_str(name);
        }
        if !names.is_empty() {
            text += &line;
            text.push('\n');
        }
    }
    text
}

/// What `s6x` calls an applet, if that is not another applet's name.
fn short(name: &'static str) -> &'static str {
    match name.strip_prefix("s6-") {
        Some(word) if table::named(word).is_none() => word,
        Some(_) | None => name,
    }
}

/// The Python command line for these words: the interpreter named by `$S6X_PYTHON`, the image's
/// private one, or `python3` on `PATH`. Not the module `s6x` itself, which would ask us again.
pub(crate) fn python(words: &[OsString], environment: &Environment) -> Exec {
    let interpreter = match environment.lookup(PYTHON_VARIABLE) {
        Some(named) if !named.is_empty() => named.to_owned(),
        Some(_) | None if Path::new(PRIVATE_PYTHON).exists() => PRIVATE_PYTHON.into(),
        Some(_) | None => "python3".into(),
    };
    let own = [interpreter, "-I".into(), "-m".into(), "s6x.cli".into()];
    Exec::new(own.into_iter().chain(words.iter().cloned()).collect(), environment.clone())
}

/// What to say when there is no Python for a word.
pub(crate) fn no_python(word: &OsStr, failure: &Failure) -> String {
    format!(
        "s6x: fatal: {:?} needs Python with the package s6x, named by ${PYTHON_VARIABLE}, at \
         {PRIVATE_PYTHON} or as python3 on $PATH ({}); without it only the words of s6x --help \
         work\n",
        word.to_string_lossy(),
        failure.message
    )
}

/// What to say when the name we were called by is no applet's: a link that should not be there.
pub(crate) fn no_applet(name: &OsStr) -> String {
    format!(
        "s6x: fatal: there is no program {:?} in this s6x; s6x --list-applets lists them\n",
        name.to_string_lossy()
    )
}
