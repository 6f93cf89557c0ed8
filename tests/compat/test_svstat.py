"""s6-svstat (matrix rows 2 and 24): the text of every state, and every field."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from world.programs import AS_NOBODY, Programs
from world.running import Supervisor, World
from world.status import Status, encode, wait_status
from world.tree import FIFO, Content
from world.waiting import until
from world.witness import SLEEPER, ready_on, sleeper

BLOCKING_FINISH = "#!/bin/sh\nread -r line <hold\n"

FIELDS = (
    *("up", "wantedup", "normallyup", "ready", "paused", "pid", "exitcode", "signal", "signum"),
    *("updownsince", "readysince", "updownfor", "readyfor"),
)
SHORT = {
    "-u": "up",
    "-w": "wantedup",
    "-N": "normallyup",
    "-r": "ready",
    "-p": "pid",
    "-e": "exitcode",
    "-s": "signal",
    "-t": "updownfor",
}


def human(tools: Programs, servicedir: Path, *options: str) -> str:
    """Return the line for people, with numbers of seconds and the service's ids taken out."""
    said = tools.run("s6-svstat", *options, servicedir)
    assert said.code == 0, said.err
    assert said.err == ""
    text = re.sub(r"\d+ seconds", "N seconds", said.out)
    return re.sub(r"\(pid \d+( pgid \d+)?\)", "(pid P)", text)


def test_down_since_the_start(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    expected = (
        "down (not started yet) ready N seconds\n"
        if daemons.expects.marks_not_started and tools.expects.shows_not_started
        else "down (exitcode 0) N seconds, ready N seconds\n"
    )
    assert human(tools, supervisor.directory).replace("yet) , ", "yet) ") == expected


def test_up_and_its_variations(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.until("up")
    assert human(tools, supervisor.directory) == "up (pid P) N seconds\n"
    supervisor.control("p")
    supervisor.until("paused")
    assert human(tools, supervisor.directory) == "up (pid P) N seconds, paused\n"
    supervisor.control("cO")
    until(lambda: not supervisor.status().paused and not supervisor.status().wanted_up)
    assert human(tools, supervisor.directory) == "up (pid P) N seconds, want down\n"
    (supervisor.directory / "down").touch()
    supervisor.control("u")
    until(lambda: supervisor.status().wanted_up)
    assert human(tools, supervisor.directory) == "up (pid P) N seconds, normally down\n"


def test_up_and_ready(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(ready_on(3)))
    supervisor.until("ready")
    until(lambda: supervisor.status().up and supervisor.status().ready)
    assert human(tools, supervisor.directory) == "up (pid P) N seconds, ready N seconds\n"


def test_down_by_exit_code_and_by_signal(world: World, daemons: Programs, tools: Programs) -> None:
    code = world.supervise(daemons, world.service({"run!": "#!/bin/sh\nexit 7\n", "down": ""}, "a"))
    killed = world.supervise(daemons, world.service(sleeper(down=""), "b"))
    code.events.received = killed.events.received = b""
    code.control("o")
    code.events.expect("udD")
    assert human(tools, code.directory) == "down (exitcode 7) N seconds, ready N seconds\n"
    killed.control("o")
    killed.until("up")
    killed.control("k")
    killed.events.expect("udD")
    line = "down (signal SIGKILL) N seconds, ready N seconds\n"
    assert human(tools, killed.directory) == line
    assert human(tools, killed.directory, "-n") == line.replace("SIGKILL", "9")


def test_down_although_wanted(world: World, daemons: Programs, tools: Programs) -> None:
    """The rest between two starts shows as down and wanted up."""
    content = {"run!": "#!/bin/sh\nexit 1\n"}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.wait_for("D")
    line = human(tools, supervisor.directory)
    assert line == "down (exitcode 1) N seconds, normally up, want up, ready N seconds\n"
    (supervisor.directory / "down").touch()
    supervisor.control("d")
    until(lambda: not supervisor.status().wanted_up)
    (supervisor.directory / "down").unlink()
    line = human(tools, supervisor.directory)
    assert line == "down (exitcode 1) N seconds, normally up, ready N seconds\n"


def test_finishing(world: World, daemons: Programs, tools: Programs) -> None:
    content: dict[str, Content] = {"run!": SLEEPER, "finish!": BLOCKING_FINISH, "hold": FIFO}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.until("up")
    supervisor.control("t")
    supervisor.until("finishing")
    line = human(tools, supervisor.directory)
    assert line == "down (signal SIGTERM) N seconds, normally up, want up\n"
    fields = tools.run("s6-svstat", "-o", "up,pid,ready,signal", supervisor.directory).out
    assert fields == "false -1 false SIGTERM\n"
    release(supervisor)


def release(supervisor: Supervisor) -> None:
    """Let a blocked finish go on."""
    supervisor.control("o")
    descriptor = os.open(supervisor.directory / "hold", os.O_RDWR | os.O_NONBLOCK)
    os.write(descriptor, b"\n")
    until(lambda: not supervisor.status().finishing)
    os.close(descriptor)


def fields_of(tools: Programs, servicedir: Path) -> dict[str, str]:
    said = tools.run("s6-svstat", "-o", ",".join(FIELDS), servicedir)
    assert (said.code, said.err) == (0, "")
    return dict(zip(FIELDS, said.out.removesuffix("\n").split(" "), strict=True))


def test_every_field_of_a_running_service(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(ready_on(3)))
    supervisor.events.wait_for("U")
    now = supervisor.status()
    fields = fields_of(tools, supervisor.directory)
    raw = (supervisor.directory / "supervise/status").read_bytes()
    assert fields.pop("updownfor") in "01"
    assert fields.pop("readyfor") in "01"
    assert fields == {
        "up": "true",
        "wantedup": "true",
        "normallyup": "true",
        "ready": "true",
        "paused": "false",
        "pid": str(now.pid),
        "exitcode": "-1",
        "signal": "NA",
        "signum": "-1",
        "updownsince": "@" + raw[:12].hex(),
        "readysince": "@" + raw[12:24].hex(),
    }


def test_every_field_of_a_dead_service(world: World, daemons: Programs, tools: Programs) -> None:
    """`ready` is false although the flag is set: the original means a process that is ready."""
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.control("o")
    supervisor.until("up")
    supervisor.control("1")
    supervisor.events.wait_for("D")
    raw = (supervisor.directory / "supervise/status").read_bytes()
    fields = fields_of(tools, supervisor.directory)
    assert supervisor.status().ready
    assert fields.pop("updownfor") in "01"
    assert fields.pop("readyfor") in "01"
    assert fields == {
        "up": "false",
        "wantedup": "false",
        "normallyup": "false",
        "ready": "false",
        "paused": "false",
        "pid": "-1",
        "exitcode": "-1",
        "signal": "SIGUSR1",
        "signum": "10",
        "updownsince": "@" + raw[:12].hex(),
        "readysince": "@" + raw[12:24].hex(),
    }


def test_short_options(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(
        daemons, world.service({"run!": "#!/bin/sh\nexit 3\n", "down": ""})
    )
    supervisor.control("o")
    supervisor.events.wait_for("D")
    long = fields_of(tools, supervisor.directory)
    for option, field in SHORT.items():
        said = tools.run("s6-svstat", option, supervisor.directory)
        assert (said.code, said.out) == (0, long[field] + "\n"), option
    together = tools.run("s6-svstat", "-up", "-o", "exitcode,signum", supervisor.directory)
    assert together.out == "false -1 3 -1\n"


def test_nobody_supervises(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    service = supervisor.until("up").pid
    supervisor.kill()
    said = tools.run("s6-svstat", supervisor.directory)
    assert (said.code, said.out) == (1, "")
    assert "s6-svstat: fatal: " in said.err
    assert str(supervisor.directory) in said.err
    world.end(service)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_unreadable_and_short_status(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    directory = supervisor.directory
    said = tools.run("s6-svstat", directory, under=AS_NOBODY)
    assert said.code == 111
    assert "Permission denied" in said.err
    for content in (b"", b"short", bytes(34)):
        (directory / "supervise/status").write_bytes(content)
        said = tools.run("s6-svstat", directory)
        assert (said.code, said.out) == (111, "")
        assert str(directory) in said.err


def test_a_stamp_in_the_future_counts_as_now(
    world: World, daemons: Programs, tools: Programs
) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    later = time.time() + 10000
    future = Status(later, later, 0, None, wait_status(1), False, False, False, True)
    (supervisor.directory / "supervise/status").write_bytes(encode(future))
    said = tools.run("s6-svstat", supervisor.directory)
    match = re.fullmatch(r"down \(exitcode 1\) 0 seconds, ready (\d+) seconds\n", said.out)
    assert match, said.out
    assert (match[1] == "0") == tools.expects.clamps_both_stamps


def test_status_of_s6_2_13(world: World, daemons: Programs, tools: Programs) -> None:
    """43 bytes, with a process group id in the middle: the original misreads them."""
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    now = time.time()
    wide = Status(now, now, 4711, 4711, 0, False, False, True, True)
    (supervisor.directory / "supervise/status").write_bytes(encode(wide))
    said = tools.run("s6-svstat", "-o", "up,pid,wantedup,ready", supervisor.directory)
    assert said.code == 0
    expected = "true 4711 true true" if tools.expects.understands_2_13_status else "true 4711 false"
    assert said.out.startswith(expected)


def test_elapsed_time_is_counted(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    then = time.time() - 100
    how = wait_status(killed_by=signal.SIGHUP)
    long_ago = Status(then, then + 60, 0, None, how, False, False, False, True)
    (supervisor.directory / "supervise/status").write_bytes(encode(long_ago))
    line = tools.run("s6-svstat", supervisor.directory).out
    match = re.fullmatch(r"down \(signal SIGHUP\) (\d+) seconds, ready (\d+) seconds\n", line)
    assert match, line
    assert 100 <= int(match[1]) <= 102
    assert 40 <= int(match[2]) <= 42
