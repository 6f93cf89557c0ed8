"""What a program becomes under a chain loader: the kernel's facts about it, told by a witness."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from world.programs import Programs

_WITNESS = """
cat /proc/$$/status; printf '\\f'
cat /proc/$$/limits; printf '\\f'
cat /proc/$$/stat; printf '\\f'
ls -l /proc/$$/fd; printf '\\f'
cat /proc/$$/environ
"""

CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")


@dataclass(frozen=True)
class Became:
    """A process just after the exec."""

    pid: int
    uids: tuple[int, ...]
    """Real, effective, saved, and that for files."""
    gids: tuple[int, ...]
    groups: tuple[int, ...]
    capabilities: dict[str, int]
    limits: dict[str, tuple[str, str]]
    """Soft and hard, as `/proc` names them."""
    pgid: int
    sid: int
    foreground: int
    """The process group in the foreground of its terminal; -1 without terminal."""
    descriptors: dict[int, str]
    environment: tuple[str, ...]
    """Every entry in its order."""
    ignored: str
    blocked: str
    warnings: str
    """What the chain loaders said."""

    def variables(self, *names: str) -> dict[str, str]:
        """The variables of these names that are set."""
        entries = dict(entry.partition("=")[::2] for entry in self.environment)
        return {name: entries[name] for name in names if name in entries}


def become(
    tools: Programs,
    *words: str | Path,
    under: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Became:
    """Run a chain loader, `words`, into the witness; AssertionError if it does not get there."""
    program, *arguments = words
    chain = [*arguments, "sh", "-c", _WITNESS]
    done = subprocess.run(  # not Programs.run: its text has no carriage returns
        [*under, tools.path(str(program)), *chain],
        env={**tools.environment(), **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done
    assert done.stdout.count(b"\f") == 4, done
    return _parsed(os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def _parsed(out: str, err: str) -> Became:
    status, limits, stat, descriptors, environment = out.split("\f")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    numbers = stat.rpartition(")")[2].split()
    return Became(
        pid=int(fields["Pid"]),
        uids=tuple(int(word) for word in fields["Uid"].split()),
        gids=tuple(int(word) for word in fields["Gid"].split()),
        groups=tuple(int(word) for word in fields["Groups"].split()),
        capabilities={name: int(fields[name], 16) for name in CAPABILITIES},
        limits={
            line[4:26].strip(): (line[26:47].strip(), line[47:68].strip())
            for line in limits.splitlines()
            if line.startswith("Max ")
        },
        pgid=int(numbers[2]),
        sid=int(numbers[3]),
        foreground=int(numbers[5]),
        descriptors={
            int(words[-3]): words[-1]
            for words in (line.split() for line in descriptors.splitlines())
            if words[-2:-1] == ["->"]
        },
        environment=tuple(environment.removesuffix("\0").split("\0")),
        ignored=fields["SigIgn"],
        blocked=fields["SigBlk"],
        warnings=err,
    )
