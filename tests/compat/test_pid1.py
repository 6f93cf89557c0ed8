"""s6-svscan as PID 1 of a namespace (matrix row 25, contract 2.8)."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from world.containers import Spec, Unshared
from world.programs import Programs
from world.running import World
from world.tree import Content
from world.waiting import until
from world.witness import logger, sleeper

ORPHANS = "#!/bin/sh\n(sleep 0.05 &)\n(sleep 0.05 &)\nexec sleep 1000\n"
FINISH = '#!/bin/sh\necho "finish $$ $(ps ax -o stat= | grep -c Z)"\nexit 23\n'

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="uses the machine's own root: needs root")


def inside(world: World, daemons: Programs, content: dict[str, Content]) -> Spec:
    """The machine's own file system, with a scan directory on top."""
    changes = world.plant({"scan": content}, "changes")
    program = changes / "programs"
    program.mkdir()
    executable = daemons.path("s6-svscan").resolve()
    shutil.copy(executable, program / "s6-svscan")
    return Spec(changes, ["/programs/s6-svscan", "/scan"], overlay=True)


def test_reaps_runs_finish_and_is_gone(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "orphans": {"run!": ORPHANS},
        "web": {**sleeper(), "log": logger()},
        ".s6-svscan/finish!": FINISH,
    }
    with Unshared(inside(world, daemons, content)) as container:
        status = world.top / "changes/scan/orphans/supervise/status"
        until(status.exists, "a status")
        until(
            lambda: sum(line == "sleep 1000" for line in container.ps()) == 2,
            "both services",
            explain=container.ps,
        )
        until(lambda: not any("0.05" in line for line in container.ps()), "the orphans' end")
        until(lambda: not container.zombies(), "no zombies", explain=container.ps)
        assert container.processes()[0].argv[0].endswith("s6-svscan")
        container.signal(signal.SIGTERM)
        ended = container.wait()
    assert ended.code == 23
    assert ended.out.startswith("finish 1 0"), ended


def test_never_leaves_by_itself(world: World, daemons: Programs) -> None:
    with Unshared(inside(world, daemons, {})) as container:
        until(lambda: Path(world.top / "changes/scan/.s6-svscan/control").exists(), "the fifo")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGPIPE):
            container.signal(number)
        container.signal(signal.SIGHUP)
        assert container.running()
        container.signal(signal.SIGINT)
        assert container.wait().code == 0
