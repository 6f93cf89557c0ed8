"""s6-log: signals, and how it ends (contract 1.10)."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
from typing import IO

import pytest

from world import process
from world.logs import COMPLETE, archives, content, logger, mode, until_logged
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until

STOPS = [signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_stop_between_lines(world: World, tools: Programs, number: signal.Signals) -> None:
    logs = world.top / "logs"
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        its.signal(number)
        assert its.exit_code() == 0
    assert mode(logs / "current") == COMPLETE
    assert content(logs) == b"a\n"


def test_what_is_in_the_pipe_stays(world: World, tools: Programs) -> None:
    with logger(tools, "./logs", cwd=world.top) as its:
        its.signal(signal.SIGSTOP)
        until(lambda: process.state_of(its.popen.pid) == "T", "a stopped logger")
        its.write(b"for the next one\n")
        its.signal(signal.SIGTERM)
        its.signal(signal.SIGCONT)
        assert its.exit_code() == 0
        assert its.left() == b"for the next one\n"
    assert content(world.top / "logs") == b""


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_stop_within_a_line(
    world: World, tools: Programs, number: signal.Signals, end: bytes
) -> None:
    """The line is completed, and what follows it stays."""
    logs = world.top / "logs"
    if end == b"\0" and not tools.expects.log_stops_at_nul:
        end = b"\n"
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\npart")
        until_logged(logs, b"a\n")
        its.signal(number)
        assert holds_for(lambda: its.popen.poll() is None, 0.1)
        its.write(b"ial" + end + b"next\n")
        assert its.exit_code() == 0
        assert its.left() == b"next\n"
    assert content(logs) == b"a\npartial\n"
    assert mode(logs / "current") == COMPLETE


def test_the_input_ends_within_that_line(world: World, tools: Programs) -> None:
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\npart")
        until_logged(world.top / "logs", b"a\n")
        its.signal(signal.SIGTERM)
        its.close()
        assert its.exit_code() == 0
    assert content(world.top / "logs") == b"a\npart\n"


def test_the_rest_of_a_line_never_comes(world: World, tools: Programs) -> None:
    words = ["-t50"] if tools.expects.log_last_line_limited else []
    with logger(tools, *words, "./logs", cwd=world.top) as its:
        its.write(b"a\npart")
        until_logged(world.top / "logs", b"a\n")
        its.signal(signal.SIGTERM)
        if words:
            assert its.exit_code() == 0
            assert content(world.top / "logs") == b"a\npart\n"
        else:
            assert holds_for(lambda: its.popen.poll() is None, 0.3)


def test_the_line_is_too_long(world: World, tools: Programs) -> None:
    with logger(tools, "-l48", "./logs", cwd=world.top) as its:
        its.write(b"a\n" + b"x" * 40)
        until_logged(world.top / "logs", b"a\n")
        its.signal(signal.SIGTERM)
        its.write(b"y" * 40)
        assert its.exit_code() == 0
    line = content(world.top / "logs").splitlines()[1]
    assert line == b"x" * 40 + b"y" * (tools.expects.log_longest_last_line - 40)


def test_protected_from_term(world: World, tools: Programs) -> None:
    with logger(tools, "-p", "./logs", cwd=world.top) as its:
        its.signal(signal.SIGTERM)
        its.write(b"a\n")
        until_logged(world.top / "logs", b"a\n")
        assert its.popen.poll() is None
        its.signal(signal.SIGHUP)
        assert its.exit_code() == 0


def test_other_signals_are_ends_without_order(world: World, tools: Programs) -> None:
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(world.top / "logs", b"a\n")
        its.signal(signal.SIGINT)
        assert its.exit_code() == -signal.SIGINT
    assert mode(world.top / "logs/current") == 0o644


def test_alarm_rotates(world: World, tools: Programs) -> None:
    one, two = world.top / "one", world.top / "two"
    with logger(tools, "./one", "-", "./two", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(one, b"a\n")
        its.signal(signal.SIGALRM)
        until(lambda: [path.suffix for path in archives(one)] == [".s"], "an archive")
        its.write(b"b\n")
        until_logged(one, b"a\nb\n")
        assert its.end() == 0
    assert (one / "current").read_bytes() == b"b\n"
    assert archives(two) == [], "there was nothing to rotate"


def test_stdout_that_blocks(world: World, tools: Programs) -> None:
    """It holds nobody up: the logdir is written to, and everything comes in the end."""
    reader, writer = os.pipe()
    text = b"".join(b"%05d\n" % number for number in range(30_000))
    popen = subprocess.Popen(
        [tools.path("s6-log"), "1", "s9999999", "./logs"],
        stdin=subprocess.PIPE,
        stdout=writer,
        cwd=world.top,
    )
    os.close(writer)
    with popen, os.fdopen(reader, "rb") as out:
        assert popen.stdin
        popen.stdin.write(text)
        popen.stdin.close()
        until_logged(world.top / "logs", text)
        assert popen.poll() is None
        assert out.read() == text
        assert popen.wait(10) == 0


def test_stdout_is_left_as_it_is(world: World, tools: Programs) -> None:
    """Others write to it as well, and do not expect to be refused."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as out, os.fdopen(writer, "wb") as shared:
        popen = subprocess.Popen(
            [tools.path("s6-log"), "1"], stdin=subprocess.PIPE, stdout=shared, cwd=world.top
        )
        with popen:
            assert popen.stdin
            popen.stdin.write(b"a\n")
            popen.stdin.flush()
            assert out.readline() == b"a\n"
            assert os.get_blocking(writer) == (tools.name == "ours")
            popen.stdin.close()
            assert popen.wait(10) == 0


def test_the_pipe_gets_larger(world: World, tools: Programs) -> None:
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(world.top / "logs", b"a\n")
        size = fcntl.fcntl(its.reader, fcntl.F_GETPIPE_SZ)
        assert size == (1 << 18 if tools.name == "ours" else 1 << 16)
        assert its.end() == 0


@pytest.mark.parametrize("words", [["-b"], []])
def test_memory_is_bounded(world: World, tools: Programs, words: list[str]) -> None:
    """With -b the logger stops reading at once, else, s6x only, when 8 MiB wait."""
    if not words and tools.name == "theirs":
        words = ["-b"]
    reader, writer = os.pipe()
    popen = subprocess.Popen(
        [tools.path("s6-log"), *words, "1"], stdin=subprocess.PIPE, stdout=writer, cwd=world.top
    )
    os.close(writer)
    total, taken = 24 << 20, 0
    block = b"x" * 63 + b"\n"
    with popen, os.fdopen(reader, "rb") as out:
        assert popen.stdin
        os.set_blocking(popen.stdin.fileno(), False)

        def full() -> bool:
            nonlocal taken
            try:
                for _ in range(64):
                    taken += os.write(popen.stdin.fileno(), block * 64)  # type: ignore[union-attr]
            except BlockingIOError:
                return holds_for(lambda: not _writable(popen.stdin), 0.2)
            return taken > total

        until(full, "a full pipe")
        assert taken < (1 << 20 if words else 10 << 20)
        popen.stdin.close()
        assert len(out.read()) == taken
        assert popen.wait(10) == 0


def _writable(stream: IO[bytes] | None) -> bool:
    assert stream
    return bool(select.select([], [stream], [], 0)[1])
