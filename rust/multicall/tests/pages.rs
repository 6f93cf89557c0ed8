//! `docs/commands`: a page for every applet, made of the table and of `docs/manual`.
//!
//! The table says how a program is called and how it ends; `docs/manual/NAME.md`, where there is one,
//! says the rest in prose: first what it does, then sections of its own. `make docs` writes the pages; the
//! same tool then makes those of the commands that Python has, the list of all, and the manual
//! pages (`tools/manual.py`).

use s6x_multicall::applet::Applet;
use s6x_multicall::options::{Opt, Syntax};
use s6x_multicall::table::{self, APPLETS};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// The pages of Python's commands, and what is no page of a command.
fn is_python(name: &str) -> bool {
    name == "README" || name == "s6x" || name.starts_with("s6x-")
}

/// What lies in a directory of pages: names, without `.md`.
fn names(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(DOCS).join(directory)).expect(directory);
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect(directory).file_name().into_string().expect("UTF-8");
        name.strip_suffix(".md").map(str::to_owned)
    };
    entries.filter_map(name).collect()
}

fn file(directory: &str, name: &str) -> PathBuf {
    Path::new(DOCS).join(directory).join(format!("{name}.md"))
}

/// What `s6x` calls it, too.
fn word(applet: &Applet) -> &'static str {
    match applet.name.strip_prefix("s6-") {
        Some(word) if table::named(word).is_none() => word,
        Some(_) | None => applet.name,
    }
}

/// The description, and the sections behind it.
fn prose(name: &str) -> (String, String) {
    let text = fs::read_to_string(file("manual", name)).unwrap_or_default();
    let text = format!("\n{text}"); // some have no description
    match text.find("\n## ") {
        Some(at) => (text[..at].trim().to_owned(), text[at..].trim().to_owned()),
        None => (text.trim().to_owned(), String::new()),
    }
}

fn page(applet: &Applet) -> String {
    let (description, sections) = prose(applet.name);
    let mut page = format!(
        "<!-- made by `make docs` from the table of applets and docs/manual -->\n\n# {}\n\n{}.\n\n",
        applet.name, applet.about
    );
    let _ = write!(page, "    {}\n\n", applet.usage());
    let _ = write!(page, "{} · also `s6x {}`", applet.section.title(), word(applet));
    for (alias, _) in table::ALIASES.iter().filter(|(_, name)| *name == applet.name) {
        let _ = write!(page, ", `{alias}`");
    }
    page.push('\n');
    if !description.is_empty() {
        let _ = write!(page, "\n## Description\n\n{description}\n");
    }
    if applet.syntax == Syntax::Raw {
        page.push_str("\n## Options\n\nNone: every word is an argument, `--help` too. (`s6x ");
        let _ = writeln!(page, "{} --help` shows the help.)", word(applet));
    } else if !applet.options.is_empty() {
        page.push_str("\n## Options\n\n");
        for option in applet.options {
            let _ = writeln!(page, "- {}: {}", names_of(option), escaped(option.help));
        }
    }
    page.push_str("\n## Exit codes\n\n");
    for (code, meaning) in applet.codes() {
        let _ = writeln!(page, "- `{code}`: {}", escaped(meaning));
    }
    if !sections.is_empty() {
        let _ = write!(page, "\n{sections}\n");
    }
    if !sections.contains("## See also\n") {
        let section = applet.section.title();
        let anchor = section.to_lowercase().replace(' ', "-");
        let _ = write!(page, "\n## See also\n\n[{section}](README.md#{anchor})\n");
    }
    page
}

/// `-t ms`, `--timeout=ms`
fn names_of(option: &Opt) -> String {
    let value = |before: &str| option.value.map(|v| format!("{before}{v}")).unwrap_or_default();
    let letter = option.has_letter().then(|| format!("`-{}{}`", option.letter, value(" ")));
    let long = option.long.map(|name| format!("`--{name}{}`", value("=")));
    letter.into_iter().chain(long).collect::<Vec<_>>().join(", ")
}

/// Plain text in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if "*_`<[|\\".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

#[test]
fn every_applet_has_its_page() {
    let write = std::env::var_os("S6X_WRITE_PAGES").is_some();
    let mut stale = Vec::new();
    for applet in APPLETS {
        let (path, page) = (file("commands", applet.name), page(applet));
        if fs::read_to_string(&path).unwrap_or_default() != page {
            stale.push(applet.name.to_owned());
            if write {
                fs::write(&path, page).expect("a page can be written");
            }
        }
    }
    let known = |name: &String| table::named(name).is_some() || is_python(name);
    for name in names("commands").into_iter().filter(|name| !known(name)) {
        if write {
            fs::remove_file(file("commands", &name)).expect("a page can be removed");
        }
        stale.push(name);
    }
    assert!(write || stale.is_empty(), "`make docs` brings these pages up to date: {stale:?}");
}

#[test]
fn prose_belongs_to_a_program() {
    let known = |name: &String| table::named(name).is_some() || is_python(name);
    let nobodys: Vec<String> = names("manual").into_iter().filter(|name| !known(name)).collect();
    assert!(nobodys.is_empty(), "{nobodys:?}");
}

#[test]
fn prose_names_only_options_that_there_are() {
    for applet in APPLETS.iter().filter(|applet| file("manual", applet.name).exists()) {
        let (description, sections) = prose(applet.name);
        // `-u` is an option; `-ERE` may be a directive of s6-log.
        let given = |span: &str| match span.as_bytes() {
            &[b'-', letter] if letter != b'-' => Some(char::from(letter)),
            _ => None,
        };
        let spans = [description, sections].join("\n");
        for letter in spans.split('`').skip(1).step_by(2).filter_map(given) {
            let known = applet.options.iter().any(|o| o.letter == letter);
            assert!(known, "docs/manual/{}.md: there is no -{letter}", applet.name);
        }
    }
}
