"""s6-log is killed at every system call that it makes: every line is there, once (contract 6)."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.logs import DATE, LABEL, archives, content
from world.programs import Programs
from world.running import World
from world.tracing import killed_at_call

pytestmark = pytest.mark.ours_only

LINES = b"".join(b"%d %s\n" % (n, b"x" * (n * 7 % 61)) for n in range(150))
ODD = b"".join(line for line in LINES.splitlines(keepends=True) if line.split()[0][-1:] in b"13579")
SAME = b"the same line again\n" * 250
CUT = b"".join(b"y" * (300 * n) + b"\n" for n in range(1, 6))


def cut(text: bytes, limit: int) -> bytes:
    """Lines as -l cuts them."""
    pieces = [
        line[at : at + limit]
        for line in text.splitlines()
        for at in range(0, max(len(line), 1), limit)
    ]
    return b"".join(piece + b"\n" for piece in pieces)


SCRIPTS = {
    "plain": (["n999", "s4096", "./logs"], LINES, {"logs": LINES}),
    "equal lines": (["n999", "s4096", "./logs"], SAME, {"logs": SAME}),
    "stamps": (["n999", "s4096", "t", "T", "./logs"], LINES, {"logs": LINES}),
    "cut": (["-l100", "n999", "s4096", "./logs"], CUT, {"logs": cut(CUT, 100)}),
    "two": (
        ["n999", "s4096", "./logs", "-.", "+^[0-9]*[13579] ", "s5000", "pP", "./odd"],
        LINES,
        {"logs": LINES, "odd": b"".join(b"P " + line for line in ODD.splitlines(keepends=True))},
    ),
    "processor": (["n999", "s4096", "?cat", "./logs"], LINES, {"logs": LINES}),
    "large files": (["n999", "./logs"], LINES, {"logs": LINES}),
}


def unstamped(text: bytes) -> bytes:
    return b"".join(
        DATE.sub(b"", LABEL.sub(b"", line, count=1), count=1)
        for line in text.splitlines(keepends=True)
    )


class Round:
    """One input, and the loggers that read it, one after the other."""

    def __init__(self, program: Path, top: Path, text: bytes) -> None:
        top.mkdir()
        self.program, self.top = program, top
        self.reader, writer = os.pipe()
        os.write(writer, text)
        os.close(writer)
        self.errors = os.open(top / "errors", os.O_WRONLY | os.O_CREAT)

    def killed_at(self, nth: int, words: list[str]) -> bool:
        return killed_at_call(
            nth,
            [self.program, *words],
            stdin=self.reader,
            stderr=self.errors,
            cwd=self.top,
        )

    def finish(self, words: list[str]) -> None:
        subprocess.run(
            [self.program, *words], stdin=self.reader, stderr=self.errors, cwd=self.top, check=True
        )
        os.close(self.reader)
        os.close(self.errors)
        assert (self.top / "errors").read_bytes() == b""


@pytest.fixture
def top(world: World) -> Iterator[Path]:
    """A place where syncing costs nothing, if there is one: it is done some thousand times."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else world.top
    with tempfile.TemporaryDirectory(dir=where) as name:
        yield Path(name)


def rounds(program: Path, top: Path, name: str, again: random.Random | None) -> Iterator[int]:
    """Kill at each system call, then look what the next logger makes of it."""
    words, text, expected = SCRIPTS[name]
    for nth in range(1, 2000):
        its = Round(program, top / str(nth), text)
        killed = its.killed_at(nth, words)
        if killed and again:
            its.killed_at(again.randrange(1, nth + 60), words)
        its.finish(words)
        for logdir, lines in expected.items():
            found = unstamped(content(its.top / logdir))
            assert found == lines, f"killed at call {nth}: {its.top / logdir}"
            names = {path.name for path in (its.top / logdir).iterdir()}
            rest = names - {path.name for path in archives(its.top / logdir)}
            assert rest == {"lock", "state", "current"}
        yield nth
        if not killed:
            return


@pytest.mark.parametrize("name", SCRIPTS)
def test_killed_at_every_call(top: Path, tools: Programs, name: str) -> None:
    assert max(rounds(tools.path("s6-log"), top, name, None)) > 60


def test_killed_twice(top: Path, tools: Programs) -> None:
    """The one that recovers is killed as well, wherever it has come to."""
    chance = random.Random(5)
    assert max(rounds(tools.path("s6-log"), top, "two", chance)) > 60
