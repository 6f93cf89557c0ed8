"""Ten writers, one logger, and SIGKILL for all of them at random: every line, once.

`S6X_LOG_LINES` is the number of lines, 10,000,000 for the real thing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import termios
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
CALL = 10  # lines, on an average
MOST_INCARNATIONS = 1 << 12

WRITER = """
import mmap, os, struct, sys
name, most, file, tickets = map(int, sys.argv[1:])
done = mmap.mmap(file, 0)
number = 0
while number < most and os.read(tickets, 1):
    text, end = b"", min(most, number + 1 + number % 20)
    for number in range(number, end):
        text += b"%d %d %s\\n" % (name, number, b"x" * (number % 60))
    number = end
    os.write(1, text)
    struct.pack_into("=Q", done, 8 * name, number)
"""
"""Writes up to 20 lines for each ticket, with one call, which the pipe takes whole; then says how
many there are."""


class Writers:
    """Processes that write into one pipe; each incarnation of one has a name of its own."""

    def __init__(self, top: Path, stdout: int) -> None:
        self.stdout = stdout
        self.file = os.open(top / "written", os.O_RDWR | os.O_CREAT)
        os.truncate(self.file, 8 * MOST_INCARNATIONS)
        self.written = mmap.mmap(self.file, 0)
        self.tickets, self.counter = os.pipe()
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.names = 0
        self.left = LINES

    def start(self, lines: int) -> None:
        name, self.names = self.names, self.names + 1
        self.left -= lines
        shared = [self.file, self.tickets]
        words = [sys.executable, "-c", WRITER, str(name), str(lines), *map(str, shared)]
        self.running[name] = subprocess.Popen(words, stdout=self.stdout, pass_fds=shared)

    def counts(self) -> list[int]:
        return list(struct.unpack_from(f"={self.names}Q", self.written))

    def kill(self, name: int) -> None:
        self.running[name].kill()
        self.running[name].wait()

    def go_on(self, calls: int) -> None:
        """Let them write so often more; until about half of it is done, or no writer is left."""
        os.write(self.counter, b"." * (calls + 1))
        until(
            lambda: (
                self.tickets_left() <= calls // 2
                or all(popen.poll() is not None for popen in self.running.values())
            ),
            f"{calls} more calls",
            explain=lambda: str(self.counts()),
        )

    def tickets_left(self) -> int:
        content = fcntl.ioctl(self.tickets, termios.FIONREAD, bytes(4))
        return int.from_bytes(content, sys.byteorder)

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
    most_calls = LINES // CALL // KILLS
    while writers.running:
        writers.go_on(chance.randrange(most_calls))
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
    for fd in (writers.file, writers.tickets, writers.counter):
        os.close(fd)
