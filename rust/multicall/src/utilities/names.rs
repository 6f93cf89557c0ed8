//! s6-basename and s6-dirname: the two halves of a path.

use crate::options::Opt;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax, flag};
use std::os::unix::ffi::OsStrExt;

const OPTIONS: &[Opt] = &[flag('n', "no newline at the end")];

/// s6-basename.
pub static BASENAME: Applet = Applet {
    name: "s6-basename",
    section: Section::Utilities,
    about: "Print the last name in a path, without a suffix if that is given",
    options: OPTIONS,
    arguments: "file [ suffix ]",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: |call| {
        let name = last(call.argument(0, "file")?.as_bytes());
        let suffix = call.rest.get(1).map_or(&[][..], |word| word.as_bytes());
        call.warn_of_more_than(2);
        let shorter = name.strip_suffix(suffix).filter(|rest| !rest.is_empty());
        print(call, shorter.unwrap_or(name))
    },
};

/// s6-dirname.
pub static DIRNAME: Applet = Applet {
    name: "s6-dirname",
    section: Section::Utilities,
    about: "Print a path without its last name",
    options: OPTIONS,
    arguments: "file",
    syntax: Syntax::Posix,
    exit_codes: &[],
    run: |call| print(call, before_last(call.only_argument("file")?.as_bytes())),
};

fn print(call: &Invocation, text: &[u8]) -> Result<Exit, Failure> {
    let mut line = text.to_vec();
    if !call.has('n') {
        line.push(b'\n');
    }
    call.print(line)?;
    Ok(Exit::SUCCESS)
}

/// The last name of a path.
pub(super) fn last(path: &[u8]) -> &[u8] {
    match without_slashes(path) {
        [] if path.is_empty() => b".",
        [] => b"/",
        names => names.rsplit(|&byte| byte == b'/').next().unwrap_or(names),
    }
}

/// What is before it, less the slash between.
fn before_last(path: &[u8]) -> &[u8] {
    let names = without_slashes(path);
    match names.iter().rposition(|&byte| byte == b'/') {
        Some(0) => b"/",
        Some(slash) => names.get(..slash).unwrap_or(names),
        None if names.is_empty() && !path.is_empty() => b"/",
        None => b".",
    }
}

/// A path without the slashes at its end.
fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    path.get(..end).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for (path, dir, name) in [
            ("", ".", "."),
            ("/", "/", "/"),
            ("///", "/", "/"),
            ("a", ".", "a"),
            ("a/", ".", "a"),
            ("/a", "/", "a"),
            ("/a//", "/", "a"),
            ("a/b", "a", "b"),
            ("/a/b/c", "/a/b", "c"),
            ("a//b", "a/", "b"),
            ("//a", "/", "a"),
            (".", ".", "."),
            ("..", ".", ".."),
        ] {
            let (own_dir, own_name) = (before_last(path.as_bytes()), last(path.as_bytes()));
            assert_eq!((own_dir, own_name), (dir.as_bytes(), name.as_bytes()), "{path}");
        }
    }
}
