"""s6-log's processors (contract 1.10)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from world import process
from world.logs import COMPLETE, archives, content, log, logger, mode, numbered, until_logged
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until

COUNTING = '?n=$(cat <&4); echo $((n+1)) >&5; echo "file $n"; cat'
"""Counts files in the state and says so at the begin of each archive."""


def suffixes(logdir: Path) -> list[str]:
    return [path.suffix for path in archives(logdir)]


def until_archives(logdir: Path, count: int) -> None:
    until(lambda: len(archives(logdir)) == count, f"{count} archives in {logdir}")


@pytest.mark.parametrize("processor", ["?tr a-z A-Z", "!tr a-z A-Z"])
def test_what_it_makes_becomes_the_archive(world: World, tools: Programs, processor: str) -> None:
    logs = world.top / "logs"
    with logger(tools, processor, "s4096", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until_logged(logs, b"A\n")
        its.write(b"b\n")
        until_logged(logs, b"A\nb\n")
        assert its.end() == 0
    [archive] = archives(logs)
    assert archive.suffix == ".s"
    assert mode(archive) == COMPLETE
    assert {path.name for path in logs.iterdir()} == {"lock", "current", "state", archive.name}


def test_what_it_finds(world: World, tools: Programs) -> None:
    """Its directory, its descriptors, its signals."""
    logs = world.top / "logs"
    facts = "?ls -l /proc/self/fd >facts; pwd >where; grep Sig /proc/self/status >signals; cat"
    with logger(tools, facts, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: suffixes(logs) == [".s"], "an archive", explain=its.said)
        assert its.end() == 0
    assert (logs / "where").read_text() == f"{logs}\n"
    lines = (logs / "facts").read_text().splitlines()[1:]
    links = dict(line.split()[-3::2] for line in lines if " -> " in line)
    assert links["0"] == f"{logs}/previous"
    assert links["4"] == f"{logs}/state"
    if tools.expects.log_passes_new_state:
        assert links["5"] == f"{logs}/newstate"
    signals = dict(line.split() for line in (logs / "signals").read_text().splitlines())
    assert int(signals["SigBlk:"], 16) == 0
    assert int(signals["SigIgn:"], 16) == 0


@pytest.mark.ours_only
def test_the_new_state_is_always_there(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    with logger(tools, COUNTING, "./logs", cwd=world.top) as its:
        for number in range(3):
            its.write(b"%d\n" % number)
            until(lambda: (logs / "current").read_bytes(), "a line")
            its.signal(signal.SIGALRM)
            until_archives(logs, number + 1)
        assert its.end() == 0
    assert content(logs) == b"file \n0\nfile 1\n1\nfile 2\n2\n"
    assert (logs / "state").read_bytes() == b"3\n"


def test_it_fails_and_is_run_again(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    command = "?cat; test -e allowed"
    with logger(tools, command, "r10", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: "processor failed" in its.said(), "a message", explain=its.said)
        assert (logs / "previous").read_bytes() == b"a\n"
        (logs / "allowed").touch()
        until(lambda: suffixes(logs) == [".s"], "an archive", explain=its.said)
        assert its.end() == 0
    assert content(logs) == b"a\n"


def test_it_is_killed_and_run_again(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    command = "?cat; test -e allowed || kill -9 $$"
    with logger(tools, command, "r10", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: "processor crashed" in its.said(), "a message", explain=its.said)
        (logs / "allowed").touch()
        until(lambda: suffixes(logs) == [".s"], "an archive", explain=its.said)
        assert its.end() == 0
    assert content(logs) == b"a\n"


def test_no_such_program(world: World, tools: Programs) -> None:
    """The file waits; the next start makes an archive of it."""
    logs = world.top / "logs"
    others = set(process.children_of(os.getpid()))
    with logger(tools, "!there-is-no-such-program", "r10", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: "processor" in its.said(), "a message", explain=its.said)
        its.signal(signal.SIGKILL)
        its.exit_code()
    until(
        lambda: others.issuperset(process.children_of(os.getpid())), "the end of the last attempt"
    )
    codes = [log(tools, "./logs", text=b"b\n", cwd=world.top).code for _ in range(2)]
    assert codes == [0 if tools.expects.log_recovers_at_once else 111, 0]
    assert b"a\nb\n" in content(logs)
    assert (".u", b"a\n") in [(path.suffix, path.read_bytes()) for path in archives(logs)]


def test_lines_that_come_meanwhile(world: World, tools: Programs) -> None:
    """They are written at once, or at the latest when it is done; none is lost, none twice."""
    logs, fifo = world.top / "logs", world.top / "gate"
    os.mkfifo(fifo)
    command = f"?cat; read -r word <{fifo}"
    with logger(tools, command, "s4096", "n99", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: (logs / "processed").exists(), "a processor at work")
        its.write(b"b\n")
        if tools.expects.log_writes_while_processing:
            until(lambda: (logs / "current").read_bytes() == b"b\n", "the line")
        fifo.write_text("go\n")
        until_logged(logs, b"a\nb\n")
        assert its.end() == 0
    assert suffixes(logs) == [".s"]


def test_everything_goes_through_it_once(world: World, tools: Programs) -> None:
    logs, text = world.top / "logs", numbered(5000)
    lines = text.splitlines(keepends=True)
    with logger(tools, "?cat", "s4096", "n9999", "./logs", cwd=world.top) as its:
        for begin in range(0, 5000, 100):
            its.write(b"".join(lines[begin : begin + 100]))
        until(lambda: content(logs).endswith(lines[-1]), "the last line", explain=its.said)
        until(lambda: not (logs / "previous").exists(), "the last processor's end")
        until_logged(logs, text)
        assert its.end() == 0
    assert content(logs) == text
    assert set(suffixes(logs)) == {".s"}


def test_the_input_ends_meanwhile(world: World, tools: Programs) -> None:
    logs, fifo = world.top / "logs", world.top / "gate"
    os.mkfifo(fifo)
    with logger(tools, f"?cat; read -r word <{fifo}", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: (logs / "processed").exists(), "a processor at work")
        its.close()
        assert holds_for(lambda: its.popen.poll() is None, 0.1)
        fifo.write_text("go\n")
        assert its.exit_code() == 0
    assert suffixes(logs) == [".s"]
    assert mode(logs / "current") == COMPLETE
    assert content(logs) == b"a\n"


@pytest.mark.ours_only
def test_it_fails_at_the_end(world: World, tools: Programs) -> None:
    """A stop does not wait until it succeeds: the file becomes an archive as it is."""
    logs = world.top / "logs"
    with logger(tools, "?false", "r60000", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: "processor failed" in its.said(), "a message", explain=its.said)
        assert its.end() == 0
    assert suffixes(logs) == [".u"]
    assert content(logs) == b"a\n"
    assert mode(logs / "current") == COMPLETE


def test_two_logdirs_with_the_same(world: World, tools: Programs) -> None:
    """`?` counts until it is changed."""
    with logger(tools, "?tr a-z A-Z", "./one", "./two", "?", "./three", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(world.top / "three", b"a\n")
        its.signal(signal.SIGALRM)
        for name in ("one", "two"):
            until_logged(world.top / name, b"A\n")
        until(lambda: suffixes(world.top / "three") == [".s"], "an archive")
        assert its.end() == 0
    assert content(world.top / "three") == b"a\n"


def test_a_shell_command_for_two(world: World, tools: Programs) -> None:
    command = "?if true; then tr a-z A-Z; fi"
    with logger(tools, command, "./one", "./two", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(world.top / "two", b"a\n")
        its.signal(signal.SIGALRM)
        until_logged(world.top / "one", b"A\n")
        if not tools.expects.log_processor_resets:
            until_logged(world.top / "two", b"A\n")
        else:
            until(lambda: "processor" in its.said(), "a message", explain=its.said)
            its.signal(signal.SIGKILL)
            its.exit_code()
            return
        assert its.end() == 0
