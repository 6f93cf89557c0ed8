"""The facts of a process, as the kernel tells them: the witness needs no code of its own."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """What `/proc` says about one process at one moment."""

    pid: int
    ppid: int
    pgid: int
    sid: int
    tty: int
    state: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    descriptors: dict[int, str]
    blocked: frozenset[int]
    ignored: frozenset[int]
    caught: frozenset[int]
    umask: int
    threads: int


def look(pid: int) -> Process:
    """Read everything about `pid`; raises `ProcessLookupError` if it is gone or going."""
    proc = Path(f"/proc/{pid}")
    try:
        stat = _stat(pid)
        fields = dict(
            line.split(":\t", 1)
            for line in (proc / "status").read_text().splitlines()
            if ":\t" in line
        )
        return Process(
            pid=pid,
            state=stat[0],
            ppid=int(stat[1]),
            pgid=int(stat[2]),
            sid=int(stat[3]),
            tty=int(stat[4]),
            argv=argv_of(pid),
            env=_environment(proc),
            cwd=str((proc / "cwd").readlink()),
            descriptors=descriptors_of(pid),
            blocked=_signals(fields["SigBlk"]),
            ignored=_signals(fields["SigIgn"]),
            caught=_signals(fields["SigCgt"]),
            umask=int(fields["Umask"], 8),
            threads=int(fields["Threads"]),
        )
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone: {error}") from error


def argv_of(pid: int) -> tuple[str, ...]:
    """The words of a command line (or of a title); raises `ProcessLookupError` if it is gone."""
    content = _read(pid, "cmdline")
    return tuple(os.fsdecode(word) for word in content.removesuffix(b"\0").split(b"\0"))


def descriptors_of(pid: int) -> dict[int, str]:
    """Open descriptors and what they point to."""
    found = {}
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error
    for entry in entries:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[int(entry.name)] = str(entry.readlink())
    return found


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie does not."""
    try:
        return _stat(pid)[0] not in "ZX"
    except ProcessLookupError:
        return False


def state_of(pid: int) -> str:
    """The state letter: R, S, T (stopped), Z (zombie); empty if there is no such process."""
    try:
        return _stat(pid)[0]
    except ProcessLookupError:
        return ""


def sleeps(pid: int, *argv: str) -> bool:
    """Whether `pid` has become this program and waits: no shell, no loader opening libraries."""
    try:
        return argv_of(pid)[: len(argv)] == argv and state_of(pid) == "S"
    except ProcessLookupError:
        return False


def group_of(pid: int) -> int:
    """The process group of a living process; 0 if it is dead."""
    try:
        stat = _stat(pid)
    except ProcessLookupError:
        return 0
    return 0 if stat[0] in "ZX" else int(stat[2])


def children_of(pid: int) -> list[int]:
    """The children of all threads of `pid`, zombies too."""
    found: list[int] = []
    for task in _tasks(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def descendants_of(pid: int) -> list[int]:
    """Everything below `pid`, parents before children."""
    found = []
    for child in children_of(pid):
        found.append(child)
        found += descendants_of(child)
    return found


def describe(pid: int) -> str:
    """Return one line about a process, for messages."""
    try:
        return f"{pid} [{state_of(pid)}] {' '.join(argv_of(pid))}"
    except ProcessLookupError:
        return f"{pid} (gone)"


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal; that the process is gone already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def _read(pid: int, name: str) -> bytes:
    """Read a file of a process; gone before the open or after it is the same to all callers."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except FileNotFoundError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error


def _tasks(pid: int) -> Iterator[Path]:
    try:
        yield from Path(f"/proc/{pid}/task").iterdir()
    except FileNotFoundError:
        return


def _environment(proc: Path) -> dict[str, str]:
    words = (proc / "environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(word).split("=", 1) for word in words if b"=" in word)


def _signals(mask: str) -> frozenset[int]:
    bits = int(mask, 16)
    return frozenset(number for number in range(1, 65) if bits >> (number - 1) & 1)
