"""s6-svok (matrix row 1)."""

from __future__ import annotations

import os

import pytest

from world.programs import AS_NOBODY, Programs
from world.running import World
from world.witness import sleeper


def test_yes_while_supervised_no_after(world: World, daemons: Programs, tools: Programs) -> None:
    servicedir = world.service(sleeper())
    assert tools.run("s6-svok", servicedir).code == 1, "there is no lock yet"
    supervisor = world.supervise(daemons, servicedir)
    said = tools.run("s6-svok", servicedir)
    assert (said.code, said.out, said.err) == (0, "", "")
    supervisor.stop()
    assert tools.run("s6-svok", servicedir).code == 1, "the lock is there, but nobody holds it"


def test_no_after_a_kill(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    service = supervisor.until("up").pid
    supervisor.kill()
    assert tools.run("s6-svok", supervisor.directory).code == 1
    world.end(service)


def test_asking_keeps_the_lock(world: World, daemons: Programs, tools: Programs) -> None:
    """A POSIX lock vanishes when its owner closes the file anywhere: no answer may do that."""
    supervisor = world.supervise(daemons, world.service(sleeper()))
    for _ in range(20):
        assert tools.run("s6-svok", supervisor.directory).code == 0
    supervisor.until("up")
    supervisor.control("d")
    supervisor.until("down")
    assert tools.run("s6-svok", supervisor.directory).code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    said = tools.run("s6-svok", supervisor.directory, under=AS_NOBODY)
    assert said.code == 111
    assert "s6-svok: fatal: " in said.err
    assert "Permission denied" in said.err


def test_missing_directory(world: World, tools: Programs) -> None:
    assert tools.run("s6-svok", world.top / "absent").code == 1
