"""s6-notifyoncheck: readiness by asking (contract 1.3)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from world import process
from world.programs import Programs
from world.running import Supervisor, World
from world.tree import Content
from world.waiting import holds_for, until, until_lines


def checked(
    world: World,
    daemons: Programs,
    tools: Programs,
    check: str,
    options: Sequence[str] = (),
    **more: Content,
) -> Supervisor:
    """A service that is ready when `check` says so."""
    words = " ".join([str(tools.path("s6-notifyoncheck")), *options])
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\nexec {words} sleep 1000\n",
        "data/check!": f"#!/bin/sh\n{check}\n",
        "notification-fd": "3\n",
        **{name.replace("_", "-"): what for name, what in more.items()},
    }
    return world.supervise(daemons, world.service(content))


def test_ready_when_the_check_succeeds(world: World, daemons: Programs, tools: Programs) -> None:
    check = "echo >>checks; test -e ready"
    supervisor = checked(world, daemons, tools, check, ["-w", "20", "-n", "0"])
    until_lines(supervisor.directory / "checks", 3)
    assert not supervisor.status().ready
    (supervisor.directory / "ready").touch()
    supervisor.events.expect("suU")


def test_the_service_does_not_keep_the_descriptor(
    world: World, daemons: Programs, tools: Programs
) -> None:
    supervisor = checked(world, daemons, tools, "true")
    supervisor.events.expect("suU")
    pid = supervisor.status().pid
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    assert sorted(process.descriptors_of(pid)) == [0, 1, 2]


def test_tries_are_limited(world: World, daemons: Programs, tools: Programs) -> None:
    check = "echo >>checks; false"
    supervisor = checked(world, daemons, tools, check, ["-w", "10", "-n", "3"])
    until_lines(supervisor.directory / "checks", 3)
    assert holds_for(lambda: not supervisor.status().ready, 0.2)
    assert len(until_lines(supervisor.directory / "checks", 3)) == 3
    assert supervisor.status().up


def test_another_command(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = checked(world, daemons, tools, "false", ["-c", "'true'"])
    supervisor.events.expect("suU")


def test_it_ends_with_the_service(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = checked(world, daemons, tools, "echo >>checks; false", ["-w", "20", "-n", "0"])
    until_lines(supervisor.directory / "checks", 2)
    supervisor.control("d")
    supervisor.events.wait_for("D")
    until(lambda: process.children_of(supervisor.pid) == [], "no child left")


@pytest.mark.parametrize("problem", ["no fd", "no supervisor"])
def test_refused(world: World, tools: Programs, problem: str) -> None:
    servicedir = world.service({"data/check!": "#!/bin/sh\ntrue\n"})
    if problem == "no supervisor":
        (servicedir / "notification-fd").write_text("3\n")
    said = tools.run("s6-notifyoncheck", "true", cwd=servicedir)
    assert said.code == 100
    assert said.err.startswith("s6-notifyoncheck: ")
