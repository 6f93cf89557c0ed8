"""Hostile and broken input: a clear message, an exit code, nothing else disturbed."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from world import process
from world.programs import AS_NOBODY, Programs
from world.running import World
from world.status import status
from world.tree import FIFO, Content, plant
from world.waiting import holds_for, until
from world.witness import SLEEPER, sleeper

pytestmark = pytest.mark.ours_only

ROOT = os.geteuid() == 0


@pytest.mark.parametrize(
    ("what", "content", "why"),
    [
        ("missing", {}, "No such file or directory"),
        ("not executable", {"run": "#!/bin/sh\n"}, "Permission denied"),
        ("no interpreter", {"run!": "#!/nonexistent/sh\n"}, "No such file or directory"),
        ("a directory", {"run/x": ""}, "Permission denied"),
        ("no program", {"run!": b"\x7fELF garbage"}, "Exec format error"),
        ("empty", {"run!": ""}, "Exec format error"),
    ],
)
def test_run_that_cannot_run(
    world: World, daemons: Programs, what: str, content: dict[str, Content], why: str
) -> None:
    """The message names the file and the reason; the others run on."""
    scandir = world.plant({"bad": {"note": "", **content}, "good": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    good = scanner.until_up("good")
    until(lambda: why in scanner.said(), f"a message about {what}", explain=scanner.said)
    line = next(line for line in scanner.said().splitlines() if why in line)
    assert line.startswith("s6-supervise bad: warning: "), line
    assert "run" in line
    assert "10 seconds" in line, "it says what happens next"
    scanner.until_supervised("bad", "good")
    assert status(scandir / "bad").down
    assert scanner.until_up("good") == good


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("supervise", ""),
        ("event", ""),
        ("supervise/control", ""),
        ("supervise/control", {}),
        ("supervise/lock", {}),
        ("supervise/lock", FIFO),
    ],
    ids=["supervise file", "event file", "control file", "control dir", "lock dir", "lock fifo"],
)
def test_something_else_is_in_the_way(
    world: World, daemons: Programs, place: str, content: Content
) -> None:
    servicedir = world.service({"run!": SLEEPER, place: content})
    said = daemons.run("s6-supervise", "web", cwd=world.top, timeout_s=5)
    assert said.code == (111 if place == "supervise/lock" else 100)
    assert re.match("s6-supervise( web)?: fatal: ", said.err)
    assert place in said.err
    assert (servicedir / place).exists()


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
@pytest.mark.parametrize(
    "name", ["notification-fd", "timeout-kill", "timeout-finish", "down-signal"]
)
def test_unreadable_settings(world: World, daemons: Programs, name: str) -> None:
    servicedir = world.service({"run!": SLEEPER, name: "5\n"})
    (servicedir / name).chmod(0)
    os.chown(servicedir, 65534, 65534)
    event = servicedir / "event"
    event.mkdir()
    os.chown(event, 65534, 65534)
    supervisor = world.supervise(daemons, servicedir, under=AS_NOBODY)
    supervisor.events.wait_for("u")
    supervisor.control("d")
    supervisor.events.wait_for("D")
    line = next((line for line in supervisor.said().splitlines() if name in line), "")
    assert "warning" in line, supervisor.said()
    assert "Permission denied" in line


def test_names_that_are_too_long(world: World, daemons: Programs) -> None:
    scandir = world.plant({"good": sleeper(), "l" * 252: sleeper(), "m" * 251: sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    scanner.until_up("good", "m" * 251)
    assert not (scandir / ("l" * 252) / "supervise").exists()
    line = next(line for line in scanner.said().splitlines() if "lll" in line)
    assert line.startswith("s6-svscan: warning: ")
    assert "too long" in line
    assert "-L" in line, "it says what to do"


def test_a_newline_in_a_name_cannot_forge_a_message(world: World, daemons: Programs) -> None:
    name = "x\ns6-svscan: fatal: forged"
    scandir = world.plant({name: {"note": ""}, "good": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    scanner.until_up("good")
    until(lambda: "No such file" in scanner.said(), explain=scanner.said)
    assert not any(line.startswith("s6-svscan: fatal") for line in scanner.said().splitlines())


def garbage(seed: int, avoiding: bytes) -> bytes:
    source = random.Random(seed)
    allowed = [byte for byte in range(256) if byte not in avoiding]
    return bytes(source.choices(allowed, k=4000))


def test_garbage_in_both_fifos(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    pid = scanner.until_up("web")
    web = scanner.directory / "web"
    fifos = {
        web / "supervise/control": b"abqhkti12pcyroduDUxOQPCKl",
        scanner.directory / ".s6-svscan/control": b"znNahitqb",
    }
    for path, known in fifos.items():
        with path.open("wb", buffering=0) as fifo:
            for seed in range(20):
                fifo.write(garbage(seed, known))
    assert scanner.until_up("web") == pid
    assert tools.run("s6-svc", "-wD", "-d", web).code == 0
    assert tools.run("s6-svc", "-wu", "-u", web).code == 0
    plant(scanner.directory / "later", sleeper())
    assert tools.run("s6-svscanctl", "-a", scanner.directory).code == 0
    scanner.until_supervised("later", "web")


def test_a_flood_in_both_fifos(world: World, daemons: Programs) -> None:
    """Somebody writes without end: deaths and signals are seen all the same."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    first = scanner.until_up("web")["web"]
    fifos = (scanner.directory / "web/supervise/control", scanner.directory / ".s6-svscan/control")
    floods = []
    for path in fifos:
        with path.open("wb") as fifo:
            floods.append(subprocess.Popen(["yes", "?"], stdout=fifo, stderr=subprocess.DEVNULL))
    try:
        os.kill(first, signal.SIGKILL)
        until(lambda: scanner.until_up("web")["web"] != first, "another life")
        scanner.signal(signal.SIGTERM)
        assert scanner.exit_code() == 0
    finally:
        for flood in floods:
            flood.kill()
            flood.wait()


@pytest.mark.parametrize("seed", range(4))
def test_any_bytes_in_the_files_of_supervise(
    world: World, daemons: Programs, tools: Programs, seed: int
) -> None:
    """Readers say what is wrong; a supervisor that starts is not impressed."""
    source = random.Random(seed)
    servicedir = world.service({"run!": SLEEPER, "down": "", "supervise": {}})
    for name in ("status", "death_tally", "child"):
        size = source.choice([0, 1, 14, 34, 35, 36, 43, 1000])
        (servicedir / "supervise" / name).write_bytes(source.randbytes(size))
    size = len((servicedir / "supervise/status").read_bytes())
    assert tools.run("s6-svdt", servicedir).code in (0, 111)
    supervisor = world.supervise(daemons, servicedir)
    assert supervisor.status().down
    for _ in range(20):
        size = source.choice([0, 1, 34, 35, 36, 43, 1000])
        (servicedir / "supervise/status").write_bytes(source.randbytes(size))
        said = tools.run("s6-svstat", servicedir)
        assert said.code in (0, 111)
        if size not in (35, 43):
            assert (said.code, said.out) == (111, "")
            assert str(servicedir) in said.err
        said = tools.run("s6-svwait", "-t50", "-u", servicedir)
        assert said.code in (0, 99, 111)
    supervisor.control("u")
    supervisor.events.wait_for("u")
    assert supervisor.status().up


def test_a_status_that_cannot_be_written(world: World, daemons: Programs) -> None:
    """A directory is in its place: a warning that names it, and the service is managed on."""
    servicedir = world.service({"run!": SLEEPER, "supervise/status.new/x": ""})
    popen, errors = world.launch(
        [str(daemons.path("s6-supervise")), "web"], daemons.environment(), world.top
    )
    world.stop_later(popen, servicedir)
    until(lambda: "status" in errors.read_text(), "a warning")
    assert "warning" in errors.read_text()
    until(lambda: process.children_of(popen.pid), "the service")
    (servicedir / "supervise/status.new/x").unlink()
    (servicedir / "supervise/status.new").rmdir()
    pid = process.children_of(popen.pid)[0]
    os.kill(pid, 9)
    until(lambda: (servicedir / "supervise/status").exists(), "a status")


def test_the_scan_directory_goes_away(world: World, daemons: Programs) -> None:
    scandir = world.plant({"web": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    scanner.until_up("web")
    moved = scandir.rename(world.top / "moved")
    assert holds_for(scanner.running, 0.1)
    fifo = os.open(moved / ".s6-svscan/control", os.O_WRONLY)
    os.write(fifo, b"at")
    os.close(fifo)
    assert scanner.exit_code() == 0


def test_the_service_directory_is_removed(world: World, daemons: Programs) -> None:
    """Whatever was there: the service can still be signalled and the supervisor ended."""
    scandir = world.plant({"web": sleeper(), "good": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    pids = scanner.until_up("web", "good")
    shutil.rmtree(scandir / "web")
    scanner.control("h")
    scanner.until_supervised("good")
    until(lambda: not process.alive(pids["web"]), "the end of the service")
    assert process.alive(pids["good"])


def test_a_link_loop(world: World, daemons: Programs) -> None:
    scandir = world.plant({"good": sleeper()}, "scan")
    (scandir / "loop").symlink_to("loop")
    scanner = world.scan(daemons, scandir)
    scanner.until_up("good")
    assert Path(scandir / "loop").is_symlink()
    assert "loop" in scanner.said()


@pytest.mark.parametrize("name", ["death_tally", "death_tally.new"])
def test_a_fifo_where_a_file_is_written(world: World, daemons: Programs, name: str) -> None:
    """Nobody reads it, and the supervisor does not wait for somebody who does."""
    supervisor = world.supervise(
        daemons, world.service({**sleeper(down=""), "supervise": {name: FIFO}})
    )
    supervisor.control("u")
    process.kill(supervisor.until("up").pid)
    supervisor.control("D")
    supervisor.until("down")
    supervisor.control("x")
    assert supervisor.exit_code() == 0
    assert f"unable to write supervise/{name.removesuffix('.new')}: " in supervisor.said()
