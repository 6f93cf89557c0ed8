"""lock-fd (matrix row 26, contract 3.3): a second copy of a service waits for the first."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import World
from world.tree import Content
from world.waiting import holds_for, until


def locked(path: Path) -> bool:
    """Whether somebody else holds the lock on a file."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@pytest.mark.parametrize("fd", [3, 5, 10])
@pytest.mark.parametrize("notification", [None, 3, 4])
def test_the_service_holds_the_lock(
    world: World, daemons: Programs, fd: int, notification: int | None
) -> None:
    """On descriptor N whatever N is; the original does not even make the file."""
    if notification == fd:
        notification = 6
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\nexec sleep 1000\n",
        "lock-fd": f"{fd}\n",
        "down": "",
    }
    if notification is not None:
        content["notification-fd"] = f"{notification}\n"
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    if not daemons.expects.lock_fd_locks:
        until(lambda: "service-lock" in supervisor.said(), "it cannot open the file")
        return
    pid = supervisor.until("up").pid
    lock = supervisor.directory / "supervise/service-lock"
    until(lambda: lock.exists() and locked(lock), "the lock")
    until(lambda: os.path.realpath(f"/proc/{pid}/fd/{fd}") == str(lock), "the descriptor")
    supervisor.control("k")
    supervisor.until("down")
    assert not locked(lock)


def test_a_second_copy_waits(world: World, daemons: Programs) -> None:
    if not daemons.expects.lock_fd_locks:
        assert not daemons.expects.adopts
        return
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\necho $$ >>started\nexec sleep 1000\n",
        "lock-fd": "5\n",
        "supervise": {},
    }
    servicedir = world.service(content)
    with (servicedir / "supervise/service-lock").open("w") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        supervisor = world.supervise(daemons, servicedir)
        supervisor.until("up")
        assert holds_for(lambda: not (servicedir / "started").exists(), 0.2)
        fcntl.lockf(mine, fcntl.LOCK_UN)
    until((servicedir / "started").exists, "the start")


def test_same_descriptor_twice(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\necho $$ >>started\nexec sleep 1000\n",
        "lock-fd": "3\n",
        "notification-fd": "3\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    until(lambda: "lock" in supervisor.said(), "a refusal")
    assert supervisor.status().down
    assert not (supervisor.directory / "started").exists()
