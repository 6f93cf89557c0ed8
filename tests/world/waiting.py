"""Wait for facts, with a deadline; never sleep as synchronisation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Fact = TypeVar("Fact")

PATIENCE_S = 10.0
"""How long a test waits for something that normally takes milliseconds, on a busy machine."""


class NeverHappened(AssertionError):
    """The deadline passed and the condition still did not hold."""


def until(
    condition: Callable[[], Fact | None],
    what: str = "",
    timeout_s: float = PATIENCE_S,
    explain: Callable[[], object] | None = None,
) -> Fact:
    """Ask `condition` until its answer is true, and return that answer.

    Raises `NeverHappened` with `what`, the last answer and `explain()` when `timeout_s` has passed.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = 0.001
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            more = f"; {explain()}" if explain else ""
            because = f"{what or condition} ({answer!r}){more}"
            raise NeverHappened(f"not within {timeout_s:g} s: {because}")
        time.sleep(pause_s)  # the pace of polling, not a guess about when it is done
        pause_s = min(pause_s * 1.5, 0.02)


def lines_of(path: Path) -> list[str]:
    """Return the complete lines of a file somebody may be appending to; none if it is absent."""
    try:
        text = path.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return []
    return text.split("\n")[:-1]


def until_lines(path: Path, count: int, timeout_s: float = PATIENCE_S) -> list[str]:
    """Wait until `path` has at least `count` complete lines and return them all."""
    return until(
        lambda: lines if len(lines := lines_of(path)) >= count else [],
        f"{count} lines in {path}",
        timeout_s,
        explain=lambda: lines_of(path),
    )


def until_line(path: Path, line: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait until `line` is one of the complete lines of `path`."""
    until(
        lambda: line in lines_of(path),
        f"the line {line!r} in {path}",
        timeout_s,
        explain=lambda: lines_of(path),
    )


def holds_for(condition: Callable[[], bool], duration_s: float) -> bool:
    """Whether `condition` stays true for `duration_s`: the only way to see that nothing happens."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(0.005)
    return condition()
