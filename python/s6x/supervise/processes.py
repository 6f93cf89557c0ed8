"""The processes of this machine, from /proc: who is whose child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process, as it was when looked at."""

    pid: int
    parent: int
    argv: tuple[str, ...]
    """Empty for a dead process that nobody has reaped, and for the kernel's own."""
    name: str
    """The kernel's name for it, at most 15 characters."""
    state: str
    """One letter of ps: R, S, D, T, Z…"""
    started: int
    """When, in ticks since the machine started: with the pid, this names a process for sure."""

    def __str__(self) -> str:
        """Show its command line, control characters escaped."""
        shown = " ".join(self.argv) or f"[{self.name}]"
        if self.state == "Z":
            shown += " (dead, not reaped)"
        return shown if shown.isprintable() else ascii(shown)[1:-1]


def look(pid: int) -> Process | None:
    """Look at one process; None if there is none of that number."""
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
        command = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may itself hold any of them.
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    fields = rest.split()
    words = os.fsdecode(command.rstrip(b"\0")).split("\0") if command else []
    return Process(
        pid=pid,
        parent=int(fields[1]),
        argv=tuple(words),
        name=os.fsdecode(name),
        state=os.fsdecode(fields[0]),
        started=int(fields[19]),
    )


def everything() -> dict[int, Process]:
    """Look at every process, by pid."""
    found = {}
    for pid in pids():
        process = look(pid)
        if process is not None:
            found[pid] = process
    return found


def pids() -> Iterator[int]:
    """Every process id there is now."""
    return (int(name) for name in os.listdir(PROC) if name.isdecimal())  # noqa: PTH208


def below(top: int, processes: dict[int, Process]) -> list[Process]:
    """Return the children of `top` among `processes`, their children, and so on, parents first."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = list(reversed(children.get(top, [])))
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting.extend(reversed(children.get(process.pid, [])))
    return found


def marked(assignment: str) -> list[Process]:
    """Return the processes that were started with this `NAME=value` in their environment.

    Processes of other users cannot be asked, and are left out.
    """
    wanted = os.fsencode(assignment)
    found = []
    for pid in pids():
        try:
            environment = (PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment.split(b"\0"):
            process = look(pid)
            if process is not None and process.state != "Z":
                found.append(process)
    return found
