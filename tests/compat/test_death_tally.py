"""The death tally, s6-svdt, s6-svdt-clear and s6-permafailon (matrix row 12, contract 5.2)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import Supervisor, World
from world.status import stamp_of, tally
from world.tree import Content
from world.waiting import until
from world.witness import SLEEPER

EXIT_BY_FILE = "#!/bin/sh\nexit $(cat code)\n"


def die(supervisor: Supervisor, *codes: int) -> None:
    """Let the service end with each of these exit codes."""
    for code in codes:
        (supervisor.directory / "code").write_text(f"{code}\n")
        supervisor.events.received = b""
        supervisor.control("o")
        supervisor.events.wait_for("D")


def supervised(world: World, daemons: Programs, **more: Content) -> Supervisor:
    named = {name.replace("_", "-"): content for name, content in more.items()}
    content: dict[str, Content] = {"run!": EXIT_BY_FILE, "down": "", **named}
    return world.supervise(daemons, world.service(content))


def test_records(world: World, daemons: Programs) -> None:
    supervisor = supervised(world, daemons)
    path = supervisor.directory / "supervise/death_tally"
    assert path.read_bytes() == b""
    die(supervisor, 0, 7, 255)
    raw_status = (supervisor.directory / "supervise/status").read_bytes()
    records = tally(supervisor.directory)
    assert [(one.exit_code, one.signal) for one in records] == [(0, 0), (7, 0), (255, 0)]
    assert path.read_bytes()[28:40] == raw_status[:12], "the stamp is that of the status"
    assert sorted(one.when for one in records) == [one.when for one in records]


def test_signals_in_the_tally(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({"run!": SLEEPER, "down": ""}))
    for letter in "kt1":
        supervisor.control("o")
        supervisor.until("up")
        supervisor.control(letter)
        supervisor.events.wait_for("D")
    records = [(one.exit_code, one.signal) for one in tally(supervisor.directory)]
    assert records == [(137, 9), (143, 15), (138, 10)]


def test_it_is_written_before_the_event(world: World, daemons: Programs) -> None:
    supervisor = supervised(world, daemons)
    for count in range(1, 40):
        (supervisor.directory / "code").write_text("1\n")
        supervisor.control("o")
        supervisor.events.wait_for("d")
        assert len(tally(supervisor.directory)) == count
        if b"D" not in supervisor.events.received:
            until(lambda: supervisor.status().down)


@pytest.mark.parametrize(("limit", "kept"), [("3\n", 3), ("1\n", 1), ("0\n", 0)])
def test_limit(world: World, daemons: Programs, limit: str, kept: int) -> None:
    supervisor = supervised(world, daemons, max_death_tally=limit)
    die(supervisor, 1, 2, 3, 4, 5)
    codes = [one.exit_code for one in tally(supervisor.directory)]
    assert codes == [1, 2, 3, 4, 5][5 - kept :]


def test_a_new_supervisor_starts_from_nothing(world: World, daemons: Programs) -> None:
    supervisor = supervised(world, daemons)
    die(supervisor, 1)
    supervisor.stop()
    again = world.supervise(daemons, supervisor.directory)
    assert tally(again.directory) == []


def test_svdt(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = supervised(world, daemons)
    die(supervisor, 0, 7)
    (supervisor.directory / "run").write_text(SLEEPER)
    supervisor.control("o")
    supervisor.until("up")
    supervisor.control("k")
    supervisor.events.wait_for("D")
    raw = (supervisor.directory / "supervise/death_tally").read_bytes()
    labels = ["@" + raw[at : at + 12].hex() for at in (0, 14, 28)]
    ends = ["exitcode 0", "exitcode 7", "signal SIGKILL"]
    lines = [f"{label} {end}\n" for label, end in zip(labels, ends, strict=True)]
    said = tools.run("s6-svdt", supervisor.directory)
    assert (said.code, said.out, said.err) == (0, "".join(lines), "")
    assert tools.run("s6-svdt", "-S", supervisor.directory).out == "".join(lines)
    numbers = tools.run("s6-svdt", "-s", supervisor.directory).out
    assert numbers == "".join(lines).replace("SIGKILL", "9")
    assert tools.run("s6-svdt", "-n2", supervisor.directory).out == "".join(lines[1:])
    assert tools.run("s6-svdt", "-n", "0", supervisor.directory).out == ""
    assert tools.run("s6-svdt", "-n", "5000", supervisor.directory).out == "".join(lines)


def test_svdt_clear(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = supervised(world, daemons)
    die(supervisor, 1, 2)
    said = tools.run("s6-svdt-clear", supervisor.directory)
    assert (said.code, said.out, said.err) == (0, "", "")
    assert tally(supervisor.directory) == []
    assert not (supervisor.directory / "supervise/death_tally.new").exists()
    die(supervisor, 3)
    assert [one.exit_code for one in tally(supervisor.directory)] == [3]


@pytest.mark.parametrize("content", [None, b"odd", bytes(15)])
def test_a_reader_must_not_write(world: World, tools: Programs, content: bytes | None) -> None:
    servicedir = world.service({"supervise": {}})
    path = servicedir / "supervise/death_tally"
    if content is not None:
        path.write_bytes(content)
    said = tools.run("s6-svdt", servicedir)
    assert said.out == ""
    untouched = path.read_bytes() == content if path.exists() else content is None
    assert untouched != tools.expects.svdt_writes


def permafail(tools: Programs, servicedir: Path, *words: str) -> int:
    return tools.run("s6-permafailon", *words, "sh", "-c", "exit 42", cwd=servicedir).code


def recorded(world: World, *deaths: tuple[float, int, int]) -> Path:
    """A service directory with deaths: how many seconds ago, exit code, signal."""
    now = time.time()
    content = b"".join(stamp_of(now - ago) + bytes([code, signal]) for ago, code, signal in deaths)
    return world.service({"supervise/death_tally": content})


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("10 1 7", 125),
        ("10 1 8", 42),
        ("10 2 7", 42),
        ("1000 2 7", 125),
        ("10 1 1-8", 125),
        ("10 1 1-6", 42),
        ("10 1 SIGKILL", 125),
        ("10 1 KILL", 125),
        ("10 1 kill", 125),
        ("10 1 137", 125),
        ("10 1 9", 42),
        ("10 2 7,SIGKILL", 125),
        ("10 2 7;9;KILL", 125),
        ("10 3 0-255", 42),
        ("1000 3 0-255", 125),
    ],
)
def test_permafailon(world: World, tools: Programs, words: str, code: int) -> None:
    servicedir = recorded(world, (500, 7, 0), (5, 137, 9), (2, 7, 0))
    assert permafail(tools, servicedir, *words.split(" ")) == code
    assert len(tally(servicedir)) == 3


@pytest.mark.parametrize("separator", [" ", "\t", "\n", "\r", ","])
def test_permafailon_separators(world: World, tools: Programs, separator: str) -> None:
    servicedir = recorded(world, (5, 3, 0), (2, 7, 0))
    assert permafail(tools, servicedir, "10", "2", f"3{separator}7") == 125


def test_permafailon_in_a_finish(world: World, daemons: Programs, tools: Programs) -> None:
    """Three quick deaths, and the service is given up."""
    run = tools.path("s6-permafailon")
    content: dict[str, Content] = {
        "run!": "#!/bin/sh\nexit 3\n",
        "finish!": f"#!/bin/sh\nexec {run} 60 3 1-5 true\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    for _ in range(2):
        supervisor.events.wait_for("D")
        supervisor.control("u")
    until(lambda: b"O" in (supervisor.events.take(0.1) + supervisor.events.received))
    assert not supervisor.status().wanted_up
    assert len(tally(supervisor.directory)) == 3


def test_permafailon_without_a_tally(world: World, tools: Programs) -> None:
    servicedir = world.service({"supervise": {}})
    said = tools.run("s6-permafailon", "10", "1", "7", "sh", "-c", "exit 42", cwd=servicedir)
    assert said.code == 42
    assert "s6-permafailon: warning: " in said.err
    assert not os.path.lexists(servicedir / "supervise/death_tally")
