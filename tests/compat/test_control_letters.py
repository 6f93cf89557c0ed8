"""Every control byte in every state (matrix row 4, contract 4.2), by byte and by s6-svc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import Supervisor, World
from world.status import Status
from world.tree import FIFO, Content
from world.waiting import holds_for, until, until_line, until_lines
from world.witness import SLEEPER, STUBBORN, recorder, sleeper

SIGNALS = {
    "a": "ALRM",
    "b": "ABRT",
    "q": "QUIT",
    "h": "HUP",
    "i": "INT",
    "1": "USR1",
    "2": "USR2",
    "y": "WINCH",
    "c": "CONT",
    "t": "TERM",
    "r": "TERM",
}
WANTS = {"o": False, "d": False, "D": False, "u": True, "U": True, "O": False, "Q": False}
DOWN_FILE = {"D": True, "Q": True, "U": False}
STARTS = "ouU"
HARMLESS_WHILE_DOWN = "abqhkti12pcyrPCKl"


def until_read(supervisor: Supervisor) -> None:
    """Wait until the supervisor has read everything that was written to it so far."""
    marker = supervisor.directory / "down"
    marker.unlink(missing_ok=True)
    supervisor.control("Q")
    until(marker.exists, "the marker")


def test_signals_to_a_running_service(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(recorder()))
    recorded = supervisor.directory / "signals"
    until_lines(recorded, 1)
    supervisor.until("up")
    supervisor.control("O")
    expected = [f"ready {supervisor.status().pid}"]
    for letter, name in SIGNALS.items():
        if letter == "r":
            continue
        assert tools.run("s6-svc", f"-{letter}", supervisor.directory).code == 0
        expected.append(name)
        assert until_lines(recorded, len(expected)) == expected


def test_r_sends_the_down_signal_and_keeps_wanting_it_up(
    world: World, daemons: Programs, tools: Programs
) -> None:
    content = {**recorder(), "down-signal": "usr1\n"}
    supervisor = world.supervise(daemons, world.service(content))
    until_lines(supervisor.directory / "signals", 1)
    assert tools.run("s6-svc", "-r", supervisor.directory).code == 0
    until_line(supervisor.directory / "signals", "USR1")
    now = supervisor.status()
    assert now.up
    assert now.wanted_up
    assert "CONT" not in (supervisor.directory / "signals").read_text()


def test_d_sends_the_down_signal_and_cont(world: World, daemons: Programs, tools: Programs) -> None:
    content = {**recorder(), "down-signal": "SIGINT\n"}
    supervisor = world.supervise(daemons, world.service(content))
    until_lines(supervisor.directory / "signals", 1)
    pid = supervisor.until("up").pid
    supervisor.control("p")
    assert supervisor.until("paused").pid == pid
    until(lambda: process.state_of(pid) == "T", "stopped")
    assert tools.run("s6-svc", "-d", supervisor.directory).code == 0
    lines = until_lines(supervisor.directory / "signals", 3)
    assert set(lines[1:]) == {"INT", "CONT"}
    until(lambda: not supervisor.status().paused and not supervisor.status().wanted_up)
    assert supervisor.status().up


@pytest.mark.parametrize("name", ["nonsense\n", "\n", "SIGTERMINATOR\n"])
def test_a_bad_down_signal_means_term(world: World, daemons: Programs, name: str) -> None:
    supervisor = world.supervise(daemons, world.service({**recorder(), "down-signal": name}))
    until_lines(supervisor.directory / "signals", 1)
    supervisor.control("d")
    until_line(supervisor.directory / "signals", "TERM")
    if name != "\n":
        assert "down-signal" in supervisor.said()


def test_k_kills(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({"run!": STUBBORN}))
    supervisor.until("up")
    assert tools.run("s6-svc", "-Ok", supervisor.directory).code == 0
    assert supervisor.until("down").wstat == 9


def test_p_and_c_stop_and_continue(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    pid = supervisor.until("up").pid
    assert tools.run("s6-svc", "-p", supervisor.directory).code == 0
    assert supervisor.until("paused").pid == pid
    until(lambda: process.state_of(pid) == "T", "stopped")
    assert tools.run("s6-svc", "-c", supervisor.directory).code == 0
    until(lambda: not supervisor.status().paused)
    until(lambda: process.state_of(pid) == "S", "running again")


@pytest.mark.parametrize("letter", sorted(WANTS))
def test_wishes_while_down(world: World, daemons: Programs, tools: Programs, letter: str) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.events.received = b""
    assert tools.run("s6-svc", f"-{letter}", supervisor.directory).code == 0
    if letter in STARTS:
        supervisor.events.expect("u")
        supervisor.until("up")
    else:
        assert supervisor.status().down
    until(lambda: supervisor.status().wanted_up == WANTS[letter])
    until(lambda: (supervisor.directory / "down").exists() == DOWN_FILE.get(letter, True))


@pytest.mark.parametrize("letter", sorted(WANTS))
def test_wishes_while_up(world: World, daemons: Programs, tools: Programs, letter: str) -> None:
    down = letter == "U"
    supervisor = world.supervise(daemons, world.service(sleeper(**({"down": ""} if down else {}))))
    supervisor.control("o" if WANTS[letter] else "u")
    pid = supervisor.until("up").pid
    assert tools.run("s6-svc", f"-{letter}", supervisor.directory).code == 0
    if letter in "dD":
        assert supervisor.until("down").wstat == 15
    else:
        until(lambda: supervisor.status().wanted_up == WANTS[letter])
        assert supervisor.status().pid == pid
    assert not supervisor.status().wanted_up or WANTS[letter]
    until(lambda: (supervisor.directory / "down").exists() == DOWN_FILE.get(letter, down))


@pytest.mark.parametrize("letter", sorted(WANTS))
def test_wishes_while_finishing(world: World, daemons: Programs, letter: str) -> None:
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\nread -r x <hold\n",
        "hold": FIFO,
    }
    supervisor = world.supervise(daemons, world.service(content))
    if WANTS[letter]:
        supervisor.control("o")
    before = finishing(supervisor)
    supervisor.control(letter)
    until(lambda: supervisor.status().wanted_up == WANTS[letter])
    now = supervisor.status()
    assert (now.pid, now.finishing) == (before.pid, True)
    assert (supervisor.directory / "down").exists() == DOWN_FILE.get(letter, False)
    supervisor.control("O")
    (supervisor.directory / "hold").write_text("\n")
    supervisor.until("down")


def finishing(supervisor: Supervisor) -> Status:
    supervisor.until("up")
    supervisor.control("t")
    return supervisor.until("finishing")


def test_signals_are_dropped_while_finishing(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\nread -r x <hold\necho survived >finished\n",
        "hold": FIFO,
    }
    supervisor = world.supervise(daemons, world.service(content))
    before = finishing(supervisor)
    supervisor.control("abqhkti12yrpc")
    until_read(supervisor)
    now = supervisor.status()
    assert (now.pid, now.finishing) == (before.pid, True)
    assert process.state_of(now.pid) in "RS"
    (supervisor.directory / "hold").write_text("\n")
    until_line(supervisor.directory / "finished", "survived")


def test_signals_mean_nothing_while_down(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    supervisor.control("o")
    supervisor.events.wait_for("u")
    supervisor.control("k")
    supervisor.events.wait_for("D")
    before = supervisor.status()
    for letter in HARMLESS_WHILE_DOWN:
        supervisor.control(letter)
    until_read(supervisor)
    assert supervisor.status() == before
    supervisor.control("x")
    supervisor.events.expect("x")


def test_unknown_bytes_are_ignored(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    before = supervisor.until("up")
    known = b"abqhkti12pcyroduDUxOQPCKl"
    supervisor.control(bytes(byte for byte in range(256) if byte not in known))
    until_read(supervisor)
    now = supervisor.status()
    assert (now.pid, now.paused) == (before.pid, False)
    assert supervisor.running()


def test_many_bytes_in_one_write(world: World, daemons: Programs, tools: Programs) -> None:
    """In order: two signals, then a restart by `du`."""
    supervisor = world.supervise(daemons, world.service(recorder()))
    recorded = supervisor.directory / "signals"
    until_lines(recorded, 1)
    first = supervisor.until("up").pid
    assert tools.run("s6-svc", "-12du", supervisor.directory).code == 0
    second = supervisor.until_replaced(first).pid
    until_line(recorded, f"ready {second}")
    before = recorded.read_text().split(f"ready {second}")[0].split("\n")
    assert {"USR1", "USR2"} <= set(before) | {"TERM"}
    supervisor.control("u" * 4000 + "p")
    supervisor.until("paused")
    supervisor.control("c")


def test_du_is_a_restart_and_timeout_kill_stays_armed(world: World, daemons: Programs) -> None:
    content = {"run!": STUBBORN, "timeout-kill": "200\n"}
    supervisor = world.supervise(daemons, world.service(content))
    first = supervisor.until("up").pid
    until_line(supervisor.directory / "stubborn", str(first))
    supervisor.control("du")
    second = supervisor.until_replaced(first)
    assert second.wanted_up
    assert second.wstat == 9


def test_timeout_kill_counts_from_d(world: World, daemons: Programs) -> None:
    content = {"run!": STUBBORN, "timeout-kill": "300\n"}
    supervisor = world.supervise(daemons, world.service(content))
    pid = supervisor.until("up").pid
    until_line(supervisor.directory / "stubborn", str(pid))
    supervisor.control("d")
    assert holds_for(lambda: process.alive(pid), 0.2)
    down = supervisor.until("down", timeout_s=2)
    assert down.wstat == 9


def test_r_does_not_arm_timeout_kill(world: World, daemons: Programs) -> None:
    content = {"run!": STUBBORN, "timeout-kill": "50\n"}
    supervisor = world.supervise(daemons, world.service(content))
    pid = supervisor.until("up").pid
    until_line(supervisor.directory / "stubborn", str(pid))
    supervisor.control("r")
    assert holds_for(lambda: process.alive(pid), 0.3)


GROUP = "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\nexec sleep 1001\n"


def group_of(supervisor: Supervisor) -> tuple[int, int]:
    """Wait for both processes of the service; return the daemon and its child."""
    pid = supervisor.until("up").pid
    until(lambda: process.sleeps(pid, "sleep", "1001"), "the daemon")
    child = until(lambda: process.children_of(pid), "its child")[0]
    return pid, child


def test_whole_group_letters(world: World, daemons: Programs) -> None:
    """`P`, `C` and `K` are those of s6 2.13; where 2.11 has no such letter it ignores the byte."""
    supervisor = world.supervise(daemons, world.service({"run!": GROUP}))
    pid, child = group_of(supervisor)
    supervisor.control("P")
    if "P" not in daemons.expects.svc_letters:
        until_read(supervisor)
        assert process.state_of(child) in "RS"
        world.end(child)
        return
    supervisor.until("paused")
    until(lambda: process.state_of(pid) == process.state_of(child) == "T", "both stopped")
    supervisor.control("C")
    until(lambda: process.state_of(pid) == process.state_of(child) == "S", "both running")
    supervisor.control("OK")
    assert supervisor.until("down").wstat == 9
    until(lambda: not process.alive(child), "the end of the child")


def test_reload_letter(world: World, daemons: Programs) -> None:
    content = {**recorder(), "reload-signal": "USR2\n"}
    supervisor = world.supervise(daemons, world.service(content))
    until_lines(supervisor.directory / "signals", 1)
    supervisor.control("l")
    until_read(supervisor)
    supervisor.control("t")
    lines = until_lines(supervisor.directory / "signals", 2)
    assert ("USR2" in lines) == ("l" in daemons.expects.svc_letters)


def test_every_option_is_one_byte(world: World, tools: Programs) -> None:
    """What s6-svc writes, seen by a fifo that nobody but the test reads."""
    servicedir = world.service({"supervise/control": FIFO})
    reader = os.open(servicedir / "supervise/control", os.O_RDONLY | os.O_NONBLOCK)
    for letter in tools.expects.svc_letters:
        said = tools.run("s6-svc", f"-{letter}", servicedir)
        assert (said.code, said.err) == (0, ""), letter
        assert os.read(reader, 100) == letter.encode()
    every = tools.expects.svc_letters
    assert tools.run("s6-svc", f"-{every}", servicedir).code == 0
    assert os.read(reader, 100) == every.encode()
    assert tools.run("s6-svc", servicedir).code == 0
    os.close(reader)


def test_signal_by_name(world: World, tools: Programs) -> None:
    """`-s` of s6 2.12: a signal by name or number, if a letter stands for it."""
    servicedir = world.service({"supervise/control": FIFO})
    reader = os.open(servicedir / "supervise/control", os.O_RDONLY | os.O_NONBLOCK)
    for word in ("USR1", "SIGUSR1", "10"):
        said = tools.run("s6-svc", "-s", word, servicedir)
        if tools.expects.svc_has_signal_option:
            assert said.code == 0
            assert os.read(reader, 100) == b"1", word
        else:
            assert said.code == 100
    bad = tools.run("s6-svc", "-s", "SEGV", servicedir)
    assert bad.code == 100
    os.close(reader)


def test_too_many_commands(world: World, tools: Programs) -> None:
    servicedir = world.service({"supervise/control": FIFO})
    reader = os.open(servicedir / "supervise/control", os.O_RDONLY | os.O_NONBLOCK)
    assert tools.run("s6-svc", "-" + "1" * 62, servicedir).code == 0
    assert os.read(reader, 100) == b"1" * 62
    said = tools.run("s6-svc", "-" + "1" * 65, servicedir)
    assert said.code == 100
    assert said.err
    os.close(reader)


def test_several_directories(world: World, tools: Programs) -> None:
    """2.11 controls the first one and warns; 2.14 controls them all."""
    readers = []
    places: list[Path] = []
    for name in "ab":
        places.append(world.service({"supervise/control": FIFO}, name))
        fifo = places[-1] / "supervise/control"
        readers.append(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    said = tools.run("s6-svc", "-u", *places)
    assert said.code == 0
    assert os.read(readers[0], 9) == b"u"
    if tools.expects.svc_directories == "all":
        assert os.read(readers[1], 9) == b"u"
    else:
        assert "warning" in said.err
    for reader in readers:
        os.close(reader)
