"""Readiness (matrix row 10, contract 3.4)."""

from __future__ import annotations

import os

import pytest

from world import process
from world.programs import Programs
from world.running import Supervisor, World
from world.tree import FIFO, Content
from world.waiting import holds_for, until, until_lines

STEPPED = """#!/bin/sh
exec 8<>steps
while read -r step <&8; do
  case $step in
    close) exec {fd}>&- ;;
    *) printf "$step" >&{fd} || echo failed >>written ;;
  esac
  echo "$step" >>written
done
"""


def stepped(fd: int, **more: Content) -> dict[str, Content]:
    """A service that writes to its notification descriptor what the test tells it to."""
    return {
        "run!": STEPPED.format(fd=fd),
        "notification-fd": f"{fd}\n",
        "steps": FIFO,
        **more,
    }


def tell(supervisor: Supervisor, *steps: str) -> None:
    """Let the service do steps, one after the other, each finished before the next."""
    for step in steps:
        written = supervisor.directory / "written"
        count = written.read_text().count("\n") if written.exists() else 0
        (supervisor.directory / "steps").write_text(step + "\n")
        until_lines(written, count + 1)


@pytest.mark.parametrize("fd", [1, 3, 4, 7, 9])
def test_a_newline_means_ready(world: World, daemons: Programs, fd: int) -> None:
    supervisor = world.supervise(daemons, world.service(stepped(fd)))
    supervisor.events.expect("su")
    assert not supervisor.status().ready
    tell(supervisor, "\\n")
    supervisor.events.expect("U")
    now = supervisor.status()
    assert now.ready
    assert now.up
    assert now.readystamp > now.stamp


def test_only_the_first_newline_counts(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(stepped(3)))
    supervisor.events.expect("su")
    tell(supervisor, "a\\nb\\nc\\n")
    supervisor.events.expect("U")
    tell(supervisor, "close")
    supervisor.control("d")
    supervisor.events.expect("dD")


def test_a_newline_in_the_third_write(world: World, daemons: Programs) -> None:
    """Bytes before it do not count; where they block the supervisor, the newline frees it."""
    supervisor = world.supervise(daemons, world.service(stepped(3)))
    supervisor.events.expect("su")
    tell(supervisor, "first", "second", "third\\n")
    supervisor.events.expect("U")


def test_end_without_newline_is_not_ready(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(stepped(3)))
    supervisor.events.expect("su")
    tell(supervisor, "nothing", "close")
    supervisor.control("p")
    supervisor.until("paused")
    supervisor.control("c")
    assert not supervisor.status().ready
    supervisor.control("d")
    supervisor.events.expect("dD")


def test_a_partial_line_must_not_freeze_the_supervisor(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(stepped(3)))
    supervisor.events.expect("su")
    tell(supervisor, "partial")
    supervisor.control("O")
    if daemons.expects.partial_readiness_blocks:
        assert holds_for(lambda: supervisor.status().wanted_up, 0.3), "it is frozen"
        tell(supervisor, "\\n")
    until(lambda: not supervisor.status().wanted_up, "the command was obeyed")
    supervisor.control("d")
    supervisor.events.wait_for("D")


def test_the_pipe_is_closed_after_readiness(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(stepped(3)))
    supervisor.events.expect("su")
    pipe = process.descriptors_of(supervisor.status().pid)[3]
    assert pipe in process.descriptors_of(supervisor.pid).values()
    tell(supervisor, "\\n")
    supervisor.events.expect("U")
    until(lambda: pipe not in process.descriptors_of(supervisor.pid).values(), "the end of it")
    (supervisor.directory / "steps").write_text("more\n")
    supervisor.events.expect("dD")
    assert supervisor.status().signal == 13, "a later write is a broken pipe"


def test_descriptor_zero(world: World, daemons: Programs) -> None:
    """2.11 takes it literally; 2.15 refuses. We do what 2.11 does."""
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\necho >&0\nexec sleep 1000\n",
        "notification-fd": "0\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("suU")


@pytest.mark.parametrize("content", ["nonsense\n", "-1\n", "", "3x\n"])
def test_a_bad_number_is_no_notification(world: World, daemons: Programs, content: str) -> None:
    service = {"run!": "#!/bin/sh\nexec sleep 1000\n", "notification-fd": content}
    supervisor = world.supervise(daemons, world.service(service))
    supervisor.events.expect("su")
    assert "notification-fd" in supervisor.said()
    pid = supervisor.status().pid
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    assert sorted(process.descriptors_of(pid)) == [0, 1, 2]


def test_blanks_around_a_number(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\nexec sleep 1000\n", "notification-fd": "3 \n"}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("su")
    assert ("notification-fd" in supervisor.said()) != daemons.expects.trims_numbers


def test_the_file_is_read_at_each_start(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\necho >&5\nexec sleep 1000\n", "notification-fd": "5\n"}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("suU")
    (supervisor.directory / "notification-fd").unlink()
    supervisor.control("d")
    supervisor.events.expect("dD")
    supervisor.control("u")
    supervisor.events.expect("u")
    pid = supervisor.status().pid
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    assert not supervisor.status().ready


def test_no_finish_gets_the_descriptor(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\necho >&3\nexec sleep 1000\n",
        "notification-fd": "3\n",
        "finish!": "#!/bin/sh\nread -r x <hold\n",
        "hold": FIFO,
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("suU")
    supervisor.control("t")
    finish = supervisor.until("finishing").pid
    open_ones = process.descriptors_of(finish)
    assert all("pipe" not in target for fd, target in open_ones.items() if fd > 2), open_ones
    supervisor.control("O")
    descriptor = os.open(supervisor.directory / "hold", os.O_RDWR)
    os.write(descriptor, b"\n")
    supervisor.until("down")
    os.close(descriptor)


def test_notification_of_an_old_life_does_not_count(world: World, daemons: Programs) -> None:
    """A child of the first life that still holds the pipe cannot make the second one ready."""
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\n(trap '' TERM; read -r x <hold; echo >&3) &\nexec sleep 1000\n",
        "notification-fd": "3\n",
        "hold": FIFO,
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("su")
    first = supervisor.status().pid
    child = until(lambda: process.children_of(first), "the child")[0]
    (supervisor.directory / "run").write_text("#!/bin/sh\nexec sleep 1000\n")
    supervisor.control("du")
    supervisor.events.expect("dDu")
    (supervisor.directory / "hold").write_text("\n")
    until(lambda: not process.alive(child), "the end of the child")
    supervisor.control("p")
    supervisor.until("paused")
    assert not supervisor.status().ready
    supervisor.control("c")
