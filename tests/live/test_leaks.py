"""Nothing piles up: descriptors, zombies, memory and files after many lives."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.tree import Content, plant
from world.waiting import until
from world.witness import finish, logger, ready_on, sleeper

pytestmark = pytest.mark.ours_only

MEMORY_SLACK_KIB = 64
MOST_CLEAN_KIB = 400
"""What may be in memory of an executable, which a debugger's build is with its libraries."""


def written_kib(pid: int) -> int:
    """Memory that this process has written to, so that it belongs to it alone."""
    return rolled_up_kib(pid, "Private_Dirty")


def rolled_up_kib(pid: int, field: str) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in rollup if line.startswith(f"{field}:"))


def descriptors(pid: int) -> int:
    """How many descriptors a daemon has when it has nothing to do."""
    until(lambda: process.state_of(pid) == "S", "rest")
    return len(process.descriptors_of(pid))


def test_many_lives_of_a_service(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({**ready_on(5), "finish!": finish()}))
    supervisor.events.wait_for("U")

    def live(count: int) -> None:
        for _ in range(count):
            supervisor.control("d")
            supervisor.events.wait_for("D")
            supervisor.control("u")
            supervisor.events.wait_for("U")

    live(20)
    before = descriptors(supervisor.pid)
    memory = written_kib(supervisor.pid)
    files = sorted(path.name for path in (supervisor.directory / "supervise").iterdir())
    live(200)
    assert descriptors(supervisor.pid) == before
    assert written_kib(supervisor.pid) <= memory + MEMORY_SLACK_KIB
    assert files == sorted(path.name for path in (supervisor.directory / "supervise").iterdir())
    assert len(process.children_of(supervisor.pid)) == 1


def test_an_idle_scanner_has_little_of_itself_in_memory(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_up("web")
    until(lambda: rolled_up_kib(scanner.pid, "Private_Clean") < MOST_CLEAN_KIB, "rest")
    plant(scanner.directory, {"more": sleeper()})
    scanner.control("a")
    scanner.until_up("web", "more")
    until(lambda: rolled_up_kib(scanner.pid, "Private_Clean") < MOST_CLEAN_KIB, "rest again")


def test_services_that_come_and_go(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"stays": sleeper()}, "scan"))
    stays = scanner.until_up("stays")
    content: dict[str, Content] = {**sleeper(), "log": logger()}

    def come_and_go(count: int) -> None:
        for _ in range(count):
            plant(scanner.directory / "guest", content)
            scanner.control("a")
            scanner.until_up("guest", "guest/log")
            (scanner.directory / "guest").rename(world.top / "gone")
            scanner.control("h")
            scanner.until_supervised("stays")
            shutil.rmtree(world.top / "gone")

    come_and_go(3)
    before = descriptors(scanner.pid)
    memory = written_kib(scanner.pid)
    come_and_go(25)
    assert descriptors(scanner.pid) == before
    assert written_kib(scanner.pid) <= memory + MEMORY_SLACK_KIB
    assert len(process.children_of(scanner.pid)) == 1
    assert scanner.until_up("stays") == stays


def test_many_scripts_for_signals(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        ".s6-svscan/SIGUSR1!": "#!/bin/sh\necho >>ran\n",
        "web": sleeper(),
    }
    scanner = world.scan(daemons, world.plant(content, "scan"))
    scanner.until_up("web")
    before = descriptors(scanner.pid)
    ran = scanner.directory / "ran"
    for count in range(1, 60):
        scanner.signal(signal.SIGUSR1)
        until(lambda count=count: ran.exists() and len(ran.read_bytes()) >= count)  # type: ignore[misc]
    until(lambda: len(process.children_of(scanner.pid)) == 1, "no zombies")
    assert descriptors(scanner.pid) == before
