"""No space, no descriptors, no processes: said clearly, survived, and made good afterwards."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from world import process
from world.programs import AS_NOBODY, Programs
from world.running import Supervisor, World, write_control
from world.status import status
from world.tracing import stopping_its_children, until_traced
from world.tree import Content, plant
from world.waiting import holds_for, until
from world.witness import SLEEPER, sleeper

pytestmark = pytest.mark.ours_only

ROOT = os.geteuid() == 0


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """A file system of a few pages."""
    place = world.top / "small"
    place.mkdir()
    size = "size=64k,nr_inodes=40,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)
    yield place
    world.close()
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave no room for a byte."""
    filler = place / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


@pytest.mark.skipif(not ROOT, reason="only root can mount a small file system")
def test_full_disk(world: World, daemons: Programs, small_disk: Path) -> None:
    plant(small_disk / "web", {"run!": SLEEPER, "finish!": "#!/bin/sh\n"})
    supervisor = world.supervise(daemons, small_disk / "web")
    first = supervisor.until("up").pid
    filler = fill(small_disk)
    os.kill(first, 9)
    until(lambda: "No space left" in supervisor.said(), "a warning", explain=supervisor.said)
    line = next(x for x in supervisor.said().splitlines() if "No space left" in x)
    assert "warning" in line
    assert "status" in line or "death_tally" in line or "child" in line
    until(
        lambda: any(process.alive(pid) for pid in process.children_of(supervisor.pid)),
        "the service runs again although nothing can be written down",
    )
    assert supervisor.status().pid == first
    filler.unlink()
    supervisor.until_replaced(first)  # without being asked
    supervisor.control("d")
    supervisor.until("down")
    supervisor.control("u")
    supervisor.until("up")


def limit(pid: int, what: str, under: Sequence[str] = ()) -> None:
    subprocess.run([*under, "prlimit", f"--pid={pid}", what], check=True)


def refused_then_allowed(
    supervisor: Supervisor, limited: str, free: str, under: Sequence[str] = ()
) -> None:
    """A start fails for want of something, the supervisor says so and lives; then it works."""
    limit(supervisor.pid, limited, under)
    said = supervisor.said()
    supervisor.control("u")
    until(lambda: supervisor.said() != said, "a message", explain=supervisor.said)
    line = supervisor.said().removeprefix(said).splitlines()[0]
    assert "warning" in line, line
    assert supervisor.status().down
    assert supervisor.running()
    limit(supervisor.pid, free, under)
    supervisor.control("u")
    supervisor.until("up")


def test_no_descriptors(world: World, daemons: Programs) -> None:
    """The pipe for readiness cannot be made."""
    content: dict[str, Content] = {"run!": SLEEPER, "down": "", "notification-fd": "3\n"}
    supervisor = world.supervise(daemons, world.service(content))
    refused_then_allowed(supervisor, "--nofile=6:1024", "--nofile=1024:1024")


@pytest.mark.skipif(not ROOT, reason="root has no limit, so it must become somebody else")
def test_no_processes(world: World, daemons: Programs) -> None:
    servicedir = world.service({"run!": SLEEPER, "down": "", "event": {}})
    for place in (servicedir, servicedir / "event"):
        os.chown(place, 65534, 65534)
    supervisor = world.supervise(daemons, servicedir, under=AS_NOBODY)
    refused_then_allowed(supervisor, "--nproc=1:", "--nproc=10000:", AS_NOBODY)


@pytest.mark.skipif(not ROOT, reason="root has no limit, so it must become somebody else")
def test_no_process_for_finish(world: World, daemons: Programs) -> None:
    """The service is down all the same, and is started again when there is room."""
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\n",
        "event": {},
    }
    servicedir = world.service(content)
    for place in (servicedir, servicedir / "event"):
        os.chown(place, 65534, 65534)
    supervisor = world.supervise(daemons, servicedir, under=AS_NOBODY)
    pid = supervisor.until("up").pid
    limit(supervisor.pid, "--nproc=1:", AS_NOBODY)
    os.kill(pid, 9)
    supervisor.until("down")
    assert supervisor.status().wstat == 9
    limit(supervisor.pid, "--nproc=10000:", AS_NOBODY)
    supervisor.control("u")
    supervisor.until("up")


@pytest.mark.parametrize("count", [4, 5, 6, 7, 8, 9, 10, 12, 14])
def test_few_descriptors_from_the_start(world: World, daemons: Programs, count: int) -> None:
    """Either it works or it ends at once with 111 and a reason; it never hangs half-way."""
    servicedir = world.service(sleeper(down=""))
    popen, errors = world.launch(
        ["prlimit", f"--nofile={count}", str(daemons.path("s6-supervise")), "web"],
        daemons.environment(),
        world.top,
    )
    world.stop_later(popen, servicedir)
    until(lambda: popen.poll() is not None or (servicedir / "supervise/status").exists())
    if holds_for(lambda: popen.poll() is None, 0.05):
        assert status(servicedir).down
    else:
        assert popen.returncode == 111
        last = errors.read_text().splitlines()[-1]
        assert re.match("s6-supervise( web)?: fatal: ", last)
        assert "Too many open files" in last


def test_a_scanner_without_descriptors(world: World, daemons: Programs) -> None:
    """A logged service needs a pipe; it is tried again, and what runs goes on running."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    pids = scanner.until_up("web")
    limit(scanner.pid, "--nofile=8:1024")
    plant(scanner.directory / "logged", {**sleeper(), "log": sleeper()})
    scanner.control("a")
    until(lambda: "Too many open files" in scanner.said(), "a warning", explain=scanner.said)
    line = next(x for x in scanner.said().splitlines() if "Too many" in x)
    assert "warning" in line
    assert "trying again" in line
    assert scanner.until_up("web") == pids
    limit(scanner.pid, "--nofile=1024:1024")
    scanner.control("a")
    scanner.until_supervised("logged", "logged/log", "web")
    scanner.control("q")
    assert scanner.exit_code() == 0


def processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def test_not_even_a_descriptor_to_wait_for(world: World, daemons: Programs) -> None:
    """poll(2) refuses more descriptors than a process may have: no end, and no spinning."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    pid = scanner.until_up("web")["web"]
    supervisor = scanner.supervisors()["web"]
    both = (scanner.pid, supervisor)
    for daemon in both:
        limit(daemon, "--nofile=1:1024")
    before = [processor_ticks(daemon) for daemon in both]
    assert holds_for(lambda: scanner.supervisors() == {"web": supervisor}, 0.5)
    spent = [after - then for after, then in zip(map(processor_ticks, both), before, strict=True)]
    assert max(spent) < 10, f"{spent} hundredths of a second of processor time"
    os.kill(pid, 9)
    until(lambda: not process.alive(pid), "reaped, which needs no descriptor")
    for daemon in both:
        limit(daemon, "--nofile=1024:1024")
    assert status(scanner.directory / "web").pid != 0
    write_control(scanner.directory / "web/supervise/control", b"u")
    until(lambda: status(scanner.directory / "web").pid not in (0, pid), "the service runs again")
    scanner.control("t")
    assert scanner.exit_code() == 0


def strace_that(injects: str) -> list[str]:
    """Return the beginning of a command that makes system calls fail."""
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"inject={injects}"]


def test_services_that_cannot_be_looked_at_for_a_moment(world: World, daemons: Programs) -> None:
    """They stay what they were, and are looked at again without being asked."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    pids, supervisors = scanner.until_up("web"), scanner.supervisors()
    plant(scanner.directory / "new", sleeper())
    faults = "newfstatat:error=EIO:when=1..2"
    with subprocess.Popen([*strace_that(faults), "-p", str(scanner.pid)]) as strace:
        until_traced(scanner.pid, strace.pid)
        scanner.control("h")
        until(lambda: "unable to stat web: Input/output error" in scanner.said())
        strace.terminate()
    assert "new" not in scanner.supervisors()
    assert scanner.supervisors() == supervisors
    until(lambda: "new" in scanner.supervisors(), "another look", explain=scanner.said)
    assert scanner.until_up("web") == pids


def test_no_close_range(world: World, daemons: Programs) -> None:
    """Kernels before 5.9, old seccomp profiles: those that are open are closed."""
    content: dict[str, Content] = {"web": {**sleeper(), "log/run!": "#!/bin/sh\nexec cat\n"}}
    strace = [*strace_that("close_range:error=ENOSYS"), "-D", "-f"]
    scanner = world.scan(daemons, world.plant(content, "scan"), under=strace)
    scanner.until_up("web", "web/log")
    for supervisor in scanner.supervisors().values():
        names = process.descriptors_of(supervisor).values()
        assert not [name for name in names if ".s6-svscan" in name]


def test_the_highest_descriptor_there_is(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {"run!": "#!/bin/bash\necho >&19\nexec sleep 1000\n", "down": ""}
    content |= {"notification-fd": "19\n"}
    supervisor = world.supervise(daemons, world.service(content))
    limit(supervisor.pid, "--nofile=20:1024")
    supervisor.control("u")
    supervisor.events.wait_for("U")


def test_a_start_that_is_stopped(world: World, daemons: Programs) -> None:
    """SIGSTOP to a service before its exec: its supervisor does not wait for it."""
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    with stopping_its_children(supervisor.pid, world.top / "trace") as stopped_child:
        supervisor.control("u")
        child = stopped_child()
        assert supervisor.until("up").pid == child
    supervisor.control("d")
    supervisor.until("down")
    assert not process.alive(child)
