"""s6-svc -w and -T (matrix row 5)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import Supervisor, World
from world.tree import Content
from world.waiting import holds_for, until
from world.witness import finish, ready_on, sleeper

READY_LATER = {
    "run!": "#!/bin/sh\nread -r x <go\necho >&3\nexec sleep 1000\n",
    "notification-fd": "3\n",
}


def leftovers(servicedir: Path, supervisor: Supervisor) -> list[str]:
    """Subscriptions in the event directory that are not the test's own."""
    own = supervisor.events.path.name
    return [entry.name for entry in (servicedir / "event").iterdir() if entry.name != own]


@pytest.mark.parametrize(
    ("state", "options", "after"),
    [
        ("down", "-uwu", "up"),
        ("down", "-uwU", "ready"),
        ("up", "-dwd", "gone"),
        ("up", "-dwD", "down"),
        ("up", "-rwr", "up"),
        ("up", "-rwR", "ready"),
        ("down", "-wd", "down"),
        ("down", "-wD", "down"),
        ("up", "-wu", "up"),
        ("up", "-wU", "ready"),
    ],
)
def test_returns_at_the_right_event(
    world: World, daemons: Programs, tools: Programs, state: str, options: str, after: str
) -> None:
    content: dict[str, Content] = {**ready_on(3), "finish!": finish(), "down": ""}
    supervisor = world.supervise(daemons, world.service(content))
    if state == "up":
        supervisor.control("u")
        supervisor.events.wait_for("U")
    said = tools.run("s6-svc", options, "-T5000", supervisor.directory)
    assert (said.code, said.out, said.err) == (0, "", "")
    now = supervisor.status()
    if after == "gone":
        assert not now.up
    else:
        assert getattr(now, after)
        assert now.up == (after != "down")
    assert leftovers(supervisor.directory, supervisor) == []


@pytest.mark.parametrize(
    ("options", "up"),
    [("-wu", False), ("-wU", False), ("-wd", True), ("-dwD", True), ("-wr", True), ("-owR", False)],
)
def test_time_is_up(
    world: World, daemons: Programs, tools: Programs, options: str, up: bool
) -> None:
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\ntrap '' TERM\nexec sleep 1000\n",
        "notification-fd": "3\n",
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content))
    if up:
        supervisor.control("u")
        supervisor.until("up")
        until(lambda: "1000" in command_of(supervisor), "the daemon")
    begin = time.monotonic()
    said = tools.run("s6-svc", options, "-T200", supervisor.directory)
    assert said.code == 99, said
    assert 0.2 <= time.monotonic() - begin < 3
    assert leftovers(supervisor.directory, supervisor) == []


def command_of(supervisor: Supervisor) -> str:
    return Path(f"/proc/{supervisor.status().pid}/cmdline").read_text()


def test_wait_for_ready_waits(world: World, daemons: Programs, tools: Programs) -> None:
    servicedir = world.service({**READY_LATER, "down": ""})
    os.mkfifo(servicedir / "go")
    supervisor = world.supervise(daemons, servicedir)
    waiting = world.start(tools, "s6-svc", "-uwU", servicedir)
    supervisor.events.expect("su")
    assert holds_for(lambda: waiting.poll() is None, 0.1)
    (servicedir / "go").write_text("\n")
    _, errors = waiting.communicate(timeout=10)
    assert (waiting.returncode, errors) == (0, "")


@pytest.mark.parametrize(("options", "weaker"), [("-uwU", "up"), ("-rwR", "up")])
def test_ready_means_up_without_notification(
    world: World, daemons: Programs, tools: Programs, options: str, weaker: str
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.until("up")
    said = tools.run("s6-svc", options, "-T5000", supervisor.directory)
    assert said.code == 0
    assert "warning" in said.err
    assert getattr(supervisor.status(), weaker)


def test_permanent_failure_ends_a_wait_for_up(
    world: World, daemons: Programs, tools: Programs
) -> None:
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\nexit 1\n",
        "finish!": finish(125),
        "notification-fd": "3\n",
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content))
    said = tools.run("s6-svc", "-uwU", "-T5000", supervisor.directory)
    assert said.code == 1
    assert leftovers(supervisor.directory, supervisor) == []


def test_exit_of_the_supervisor_ends_a_wait(
    world: World, daemons: Programs, tools: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    said = tools.run("s6-svc", "-xwu", "-T5000", supervisor.directory)
    assert said.code == 1
    assert supervisor.exit_code() == 0


def test_nobody_listens(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.stop()
    said = tools.run("s6-svc", "-u", supervisor.directory)
    assert said.code == tools.expects.svc_nobody_listens
    assert str(supervisor.directory) in said.err
    never = world.service(sleeper(), "never")
    said = tools.run("s6-svc", "-u", never)
    assert said.code == tools.expects.svc_nobody_listens
    assert str(never) in said.err


def test_no_such_directory(world: World, tools: Programs) -> None:
    said = tools.run("s6-svc", "-u", world.top / "absent")
    assert said.code == 111
    assert "absent" in said.err
    (world.top / "file").touch()
    assert tools.run("s6-svc", "-u", world.top / "file").code == 111
