"""s6-notifyoncheck: its time limits, what checks get and leave, and what it refuses."""

from __future__ import annotations

import errno
import os

import pytest

from world import process
from world.programs import Programs
from world.running import Supervisor, World
from world.tree import Content
from world.waiting import holds_for, until, until_lines


def checked(
    world: World, daemons: Programs, tools: Programs, options: str, check: str | None
) -> Supervisor:
    """A service that says what it says on descriptor 3, and `check` for a check."""
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\nexec {tools.path('s6-notifyoncheck')} {options} sleep 1000\n",
        "notification-fd": "3\n",
    }
    if check is not None:
        content["data/check!"] = f"#!/bin/sh\n{check}\n"
    return world.supervise(daemons, world.service(content))


def living_children(pid: int) -> list[int]:
    return [child for child in process.children_of(pid) if process.alive(child)]


def test_a_check_that_takes_too_long(world: World, daemons: Programs, tools: Programs) -> None:
    """It has failed. The manual says that it is killed, the original leaves it alone."""
    check = "echo $$ >>pids; exec sleep 1000"
    supervisor = checked(world, daemons, tools, "-t 100 -w 10 -n 2", check)
    pids = [int(line) for line in until_lines(supervisor.directory / "pids", 2)]
    if tools.expects.notifyoncheck_ends_checks:
        until(lambda: not any(process.alive(pid) for pid in pids), "the end of both checks")
    else:
        assert holds_for(lambda: all(process.alive(pid) for pid in pids), 0.3)
        world.end(*pids)
    assert not supervisor.status().ready


@pytest.mark.parametrize("check", ["exec sleep 1000", "false"])
def test_all_together_take_too_long(
    world: World, daemons: Programs, tools: Programs, check: str
) -> None:
    supervisor = checked(world, daemons, tools, "-T 1000 -w 10 -n 0", f"echo >>checks; {check}")
    until_lines(supervisor.directory / "checks", 1)
    pid = supervisor.status().pid
    until(lambda: not living_children(pid), "the end of the checking process")
    checks = until_lines(supervisor.directory / "checks", 1)
    assert holds_for(lambda: until_lines(supervisor.directory / "checks", 1) == checks, 0.1)
    assert supervisor.status().up
    assert not supervisor.status().ready


def test_no_time_between_checks(world: World, daemons: Programs, tools: Programs) -> None:
    """`-w 0` is no wait since 2.12; 2.11 waits for ever."""
    supervisor = checked(world, daemons, tools, "-w 0 -n 20", "echo >>checks; false")
    checks = supervisor.directory / "checks"
    until_lines(checks, 20 if tools.name == "ours" else 1)
    assert holds_for(
        lambda: len(until_lines(checks, 1)) == (20 if tools.name == "ours" else 1), 0.2
    )


def test_checks_begin_late(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = checked(world, daemons, tools, "-s 600", "true")
    supervisor.events.wait_for("u")
    assert holds_for(lambda: not supervisor.status().ready, 0.3)
    supervisor.events.expect("U")


def test_an_orphan_checks(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = checked(world, daemons, tools, "-d -w 20 -n 0", "test -e ready")
    supervisor.events.wait_for("u")
    pid = supervisor.status().pid
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    assert process.children_of(pid) == []
    (supervisor.directory / "ready").touch()
    supervisor.events.expect("U")


def test_what_a_check_gets(world: World, daemons: Programs, tools: Programs) -> None:
    """Not the readiness descriptor: it could report by mistake, or keep it open."""
    check = "test -e /proc/$$/fd/3; echo $? >>absent"
    supervisor = checked(world, daemons, tools, "", check)
    supervisor.events.expect("suU")
    absent = until_lines(supervisor.directory / "absent", 1) == ["1"]
    assert absent != tools.expects.notifyoncheck_passes_descriptor


def test_another_descriptor(world: World, daemons: Programs, tools: Programs) -> None:
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\nexec {tools.path('s6-notifyoncheck')} -3 5 sleep 1000 5>&4 4>&-\n",
        "data/check!": "#!/bin/sh\ntrue\n",
        "notification-fd": "4\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("suU")


def test_a_check_that_is_not_there(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = checked(world, daemons, tools, "-w 10 -n 2", None)
    supervisor.events.wait_for("u")
    until(lambda: supervisor.said().count("unable to spawn ./data/check: No such file") == 2)
    assert supervisor.status().up
    assert not supervisor.status().ready


@pytest.mark.parametrize(("program", "code"), [("/no/such", "127"), ("/", "126")])
def test_a_program_that_cannot_be_run(
    world: World, daemons: Programs, tools: Programs, program: str, code: str
) -> None:
    name = tools.path("s6-notifyoncheck")
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\n{name} {program}; echo $? >>code\nexec sleep 1000\n",
        "data/check!": "#!/bin/sh\nfalse\n",
        "notification-fd": "3\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    assert until_lines(supervisor.directory / "code", 1) == [code]
    why = os.strerror(errno.ENOENT if code == "127" else errno.EACCES)
    expected = f"s6-notifyoncheck: fatal: unable to exec {program}: {why}\n"
    assert supervisor.said().startswith(expected)


@pytest.mark.parametrize(
    "words", [[], ["-w", "soon", "true"], ["-n", "-1", "true"], ["-z", "true"]]
)
def test_wrong_words(world: World, tools: Programs, words: list[str]) -> None:
    said = tools.run("s6-notifyoncheck", *words, cwd=world.top)
    assert (said.code, said.out) == (100, "")
    assert "s6-notifyoncheck: usage: s6-notifyoncheck " in said.err


def test_wrong_descriptors(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(
        daemons, world.service({"run!": "#!/bin/sh\nexec sleep 1000\n", "notification-fd": "x\n"})
    )
    said = tools.run("s6-notifyoncheck", "true", cwd=supervisor.directory)
    assert said.code == 100
    assert "./notification-fd" in said.err


def test_a_closed_descriptor(world: World, daemons: Programs, tools: Programs) -> None:
    """The service does not start: it could never be ready."""
    supervisor = world.supervise(daemons, world.service({"run!": "#!/bin/sh\nexec sleep 1000\n"}))
    words = ("-c", "true", "-3", "9", "touch", "started")
    said = tools.run("s6-notifyoncheck", *words, cwd=supervisor.directory)
    assert said.code == 111
    assert said.err.endswith("Bad file descriptor\n") or "run script" in said.err
    assert not (supervisor.directory / "started").exists()
