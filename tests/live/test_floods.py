"""Too much of everything: names, variables, control bytes, output that nobody reads.

What strangers can write to must not be able to end a daemon, nor keep it from its work.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World, write_control
from world.status import status
from world.tree import Content
from world.waiting import until
from world.witness import SLEEPER, sleeper

pytestmark = pytest.mark.ours_only


def test_very_many_names_in_an_event_directory(world: World, daemons: Programs) -> None:
    """Whoever may subscribe may make names; a supervisor has room for any number of them."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    before = scanner.until_up("web")["web"]
    supervisor = scanner.supervisors()["web"]
    events = scanner.directory / "web/event"
    for number in range(12_000):
        (events / f"{number:x<200}").touch()
    os.kill(before, signal.SIGKILL)
    until(lambda: status(scanner.directory / "web").pid not in (0, before), explain=scanner.said)
    assert scanner.supervisors() == {"web": supervisor}, scanner.said()


def test_an_environment_of_very_many_variables(world: World, daemons: Programs) -> None:
    """More than fits into the memory that a forked supervisor begins with."""
    scandir = world.plant({"web": {"run!": "#!/bin/sh\nexec sleep 1000\n"}}, "scan")
    scanner = world.scan(daemons, scandir, env={f"V{n}": "" for n in range(100_000)})
    pid = scanner.until_up("web")["web"]
    environ = Path(f"/proc/{pid}/environ")  # empty while the exec is under way
    until(lambda: environ.read_bytes().count(b"\0") >= 100_000, "the whole environment")
    assert scanner.said() == ""


def test_a_link_among_the_subscribers(world: World, daemons: Programs) -> None:
    """It does not make the supervisor, which may be root, write to the file at its end."""
    supervisor = world.supervise(daemons, world.service(sleeper()))
    pid = supervisor.until("up").pid
    victim = world.top / "victim"
    victim.write_text("secret")
    label = "@" + "4" * 24
    (supervisor.directory / f"event/ftrig1:{label}:linked").symlink_to(victim)
    os.link(victim, supervisor.directory / f"event/ftrig1:{label}:shared")
    os.kill(pid, signal.SIGKILL)
    supervisor.until_replaced(pid)
    assert victim.read_text() == "secret"


class Flood:
    """Somebody who writes the same bytes into a FIFO, as fast as they are read."""

    def __init__(self, fifo: Path, text: str) -> None:
        self._fifo, self._text = fifo, text

    def __enter__(self) -> None:
        with self._fifo.open("wb") as file:
            self._yes = subprocess.Popen(["yes", self._text], stdout=file)

    def __exit__(self, *_: object) -> None:
        self._yes.kill()
        self._yes.wait()


def processor_time_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_flood_costs_next_to_nothing(world: World, daemons: Programs) -> None:
    """Who floods a daemon does not get the processor that everybody else needs."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_up("web")
    pids = [scanner.pid, *scanner.supervisors().values()]
    fifos = (scanner.directory / "web/supervise/control", scanner.directory / ".s6-svscan/control")
    with Flood(fifos[0], "?"), Flood(fifos[1], "?"):
        began = time.monotonic()
        before = [processor_time_s(pid) for pid in pids]
        until(lambda: scanner.said().count("unknown control bytes") > 20, "a second of flood")
        took = [processor_time_s(pid) - b for pid, b in zip(pids, before, strict=True)]
        passed = time.monotonic() - began
    assert passed > 0.9, "and does not fill a log"
    assert max(took) < passed / 4, took
    scanner.signal(signal.SIGTERM)
    assert scanner.exit_code() == 0


def test_control_bytes_without_end(world: World, daemons: Programs) -> None:
    """Deaths and signals are seen all the same."""
    supervisor = world.supervise(daemons, world.service({"run!": SLEEPER}))
    before = supervisor.until("up").pid
    with Flood(supervisor.directory / "supervise/control", "u"):
        os.kill(before, signal.SIGKILL)
        supervisor.until_replaced(before)
        supervisor.signal(signal.SIGTERM)
        assert supervisor.exit_code() == 0


def test_control_bytes_without_end_for_a_scanner(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_up("web")
    with Flood(scanner.directory / ".s6-svscan/control", "a?"):
        scanner.signal(signal.SIGTERM)
        assert scanner.exit_code() == 0
    assert "unknown control bytes, the first is 0x3f" in scanner.said()


def test_nobody_reads_what_daemons_say(world: World, daemons: Programs) -> None:
    """A full pipe on stderr stops neither scanner nor supervisors."""
    scandir = world.plant({"web": sleeper(), "broken": {"down": ""}, "w" * 253: {}}, "scan")
    said = world.top / "said"
    os.mkfifo(said)
    with said.open("r+b", buffering=0) as pipe:
        os.set_blocking(pipe.fileno(), False)
        while pipe.write(bytes(4096)):
            pass
        to_pipe = ["sh", "-c", 'exec "$@" 2>../said', "sh"]
        scanner = world.scan(daemons, scandir, under=to_pipe)
        scanner.until_up("web")
        scanner.until_supervised("web", "broken")
        first = scanner.supervisors()["broken"]
        write_control(scandir / "broken/supervise/control", b"ux")  # no `run`: a warning
        until(lambda: scanner.supervisors().get("broken") not in (None, first), "another one")
        scanner.control("t")
        assert scanner.exit_code() == 0


def test_a_service_that_waits_for_its_lock_can_be_stopped(world: World, daemons: Programs) -> None:
    """Whoever holds the lock may hold it for ever."""
    content: dict[str, Content] = {"run!": SLEEPER, "lock-fd": "5\n", "down": ""}
    supervisor = world.supervise(daemons, world.service(content))
    lock = supervisor.directory / "supervise/service-lock"
    with lock.open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        supervisor.control("u")
        pid = supervisor.until("up").pid
        until(lambda: process.look(pid).state == "S", "it waits")
        supervisor.control("d")
        assert supervisor.until("down").wstat == signal.SIGTERM
