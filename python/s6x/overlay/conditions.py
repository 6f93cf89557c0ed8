"""Conditions of the plan: what the engine looks at when it comes to a step.

A condition is a tuple of strings, as on the wire (``docs/formats.md``); these functions write
them. A variable is one of the container's environment.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Condition: TypeAlias = tuple[str, ...]
    Conditions: TypeAlias = tuple[Condition, ...]

KINDS = {
    "set": (1, 1),
    "zero": (1, 1),
    "nonzero": (1, 1),
    "equals": (2, 3),
    "directory": (1, 1),
    "missing": (1, 1),
    "writable": (1, 1),
    "root": (0, 0),
    "command": (0, 0),
    "command-ended": (0, 0),
}
"""Kind → fewest and most arguments; `not` stands before any of them."""

PATH_KINDS = ("directory", "missing", "writable")
"""Kinds whose argument is a text with placeholders."""


def is_set(name: str) -> Condition:
    """Hold when the variable is not empty."""
    return ("set", name)


def zero(name: str) -> Condition:
    """Hold when the variable is unset, empty or a decimal zero."""
    return ("zero", name)


def nonzero(name: str) -> Condition:
    """Hold when `zero` does not."""
    return ("nonzero", name)


def equals(name: str, value: str, default: str | None = None) -> Condition:
    """Hold when the variable has this value; unset or empty, it counts as `default`."""
    return ("equals", name, value) if default is None else ("equals", name, value, default)


def directory(path: str) -> Condition:
    """Hold when the path leads to a directory."""
    return ("directory", path)


def missing(path: str) -> Condition:
    """Hold when nothing is there."""
    return ("missing", path)


def writable(path: str) -> Condition:
    """Hold when the engine may write there: rights, and a read-only file system, are looked at."""
    return ("writable", path)


def root() -> Condition:
    """Hold when the engine is root, in its user namespace."""
    return ("root",)


def command() -> Condition:
    """Hold when the container has a CMD."""
    return ("command",)


def command_ended() -> Condition:
    """Hold when the container stops because its CMD ended."""
    return ("command-ended",)


def negated(condition: Condition) -> Condition:
    """Hold when `condition` does not."""
    return condition[1:] if condition[0] == "not" else ("not", *condition)


def fault(condition: Condition) -> str | None:
    """Return what is wrong with the shape of a condition, or None."""
    words = condition[1:] if condition[:1] == ("not",) else condition
    if not words:
        return "a condition without a kind"
    if words[0] not in KINDS:
        return f"unknown condition {words[0]!r} (there are {', '.join(KINDS)})"
    least, most = KINDS[words[0]]
    if not least <= len(words) - 1 <= most:
        return f"condition {words[0]!r} with {len(words) - 1} arguments"
    return None
