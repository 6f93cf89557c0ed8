"""A supervisor whose parent ignored SIGCHLD: what is ignored stays ignored in a new program."""

from __future__ import annotations

import sys

from world.programs import Programs
from world.running import World
from world.waiting import holds_for, lines_of, until_lines
from world.witness import counted

IGNORING = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
    "os.execvp(sys.argv[1], sys.argv[1:])",
)


def test_the_service_is_started_again(world: World, daemons: Programs) -> None:
    """Without its signal (the kernel reaps for who ignores it) a supervisor learns of no death."""
    directory = world.service({"run!": counted("exit 1")})
    supervisor = world.supervise(daemons, directory, under=IGNORING)
    until_lines(directory / "starts", 1)
    if daemons.name == "ours":
        until_lines(directory / "starts", 2)
    else:
        assert holds_for(lambda: len(lines_of(directory / "starts")) == 1, 1.5)
        supervisor.kill()  # it would not obey: to it, the service still runs
