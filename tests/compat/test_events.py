"""The order of events (matrix row 7, contract 4.5), as a third-party subscriber records them."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from world import process
from world.events import Subscriber
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until
from world.witness import finish, ready_on, sleeper


def test_a_whole_life(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({**ready_on(3), "finish!": finish()}))
    supervisor.events.expect("suU")
    supervisor.control("d")
    supervisor.events.expect("dD")
    supervisor.control("u")
    supervisor.events.expect("uU")
    supervisor.control("r")
    supervisor.events.expect("dDuU", timeout_s=5)
    supervisor.control("dx")
    supervisor.events.expect("dDx")
    assert supervisor.exit_code() == 0


def test_without_finish(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    supervisor.control("d")
    supervisor.events.expect("dD")


def test_an_event_directory_made_anew(world: World, daemons: Programs) -> None:
    """Whoever waits makes one where there is none; who subscribes there is told."""
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.until("up")
    shutil.rmtree(supervisor.directory / "event")
    supervisor.control("d")
    supervisor.until("down")
    assert "event" not in supervisor.said()
    events = world.subscribe(supervisor.directory)
    supervisor.control("u")
    events.wait_for("u")


def test_permanent_failure(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\nexit 1\n", "finish!": finish(125)}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("sudOD")
    now = supervisor.status()
    assert now.down
    assert not now.wanted_up
    assert holds_for(lambda: supervisor.status() == now, 1.2), "it is not started again"


def test_only_125_is_a_permanent_failure(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\nexit 125\n", "finish!": finish(124)}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("sudDud", timeout_s=5)


def test_failed_exec_is_no_event(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({"down": ""}))
    before = supervisor.status()
    supervisor.control("o")
    until(lambda: "run" in supervisor.said(), "a message about run")
    supervisor.control("x")
    supervisor.events.expect("sx")
    assert supervisor.exit_code() == 0
    after = supervisor.status()
    assert (after.pid, after.stamp, after.wstat) == (before.pid, before.stamp, before.wstat)


def test_exit_while_down(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.control("x")
    supervisor.events.expect("sx")
    assert supervisor.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_signals_while_down(world: World, daemons: Programs, number: signal.Signals) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.signal(number)
    supervisor.events.expect("sx")
    assert supervisor.exit_code() == 0


def test_term_while_up(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({**sleeper(), "finish!": finish()}))
    supervisor.events.expect("su")
    supervisor.signal(signal.SIGTERM)
    supervisor.events.expect("dDx")
    assert supervisor.exit_code() == 0
    assert supervisor.status().down


def test_hup_while_up_waits_for_the_death(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    pid = supervisor.status().pid
    supervisor.signal(signal.SIGHUP)
    until(
        lambda: process.descriptors_of(supervisor.pid).get(1) == "/dev/null",
        "stdout of the supervisor closed",
    )
    assert holds_for(supervisor.running, 0.1)
    os.kill(pid, signal.SIGKILL)
    supervisor.events.expect("dDx")
    assert supervisor.exit_code() == 0


def test_quit_while_up_leaves_the_service(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    before = supervisor.status()
    supervisor.signal(signal.SIGQUIT)
    supervisor.events.expect("x")
    assert supervisor.exit_code() == 0
    assert supervisor.status() == before
    os.kill(before.pid, 0)
    world.end(before.pid)


def test_int_while_up_reaches_the_group(world: World, daemons: Programs) -> None:
    content = {"run!": "#!/bin/sh\nsleep 1000 &\nexec sleep 1001\n"}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("su")
    group = supervisor.status().pid
    until(lambda: len(members(group)) == 1, "the child")
    until(lambda: process.sleeps(group, "sleep", "1001"), "the daemon itself")
    supervisor.signal(signal.SIGINT)
    supervisor.events.expect("x")
    assert supervisor.exit_code() == 0
    # A background process of a shell ignores SIGINT; the daemon itself dies.
    until(lambda: not process.alive(group), "the end of the daemon")
    world.end(*members(group))


def members(group: int) -> list[int]:
    """Processes of a group, without its leader."""
    pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if pid != group and process.group_of(pid) == group]


def test_exit_waits_for_finish(world: World, daemons: Programs) -> None:
    content = {**sleeper(), "finish!": finish(before="read -r x <hold")}
    servicedir = world.service(content)
    os.mkfifo(servicedir / "hold")
    supervisor = world.supervise(daemons, servicedir)
    supervisor.events.expect("su")
    supervisor.control("t")
    supervisor.events.expect("d")
    supervisor.control("x")
    assert holds_for(supervisor.running, 0.1)
    (servicedir / "hold").write_text("\n")
    supervisor.events.expect("Dx")
    assert supervisor.exit_code() == 0


def test_death_ends_the_supervisor_after_x_although_wanted_up(
    world: World, daemons: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    supervisor.control("xu")
    until(lambda: process.descriptors_of(supervisor.pid).get(1) == "/dev/null")
    assert supervisor.status().wanted_up
    supervisor.control("t")
    supervisor.events.expect("dDx")
    assert supervisor.exit_code() == 0


def test_commands_send_no_event_of_their_own(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    supervisor.control("pcoOuUQ?!\n")
    until(lambda: (supervisor.directory / "down").exists(), "Q was read")
    supervisor.control("t")
    supervisor.events.expect("dD")


def test_subscribers_without_reader_are_removed(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    fifodir = supervisor.directory / "event"
    gone = Subscriber(fifodir)
    gone.abandon()
    assert gone.path.exists()
    (fifodir / "unrelated").touch()
    supervisor.control("t")
    supervisor.events.wait_for("d")
    until(lambda: not gone.path.exists(), "it is removed, before or after ours was written")
    assert (fifodir / "unrelated").exists()


def test_a_full_subscriber_loses_events_and_nobody_else_does(
    world: World, daemons: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.events.expect("su")
    with Subscriber(supervisor.directory / "event") as lazy:
        descriptor = os.open(lazy.path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(descriptor, bytes(4096))
        except BlockingIOError:
            pass
        os.close(descriptor)
        supervisor.control("d")
        supervisor.events.expect("dD")
        assert lazy.path.exists()
