"""s6-svwait, s6-svlisten, s6-svlisten1 (matrix row 6)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import Supervisor, World
from world.tree import Content
from world.waiting import until
from world.witness import finish, ready_on

SERVICE: dict[str, Content] = {**ready_on(3), "finish!": finish(), "down": ""}

FAILING: dict[str, Content] = {
    "run!": "#!/bin/sh\nexit 1\n",
    "finish!": finish(125),
    "notification-fd": "3\n",
    "down": "",
}

SHORT_MS = "500"
"""To be waited out, but not before s6-ftrigrd has started, which is part of it."""
WAITS = [("-u", "u"), ("-U", "u"), ("-d", "d"), ("-D", "d"), ("-r", "r"), ("-R", "r")]


def pair(world: World, daemons: Programs, letters: str) -> list[Supervisor]:
    """Start two supervised services and bring them into the state before `letters`."""
    both = [world.supervise(daemons, world.service(SERVICE, name)) for name in ("a", "b")]
    if letters != "u":
        for supervisor in both:
            supervisor.control("u")
            supervisor.events.wait_for("U")
    return both


def directories(supervisors: Sequence[Supervisor]) -> list[Path]:
    return [supervisor.directory for supervisor in supervisors]


def subscribed(supervisor: Supervisor) -> int:
    """How many others than the test listen."""
    return len(list((supervisor.directory / "event").glob("ftrig1:*"))) - 1


@pytest.mark.parametrize(("option", "letter"), WAITS)
def test_svwait_all(
    world: World, daemons: Programs, tools: Programs, option: str, letter: str
) -> None:
    both = pair(world, daemons, letter)
    waiting = world.start(tools, "s6-svwait", option, "-t", "10000", *directories(both))
    until(lambda: all(subscribed(one) for one in both), "both subscriptions")
    # A restart is: all down (all at once), then all up.
    for step in "du" if letter == "r" else letter:
        both[0].control(step)
        both[0].events.wait_for(step)
        assert waiting.poll() is None
        both[1].control(step)
        both[1].events.wait_for(step.upper())
    _, errors = waiting.communicate(timeout=10)
    assert (waiting.returncode, errors) == (0, "")
    assert not any(subscribed(one) for one in both)


def test_svwait_any(world: World, daemons: Programs, tools: Programs) -> None:
    both = pair(world, daemons, "u")
    waiting = world.start(tools, "s6-svwait", "-o", "-u", "-t", "10000", *directories(both))
    until(lambda: all(subscribed(one) for one in both), "both subscriptions")
    both[1].control("u")
    waiting.communicate(timeout=10)
    assert waiting.returncode == 0


def test_svwait_returns_at_once_if_it_is_so(
    world: World, daemons: Programs, tools: Programs
) -> None:
    both = pair(world, daemons, "u")
    for option in ("-d", "-D"):
        assert tools.run("s6-svwait", "-a", option, "-t", "5000", *directories(both)).code == 0
    for supervisor in both:
        supervisor.control("u")
        supervisor.events.wait_for("U")
    for option in ("-u", "-U"):
        assert tools.run("s6-svwait", option, "-t", "5000", *directories(both)).code == 0


@pytest.mark.parametrize("option", ["-u", "-U", "-r", "-R"])
def test_svwait_time_is_up(world: World, daemons: Programs, tools: Programs, option: str) -> None:
    both = pair(world, daemons, "u")
    begin = time.monotonic()
    said = tools.run("s6-svwait", option, "-t", SHORT_MS, *directories(both))
    assert said.code == 99
    assert time.monotonic() - begin >= int(SHORT_MS) / 1000
    assert not any(subscribed(one) for one in both)


def test_svwait_counts_permanent_failures(world: World, daemons: Programs, tools: Programs) -> None:
    both = [world.supervise(daemons, world.service(FAILING, name)) for name in ("a", "b")]
    waiting = world.start(tools, "s6-svwait", "-U", "-t", "2000", *directories(both))
    until(lambda: all(subscribed(one) for one in both), "both subscriptions")
    for supervisor in both:
        supervisor.control("o")
    waiting.communicate(timeout=10)
    assert waiting.returncode == (99 if tools.expects.forgets_permanent_failures else 2)


def test_svwait_ends_at_a_permanent_failure(
    world: World, daemons: Programs, tools: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(FAILING))
    waiting = world.start(tools, "s6-svwait", "-U", "-t", "10000", supervisor.directory)
    until(lambda: subscribed(supervisor), "the subscription")
    supervisor.control("o")
    waiting.communicate(timeout=10)
    assert waiting.returncode == 1


def test_svwait_counts_supervisors_that_leave(
    world: World, daemons: Programs, tools: Programs
) -> None:
    both = pair(world, daemons, "u")
    waiting = world.start(tools, "s6-svwait", "-u", "-t", "10000", *directories(both))
    until(lambda: all(subscribed(one) for one in both), "both subscriptions")
    both[0].control("x")
    both[1].control("x")
    waiting.communicate(timeout=10)
    assert waiting.returncode == 2


def test_svwait_without_supervisor_uses_the_old_status(
    world: World, daemons: Programs, tools: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(SERVICE))
    supervisor.stop()
    assert tools.run("s6-svwait", "-D", "-t", "5000", supervisor.directory).code == 0
    assert tools.run("s6-svwait", "-u", "-t", SHORT_MS, supervisor.directory).code == 99


def test_svwait_on_a_directory_that_is_not_there(world: World, tools: Programs) -> None:
    said = tools.run("s6-svwait", "-u", "-t", "1000", world.top / "absent")
    assert said.code == 111
    assert "absent" in said.err


@pytest.mark.parametrize(("option", "letter"), WAITS)
def test_svlisten1(
    world: World, daemons: Programs, tools: Programs, option: str, letter: str
) -> None:
    supervisor = pair(world, daemons, letter)[0]
    command = [str(tools.path("s6-svc")), f"-{letter}", str(supervisor.directory)]
    said = tools.run("s6-svlisten1", option, "-t", "10000", supervisor.directory, *command)
    assert (said.code, said.err) == (0, "")
    now = supervisor.status()
    assert now.up == (letter != "d")
    if option in ("-U", "-D", "-R"):
        assert now.ready
    assert not subscribed(supervisor)


def test_svlisten1_time_is_up(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = pair(world, daemons, "u")[0]
    said = tools.run("s6-svlisten1", "-u", "-t", SHORT_MS, supervisor.directory, "true")
    assert said.code == 99


@pytest.mark.parametrize("prefix", ["", " "])
def test_svlisten_takes_a_block(
    world: World, daemons: Programs, tools: Programs, prefix: str
) -> None:
    both = pair(world, daemons, "u")
    svc = tools.path("s6-svc")
    script = f"{svc} -u {both[0].directory} && {svc} -u {both[1].directory}"
    block = [f"{prefix}{one.directory}" for one in both]
    said = tools.run("s6-svlisten", "-U", "-t", "10000", *block, "", "sh", "-c", script)
    assert (said.code, said.err) == (0, "")
    assert all(one.status().ready and one.status().up for one in both)


@pytest.mark.parametrize(("option", "letter"), WAITS)
def test_svlisten_all(
    world: World, daemons: Programs, tools: Programs, option: str, letter: str
) -> None:
    """For a restart one service: all must be down at the same moment for theirs."""
    both = pair(world, daemons, letter)
    awaited = both[:1] if letter == "r" else both
    svc = tools.path("s6-svc")
    script = " && ".join(f"{svc} -{letter} {one.directory}" for one in awaited)
    block = [str(one.directory) for one in awaited]
    words = ["-a", option, "-t", "20000", *block, "", "sh", "-c", script]
    assert tools.run("s6-svlisten", *words).code == 0
    assert all(one.status().up == (letter != "d") for one in awaited)
    assert not any(subscribed(one) for one in both)


def test_svlisten_counts_failures(world: World, daemons: Programs, tools: Programs) -> None:
    failing = world.supervise(daemons, world.service(FAILING))
    where, svc = str(failing.directory), str(tools.path("s6-svc"))
    words = ["-U", "-t", "20000", where, "", svc, "-o", where]
    assert tools.run("s6-svlisten", *words).code == 1
    words = ["-U", "-t", "20000", where, svc, "-o", where]
    assert tools.run("s6-svlisten1", *words).code == 1


def test_svlisten_time_is_up(world: World, daemons: Programs, tools: Programs) -> None:
    both = pair(world, daemons, "u")
    block = [str(one.directory) for one in both]
    assert tools.run("s6-svlisten", "-u", "-t", "2000", *block, "", "true").code == 99


def test_svlisten_any(world: World, daemons: Programs, tools: Programs) -> None:
    both = pair(world, daemons, "u")
    svc = str(tools.path("s6-svc"))
    block = [str(one.directory) for one in both]
    command = [svc, "-u", block[1]]
    said = tools.run("s6-svlisten", "-o", "-u", "-t", "10000", *block, "", *command)
    assert said.code == 0
    assert both[0].status().down


def test_svlisten_unterminated_block(world: World, tools: Programs) -> None:
    assert tools.run("s6-svlisten", "-u", world.top, "true").code == 100
