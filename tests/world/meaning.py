"""What messages mean, whatever their words: who says it, how bad it is, and the system's reason."""

from __future__ import annotations

import errno
import os
import re

_REASONS = frozenset(os.strerror(number) for number in errno.errorcode)
_LINE = re.compile(
    r"(?P<who>[\w-]+(?: \(child\))?): (?P<level>usage|fatal|warning|info): (?P<text>.*)"
)

Meaning = tuple[str, str, str]
"""A program, `usage`, `fatal` or `warning`, and the system's reason, if it has given one."""


def meaning(said: str) -> list[Meaning]:
    """Return what each line means. Behind a usage, which option is wrong is no line of its own."""
    found: list[Meaning] = []
    for line in said.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            found.append(("", "", line))
            continue
        who, level, text = match.group("who", "level", "text")
        if found and found[-1] == (who, "usage", ""):
            continue
        reason = text.rpartition(": ")[2]
        found.append((who, level, reason if reason in _REASONS else ""))
    return found


def quoted(script: str) -> str:
    """Return a script in which '...' is a word, as in a shell, for readability."""
    return script.replace('"', '\\"').replace("'", '"')
