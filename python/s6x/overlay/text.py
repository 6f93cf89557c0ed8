"""Texts of the plan: strings with placeholders that the engine fills in when it uses them."""

from __future__ import annotations

ANYWHERE = frozenset({"run", "cwd", "uid"})
"""Placeholders that every text may hold; besides `env:NAME`."""


class TextError(ValueError):
    """A text holds a placeholder that nobody would fill in."""


def literal(text: str) -> str:
    """Return the text that reads as exactly these characters."""
    return text.replace("{", "{{")


def placeholders(text: str) -> list[str]:
    """Return the names of all placeholders of a text, in order.

    Raises TextError for a brace that is not closed.
    """
    names = []
    at = text.find("{")
    while at >= 0:
        if text.startswith("{{", at):
            at = text.find("{", at + 2)
            continue
        end = text.find("}", at)
        if end < 0:
            raise TextError(f"the brace at character {at} is never closed (write '{{{{' for '{{')")
        names.append(text[at + 1 : end])
        at = text.find("{", end)
    return names


def check(text: str, extra: tuple[str, ...] = ()) -> None:
    """Raise TextError unless each placeholder is one of `ANYWHERE`, `extra`, or `env:NAME`."""
    if "\0" in text:
        raise TextError("it holds a NUL character")
    for name in placeholders(text):
        if name in ANYWHERE or name in extra:
            continue
        if name.startswith("env:") and len(name) > 4 and "=" not in name:
            continue
        raise TextError(f"unknown placeholder {{{name}}} (write '{{{{' for '{{')")
