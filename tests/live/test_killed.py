"""kill -9 of supervisors, scanners, services, in any order: nothing starts twice or is left.

A new supervisor takes over the service that a killed one left running; the originals start a second
copy beside it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import Scanner, World, write_control
from world.status import decode, status, tally
from world.tracing import stopping_its_children
from world.tree import FIFO, Content
from world.waiting import holds_for, lines_of, until, until_line, until_lines
from world.witness import SLEEPER, finish, ready_on, sleeper

pytestmark = pytest.mark.ours_only

ALONE = """#!/bin/sh
exec 9>held
flock -n 9 || { echo double >>doubles; exit 99; }
echo $$ >>starts
exec sleep 1000
"""
"""A service that notices a second copy of itself."""


def test_the_service_is_taken_over(world: World, daemons: Programs, tools: Programs) -> None:
    content: dict[str, Content] = {"run!": ALONE, "finish!": finish()}
    first = world.supervise(daemons, world.service(content))
    until_lines(first.directory / "starts", 1)
    before = first.until("up")
    first.kill()
    assert status(first.directory) == before
    second = world.supervise(daemons, first.directory)
    after = second.status()
    assert (after.pid, after.stamp, after.up) == (before.pid, before.stamp, True)
    assert tools.run("s6-svstat", "-o", "pid,up", second.directory).out == f"{before.pid} true\n"
    assert not (second.directory / "doubles").exists()

    second.control("1")
    third = second.until_replaced(before.pid)
    assert third.wstat == signal.SIGUSR1, "how an adopted service ended is known"
    assert until_lines(second.directory / "finishes", 1)[0].startswith("256 10 web ")
    assert [one.signal for one in tally(second.directory)] == [signal.SIGUSR1]


def test_ready_stays_ready(world: World, daemons: Programs) -> None:
    first = world.supervise(daemons, world.service(ready_on(3)))
    first.events.wait_for("U")
    before = first.status()
    first.kill()
    second = world.supervise(daemons, first.directory)
    after = second.status()
    assert (after.pid, after.ready, after.readystamp) == (before.pid, True, before.readystamp)


@pytest.mark.parametrize("letter", ["O", "u"])
def test_what_was_wanted_is_still_wanted(world: World, daemons: Programs, letter: str) -> None:
    first = world.supervise(daemons, world.service({"run!": ALONE}))
    pid = first.until("up").pid
    first.control(letter)
    wanted = letter == "u"
    until(lambda: first.status().wanted_up == wanted)
    first.kill()
    second = world.supervise(daemons, first.directory)
    assert second.status().pid == pid
    assert second.status().wanted_up == wanted
    second.control("k")
    second.events.wait_for("D")


def test_every_signal_reaches_an_adopted_service(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {"run!": ALONE, "timeout-kill": "100\n"}
    first = world.supervise(daemons, world.service(content))
    pid = first.until("up").pid
    first.kill()
    second = world.supervise(daemons, first.directory)
    second.control("p")
    until(lambda: process.state_of(pid) == "T", "stopped")
    second.control("c")
    until(lambda: process.state_of(pid) == "S", "running again")
    second.control("d")
    assert second.until("down").wstat == signal.SIGTERM
    assert not process.alive(pid)


def test_a_running_finish_is_taken_over(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\necho $$ >>finishes\nread -r x <hold\nexit 125\n",
        "hold": FIFO,
        "timeout-finish": "0\n",
    }
    first = world.supervise(daemons, world.service(content))
    first.until("up")
    first.control("t")
    finishing = first.until("finishing").pid
    until_line(first.directory / "finishes", str(finishing))
    first.kill()
    second = world.supervise(daemons, first.directory)
    assert second.status().finishing
    assert second.status().pid == finishing
    (second.directory / "hold").write_text("\n")
    second.events.expect("sOD")
    assert not second.status().wanted_up
    assert len(until_lines(second.directory / "finishes", 1)) == 1


def test_a_service_that_died_meanwhile_is_started_again(world: World, daemons: Programs) -> None:
    first = world.supervise(daemons, world.service({"run!": ALONE}))
    pid = first.until("up").pid
    first.kill()
    world.end(pid)
    second = world.supervise(daemons, first.directory)
    assert second.until("up").pid != pid
    assert not (second.directory / "doubles").exists()


def test_a_recycled_pid_is_not_taken_for_the_service(world: World, daemons: Programs) -> None:
    """The record names a living process that is not the one that was recorded."""
    first = world.supervise(daemons, world.service({"run!": ALONE}))
    pid = first.until("up").pid
    first.kill()
    record = first.directory / "supervise/child"
    text = record.read_text()
    world.end(pid)
    other = os.getpid()
    record.write_text(text.replace(f"{pid} (", f"{other} (", 1))
    second = world.supervise(daemons, first.directory)
    assert second.until("up").pid not in (pid, other)


def test_a_process_of_an_earlier_boot_is_not_taken_for_the_service(
    world: World, daemons: Programs
) -> None:
    """A service directory on a disk, and a boot that gave the same pid at the same time."""
    first = world.supervise(daemons, world.service(sleeper()))
    pid = first.until("up").pid
    first.kill()
    record = first.directory / "supervise/child"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    text = record.read_text()
    assert boot in text
    record.write_text(text.replace(boot, boot[::-1]))
    second = world.supervise(daemons, first.directory)
    assert second.until_replaced(pid).up
    second.control("d")
    second.until("down")
    assert process.alive(pid), "not ours to end"
    world.end(pid)


def test_killed_before_its_child_is_a_program(world: World, daemons: Programs) -> None:
    """Whoever comes next waits for the child, which holds the lock until its exec."""
    scanner = world.scan(daemons, world.plant({"web": {"run!": ALONE, "down": ""}}, "scan"))
    killed = scanner.until_supervised("web")["web"]
    with stopping_its_children(killed, world.top / "trace") as stopped_child:
        write_control(scanner.directory / "web/supervise/control", b"u")
        child = stopped_child()
    process.kill(killed)
    until(lambda: "s6-supervise web: fatal: " in scanner.said(), "a second one that cannot")
    assert not (scanner.directory / "web/starts").exists()
    process.kill(child, signal.SIGCONT)
    until_line(scanner.directory / "web/starts", str(child))
    assert killed not in scanner.until_supervised("web").values()
    assert scanner.until_up("web") == {"web": child}
    assert not (scanner.directory / "web/doubles").exists()


def test_a_scanner_replaces_a_killed_supervisor(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {"web": {"run!": ALONE}}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    pid = scanner.until_up("web")["web"]
    for _ in range(2):
        killed = scanner.until_supervised("web")["web"]
        process.kill(killed)
        until(lambda killed=killed: scanner.supervisors().get("web") not in (None, killed))  # type: ignore[misc]
        assert scanner.until_up("web")["web"] == pid
    assert not (scanner.directory / "web/doubles").exists()


def test_stop_leaves_nothing_although_supervisors_were_killed(
    world: World, daemons: Programs
) -> None:
    """The service of a supervisor that was killed a moment before the stop is brought down too."""
    content: dict[str, Content] = {name: {"run!": ALONE} for name in "abc"}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    services = scanner.until_up(*"abc")
    for pid in scanner.until_supervised(*"abc").values():
        process.kill(pid)
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert not any(process.alive(pid) for pid in services.values())


def test_supervisors_killed_while_stopping(world: World, daemons: Programs) -> None:
    slow = (
        "#!/bin/sh\ntrap 'sleep 0.3; exit 0' TERM\necho $$ >>starts\nwhile :; do sleep 0.02; done\n"
    )
    content: dict[str, Content] = {name: {"run!": slow} for name in "abc"}
    scanner = world.scan(daemons, world.plant(content, "scan"))
    services = scanner.until_up(*"abc")
    for name in "abc":
        until_lines(scanner.directory / name / "starts", 1)
    supervisors = scanner.until_supervised(*"abc")
    scanner.control("t")
    for pid in supervisors.values():
        process.kill(pid)
    assert scanner.exit_code() == 0
    assert not any(process.alive(pid) for pid in services.values())


def test_a_new_scanner_ends_what_a_killed_one_left(world: World, daemons: Programs) -> None:
    """Its `t` reaches the supervisors of the first one, although they are not its children."""
    content: dict[str, Content] = {name: {"run!": ALONE} for name in "ab"}
    first = world.scan(daemons, world.plant(content, "scan"))
    services = first.until_up(*"ab")
    first.kill()
    second = world.scan(daemons, first.directory)
    assert holds_for(lambda: all(process.alive(pid) for pid in services.values()), 0.2)
    second.control("t")
    assert second.exit_code() == 0
    assert not any(process.alive(pid) for pid in services.values())


class Storm:
    """Random kills and commands on a scan directory, from a seed."""

    def __init__(self, world: World, daemons: Programs, seed: int) -> None:
        self.random = random.Random(seed)
        self.world, self.daemons = world, daemons
        self.names = [f"s{index}" for index in range(5)]
        content: dict[str, Content] = {name: {"run!": ALONE} for name in self.names}
        content["s0"] = {"run!": ALONE, "finish!": finish(before="sleep 0.05")}
        self.scandir = world.plant(content, "scan")
        self.scanner: Scanner = world.scan(daemons, self.scandir)
        self.scanner.until_up(*self.names)

    def step(self) -> str:
        """Do one thing; returns what, for the message of a failure."""
        name = self.random.choice(self.names)
        deed = self.random.choice(
            ["kill supervisor", "kill service", "kill scanner", "command", "command", "wait"]
        )
        if deed == "kill supervisor":
            for pid in self.supervisors_of(name):
                process.kill(pid)
        elif deed == "kill service":
            with contextlib.suppress(FileNotFoundError):
                pid = status(self.scandir / name).pid
                if pid and process.alive(pid):
                    process.kill(pid)
        elif deed == "kill scanner" and self.scanner.running():
            self.scanner.kill()
            self.scanner = self.world.scan(self.daemons, self.scandir)
        elif deed == "command":
            letters = self.random.choice(["r", "d", "u", "du", "t", "o", "pc", "a"])
            with contextlib.suppress(OSError):
                self.write(name, letters)
            deed += f" {letters}"
        else:
            holds_for(lambda: True, self.random.random() * 0.3)
        self.check()
        return f"{deed} {name}"

    def write(self, name: str, letters: str) -> None:
        fifo = os.open(self.scandir / name / "supervise/control", os.O_WRONLY | os.O_NONBLOCK)
        os.write(fifo, letters.encode())
        os.close(fifo)

    def supervisors_of(self, name: str) -> list[int]:
        """Every supervisor of a service, whoever's child it is by now."""
        found = []
        for pid in process.descendants_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                words = " ".join(process.argv_of(pid)).split()
                if words[-2:] == ["s6-supervise", name]:
                    found.append(pid)
        return found

    def check(self) -> None:
        for name in self.names:
            decode((self.scandir / name / "supervise/status").read_bytes())
            assert not (self.scandir / name / "doubles").exists(), f"{name} was started twice"


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_storm(world: World, daemons: Programs, seed: int) -> None:
    storm = Storm(world, daemons, seed)
    done: list[str] = []
    for _ in range(40):
        try:
            done.append(storm.step())
        except AssertionError as error:
            raise AssertionError(f"after {done}: {error}") from error
    if not storm.scanner.running():
        storm.scanner = world.scan(daemons, storm.scandir)
    storm.scanner.control("t")
    assert storm.scanner.exit_code() == 0, done
    done = done[-12:]
    for name in storm.names:
        assert not status(storm.scandir / name).up, (name, done)
        assert storm.supervisors_of(name) == [], (name, done)
        for pid in lines_of(storm.scandir / name / "starts"):
            assert not is_service(int(pid), storm.scandir / name), (name, pid, done)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kills_at_boot_and_at_stop(world: World, daemons: Programs, seed: int) -> None:
    """Supervisors die while the tree comes up and while it goes down, several times over."""
    source = random.Random(seed)
    names = [f"s{index}" for index in range(4)]
    scandir = world.plant({name: {"run!": ALONE} for name in names}, "scan")
    for _ in range(4):
        scanner = world.scan(daemons, scandir)
        for _ in range(source.randrange(6)):
            kill_one(source, scanner)
        scanner.control("t")
        for _ in range(source.randrange(6)):
            kill_one(source, scanner)
        assert scanner.exit_code() == 0
        for name in names:
            assert not (scandir / name / "doubles").exists()
            for pid in lines_of(scandir / name / "starts"):
                assert not is_service(int(pid), scandir / name)


def kill_one(source: random.Random, scanner: Scanner) -> None:
    """Kill any child of the scanner, after a moment that may be none."""
    holds_for(lambda: True, source.random() * 0.02)
    victims = process.children_of(scanner.pid)
    if victims:
        process.kill(source.choice(victims))


def is_service(pid: int, servicedir: Path) -> bool:
    """Whether this pid is still a process of this service, and not a later one by chance."""
    try:
        return process.alive(pid) and Path(f"/proc/{pid}/cwd").readlink() == servicedir
    except (FileNotFoundError, ProcessLookupError):
        return False
