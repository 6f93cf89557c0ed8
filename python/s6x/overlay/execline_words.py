"""Words of an execline script, what is substituted in them, and what looks as if it were."""

from __future__ import annotations

import os
import re

from s6x.overlay.findings import Finding
from s6x.overlay.record import Record

DOLLAR = re.compile(rb"(\\*)\$(?:\{([^\\${}]+)\}|([^\\${}]+))", re.DOTALL)
"""What a substitution would look at: backslashes before it, and a name with or without braces."""

NAME = re.compile(rb"[A-Za-z_]\w*|[0-9]+|[#@?!]", re.ASCII)
"""Names that somebody means to be substituted."""


class Word(Record):
    """A word of a script, and where it begins."""

    text: bytes
    line: int
    column: int


class Scope(Record):
    """What is known where a word stands."""

    keys: frozenset[bytes]
    """What is substituted."""
    positional: bool
    """Whether `$1` and the like are."""
    hints: dict[bytes, str]
    """Name to what would have to be done before it is substituted."""
    known_path: bool
    """Whether programs are looked for where the image has them."""


class Notes:
    """What is found in one script."""

    def __init__(self, name: str, content: bytes) -> None:
        """Begin with nothing found in the script that is called `name`."""
        self.name = name
        self.lines = content.split(b"\n")
        self.findings: list[Finding] = []
        self.ignores_positionals = False
        """Whether the first line says -P."""

    def add(self, level: str, line: int, column: int, what: str, why: str, remedy: str) -> None:
        """Note a finding at a place."""
        self.findings.append(Finding(level, f"{self.name}:{line}:{column}", what, why, remedy))

    def at(self, level: str, word: Word, what: str, why: str, remedy: str) -> None:
        """Note a finding about a word."""
        self.add(level, word.line, word.column, what, why, remedy)

    def dollars(self, words: list[Word], scope: Scope) -> None:
        """Look for names with a dollar sign that nothing substitutes."""
        for word in words:
            names = set()
            for found in DOLLAR.finditer(word.text):
                escaped = len(found[1]) % 2
                name = found[2] or found[3]
                if escaped or name in names or is_key(name, scope):
                    continue
                names.add(name)
                begin = NAME.match(name)
                if begin is None:
                    continue
                if begin[0] == name:
                    self.unsubstituted(word, found[0][len(found[1]) :], name, scope)
                elif found[3] and name[begin.end() : begin.end() + 1] in b"/.:,;=- \t\n":
                    self.glued(word, begin[0], name, scope)

    def unsubstituted(self, word: Word, text: bytes, name: bytes, scope: Scope) -> None:
        """Note a name that stays as it is, unless a backslash in the script says that it shall."""
        if b"\\" + text in self.lines[word.line - 1]:
            return
        its = shown(name)
        if name.isdigit() or name in (b"#", b"@"):
            remedy = (
                "-P leaves the parameters alone: write -S0 in the first line"
                if self.ignores_positionals
                else "put elgetpositionals before it, or write -S0 in the first line"
            )
        else:
            remedy = scope.hints.get(name, f"put importas -i {its} {its} before it")
        remedy += f", or \\{shown(text)} if that is meant"
        self.at(
            "warning", word, f"nothing substitutes {shown(text)}",
            "it stays as it is, dollar sign and all", remedy,
        )  # fmt: skip

    def glued(self, word: Word, begin: bytes, name: bytes, scope: Scope) -> None:
        """Note a name that goes on where it was not meant to."""
        if is_key(begin, scope):
            self.at(
                "error", word, f"${shown(name)} is not ${shown(begin)} and more",
                "a name goes on to the end of the word, or to one of \\ $ { }, so this stays as it "
                "is",
                f"write ${{{shown(begin)}}}{shown(name[len(begin) :])}",
            )  # fmt: skip
        else:
            self.unsubstituted(word, b"$" + begin, begin, scope)


def shown(text: bytes) -> str:
    """Return text of a script as a message shows it."""
    its = os.fsdecode(text)
    return its if its.isprintable() else repr(its)


def is_key(name: bytes, scope: Scope) -> bool:
    """Say whether a name is substituted."""
    if scope.positional and (name.isdigit() or name in (b"#", b"@")):
        return True
    return name in scope.keys


def is_substituted(word: Word, scope: Scope) -> bool:
    """Say whether anything in a word is."""
    return any(is_key(found[2] or found[3], scope) for found in DOLLAR.finditer(word.text))
