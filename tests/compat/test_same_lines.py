"""Command lines, each run by both sets: same exit code, same output, same complaint, same files.

`lines/*.sh` hold one a line, for the shell. What is to be different stands in `DIFFERENT`, with
what each set does, and in docs/differences.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import World
from world.tree import Content

FILES: dict[str, Content] = {
    **{"d": {}, "e": {}, "env": {}, "plain": "x\n", "lock": ""},
    "t": {"run!": "#!/bin/sh\n"},
    "svc": {"event": {}, "supervise": {}},
}
"""What a line finds in its directory; `e` is made an event directory."""


def _lines() -> dict[str, list[str]]:
    """All lines, by the first program that they name."""
    found = defaultdict(list)
    for file in sorted(Path(__file__).with_name("lines").glob("*.sh")):
        for line in file.read_text().splitlines():
            named = re.search(r"\b(s6-[a-z0-9-]+|ucspilogd)", line)
            assert named, f"{file.name}: no program in {line!r}"
            found[named[1]].append(line)
    return found


LINES = _lines()


@dataclass(frozen=True)
class Seen:
    """What came of a line."""

    code: int
    out: str
    complaint: str
    """`fatal`, `warning`, or nothing."""
    files: dict[str, str]
    """Modes and owners."""


def seen(world: World, programs: Programs, line: str) -> Seen:
    """Run a line in a directory of its own, with these programs first in `PATH`."""
    world.top.chmod(0o755)
    top = world.plant(FILES, "top")
    (top / "e").chmod(0o1733)
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=top,
        env=programs.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=30,
        check=False,
        umask=0o022,
    )
    files = {path: path.lstat() for path in sorted(top.rglob("*"))}
    shutil.rmtree(top)
    levels = re.findall(r": (usage|fatal|warning): ", done.stderr)
    complaint = "warning" if "warning" in levels else ""
    # The originals call each other by their paths.
    places = f"{programs.directory}|/usr/bin(?=/s6-)"
    return Seen(
        done.returncode,
        re.sub(places, "@", done.stdout),
        "fatal" if {"usage", "fatal"} & set(levels) else complaint,
        {
            re.sub("@[0-9a-f]{24}", "@", str(path.relative_to(top))): (
                f"{stat.st_mode:o} {stat.st_uid}:{stat.st_gid}"
            )
            for path, stat in files.items()
        },
    )


@pytest.mark.side_by_side
@pytest.mark.parametrize("program", sorted(LINES))
def test_both_do_the_same(world: World, daemons: Programs, tools: Programs, program: str) -> None:
    for line in LINES[program]:
        assert seen(world, daemons, line) == seen(world, tools, line), line


DIFFERENT = [
    # a line; exit code and output of ours, of theirs
    ("s6-envuidgid -nu 5x printenv UID", (1, ""), (0, "5\n")),
    ("s6-envuidgid -nu 4294967296 printenv UID", (1, ""), (0, "429496729\n")),
    ("s6-setuidgid -- root echo", (0, "\n"), (1, "")),
    ("s6-mkfifodir -- x; s6-cleanfifodir -- x", (0, ""), (111, "")),
    ("s6-setlock lock readlink /proc/self/fd/0 <&-", (1, ""), (0, "@/lock\n")),
    ("echo x | s6-log ./l ./l || ls l", (0, "lock\n"), (0, "")),
    ("s6-svunlink d a/b", (100, ""), (0, "")),
    ("s6-svstat -o '' svc", (100, ""), (1, "")),
    (
        "mkdir d/.s6-svscan; touch d/.s6-svscan/control; s6-svscanctl -a d",
        (100, ""),
        (0, ""),
    ),
    ("s6-sudod true | cat", (0, ""), (0, "s6-sudo b v1.0\n")),
    ("s6-usertree-maker -e A root /l made 2>&1 | grep -c ignoring", (0, "1\n"), (1, "0\n")),
]


@pytest.mark.parametrize(("line", "ours", "theirs"), DIFFERENT, ids=[it[0] for it in DIFFERENT])
def test_what_differs(
    world: World,
    tools: Programs,
    line: str,
    ours: tuple[int, str],
    theirs: tuple[int, str],
) -> None:
    found = seen(world, tools, line)
    out = found.out.replace(str(world.top / "top"), "@")
    assert (found.code, out) == (ours if tools.name == "ours" else theirs)
