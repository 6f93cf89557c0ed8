"""A scanner of one implementation over supervisors of the other (matrix row 18).

The originals find each other by absolute path, so ours are mounted over them in a mount namespace.
Our scanner needs no other program, so a supervisor of theirs below it cannot be had.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.status import status
from world.tree import Content
from world.waiting import until, until_lines
from world.witness import sleeper

TALKER = (
    "#!/bin/sh\necho first\ntrap 'echo last words; exit 0' TERM\nwhile :; do sleep 0.02; done\n"
)
LOGGER = "#!/bin/sh\nexec cat >>lines\n"

WITH_OURS = 'mount --bind "$0" /usr/bin/s6-supervise && exec "$@"'


def over_theirs(supervisors: Programs) -> list[str]:
    """Words to start a scanner with, so that it finds these supervisors where its own should be."""
    if supervisors.name == "theirs":
        return []
    ours = str(supervisors.path("s6-supervise").resolve())
    return ["unshare", "--mount", "sh", "-c", WITH_OURS, ours]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_their_scanner_over_other_supervisors(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """Argument, pipe, meaning of TERM and HUP, exit codes; `daemons` supervise, `tools` scan."""
    content: dict[str, Content] = {
        "plain": sleeper(),
        "talks": {"run!": TALKER, "log": {"run!": LOGGER}},
    }
    scandir = world.plant(content, "scan")
    below_theirs = tools.name == "theirs"
    under = over_theirs(daemons) if below_theirs else []
    scanner = world.scan(tools, scandir, under=under)
    supervisors = scanner.until_supervised("plain", "talks", "talks/log")
    expected = daemons if below_theirs else tools
    named = (expected.path("s6-supervise").resolve(), Path("/usr/bin/s6-supervise"))
    assert Path(f"/proc/{supervisors['plain']}/exe").resolve() in named
    assert process.descriptors_of(supervisors["talks"])[1].startswith("pipe:")
    assert process.descriptors_of(supervisors["talks/log"])[0].startswith("pipe:")
    services = scanner.until_up("plain", "talks", "talks/log")
    until_lines(scandir / "talks/log/lines", 1)
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert (scandir / "talks/log/lines").read_text() == "first\nlast words\n"
    until(lambda: not any(process.alive(pid) for pid in services.values()))
    assert status(scandir / "talks/log").exit_code == 0, "the logger ended by the end of its input"
