"""Locks between implementations (matrix row 14, contract 5.4): the second one always loses."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from world.programs import Programs
from world.running import World
from world.waiting import holds_for
from world.witness import sleeper


def test_two_supervisors(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    pid = supervisor.until("up").pid
    said = tools.run("s6-supervise", supervisor.directory.name, cwd=world.top)
    assert said.code == 100
    assert "s6-supervise" in said.err
    assert supervisor.status().pid == pid
    assert supervisor.running()
    supervisor.events.expect("su")
    assert tools.run("s6-svok", supervisor.directory).code == 0


def test_two_scanners(world: World, daemons: Programs, tools: Programs) -> None:
    scandir = world.plant({"web": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    pids = scanner.until_up("web")
    said = tools.run("s6-svscan", scandir)
    assert said.code == 100
    assert "s6-svscan" in said.err
    assert scanner.until_up("web") == pids
    assert scanner.running()


def test_a_scanner_leaves_a_supervised_service_alone(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """Its own supervisor exits every second, and takes over when the other one goes."""
    scandir = world.plant({"web": sleeper()}, "scan")
    first = world.supervise(daemons, scandir / "web")
    pid = first.until("up").pid
    world.scan(tools, scandir)
    assert holds_for(lambda: first.status().pid == pid, 0.3)
    first.control("dx")
    assert first.exit_code() == 0
    first.until_replaced(pid)


def test_kind_of_lock(world: World, daemons: Programs) -> None:
    """Seen by F_GETLK for a read lock, as the tools ask; the whole file."""
    supervisor = world.supervise(daemons, world.service(sleeper()))
    scandir = world.plant({}, "scan")
    world.scan(daemons, scandir)
    for path in (supervisor.directory / "supervise/lock", scandir / ".s6-svscan/lock"):
        kind, start, length = conflicting(path)
        assert (kind, start, length) == (fcntl.F_WRLCK, 0, 0), path


def test_locks_are_not_inherited(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    pid = supervisor.until("up").pid
    supervisor.kill()
    assert conflicting(supervisor.directory / "supervise/lock")[0] == fcntl.F_UNLCK
    world.end(pid)


def conflicting(path: Path) -> tuple[int, int, int]:
    """The lock that would be in the way of a read lock on the whole file: kind, start, length."""
    asked = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("rb") as file:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    kind, _, start, length, _ = struct.unpack("hhqqi4x", answer)
    return kind, start, length
