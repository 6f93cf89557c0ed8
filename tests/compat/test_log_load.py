"""Ten writers, one logger, and SIGKILL for all of them at random: every line, once.

`S6X_LOG_LINES` is the number of lines, 10,000,000 for the real thing.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.logs import archives
from world.programs import Programs
from world.running import World
from world.waiting import until

LINES = int(os.environ.get("S6X_LOG_LINES", "300000"))
WRITERS = 10
KILLS = 30 + LINES // 100_000
MOST_INCARNATIONS = 1 << 12

WRITER = """
import mmap, os, struct, sys
name, most, file = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
done = mmap.mmap(file, 0)
number = 0
while number < most:
    text, end = b"", min(most, number + 1 + number % 20)
    for number in range(number, end):
        text += b"%d %d %s\\n" % (name, number, b"x" * (number % 60))
    number = end
    os.write(1, text)
    struct.pack_into("=Q", done, 8 * name, number)
"""
"""Writes lines, up to 20 with one call, which the pipe takes whole; says then how many it was."""


class Writers:
    """Processes that write into one pipe; each incarnation of one has a name of its own."""

    def __init__(self, top: Path, stdout: int) -> None:
        self.stdout = stdout
        self.file = os.open(top / "written", os.O_RDWR | os.O_CREAT)
        os.truncate(self.file, 8 * MOST_INCARNATIONS)
        self.written = mmap.mmap(self.file, 0)
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.names = 0
        self.left = LINES

    def start(self, lines: int) -> None:
        name, self.names = self.names, self.names + 1
        self.left -= lines
        words = [sys.executable, "-c", WRITER, str(name), str(lines), str(self.file)]
        self.running[name] = subprocess.Popen(words, stdout=self.stdout, pass_fds=[self.file])

    def total(self) -> int:
        return sum(self.counts())

    def counts(self) -> list[int]:
        return list(struct.unpack_from(f"={self.names}Q", self.written))

    def kill(self, name: int) -> None:
        self.running[name].kill()
        self.running[name].wait()

    def go_on(self, lines: int) -> None:
        """Until so many more lines are written, or no writer is left."""
        goal = self.total() + lines
        until(
            lambda: (
                self.total() >= goal or all(p.poll() is not None for p in self.running.values())
            ),
            f"{lines} more lines",
            explain=lambda: str(self.counts()),
        )

    def reap(self) -> None:
        for name, popen in list(self.running.items()):
            if popen.poll() is not None:
                del self.running[name]


def lines_of(logs: Path) -> Iterator[bytes]:
    for path in [*archives(logs), logs / "current"]:
        with path.open("rb") as file:
            yield from file


@pytest.mark.ours_only
@pytest.mark.timeout(60 + LINES // 10_000)
def test_every_line_once(world: World, tools: Programs) -> None:
    chance = random.Random(3)
    logs = world.top / "logs"
    reader, stdout = os.pipe()
    writers = Writers(world.top, stdout)
    words = [str(tools.path("s6-log")), "n999999", "s262144", "t", str(logs)]
    logger = subprocess.Popen(words, stdin=reader)
    portion = LINES // WRITERS // 4
    for _ in range(WRITERS):
        writers.start(portion)
    kills = 0
    step = LINES // KILLS
    while writers.running:
        writers.go_on(chance.randrange(step))
        logger.send_signal(signal.SIGKILL)
        assert logger.wait() == -signal.SIGKILL
        kills += 1
        if kills % 3 == 0:
            writers.kill(chance.choice(list(writers.running)))
        logger = subprocess.Popen(words, stdin=reader)
        writers.reap()
        while len(writers.running) < WRITERS and writers.left > 0:
            writers.start(min(portion, writers.left))
    os.close(stdout)
    os.close(reader)
    assert logger.wait() == 0
    assert kills >= KILLS // 2
    following = [0] * writers.names
    for line in lines_of(logs):
        _, name, number, rest = line.split(b" ")
        writer, nth = int(name), int(number)
        assert nth == following[writer], f"lost, twice or out of order: {line!r}"
        assert rest == b"x" * (nth % 60) + b"\n", f"torn: {line!r}"
        following[writer] += 1
    for writer, count in enumerate(writers.counts()):
        assert following[writer] >= count, f"writer {writer} has written more than was logged"
    os.close(writers.file)
