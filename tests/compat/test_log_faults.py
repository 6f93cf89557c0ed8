"""s6-log where the disk is full or read-only, files are taken away, and the clock goes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.logs import archives, content, log, logger, numbered, until_logged
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until

pytestmark = pytest.mark.ours_only


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """A file system of half a megabyte, which is full when `filler` is there."""
    disk = world.top / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


@pytest.mark.parametrize("killed", [False, True])
def test_full_disk(world: World, tools: Programs, small_disk: Path, killed: bool) -> None:
    """It says so, once, and goes on when there is room; the pipe is read meanwhile, to a bound."""
    logs = small_disk / "logs"
    with logger(tools, "r20", "s65536", "n3", str(logs), cwd=world.top) as its:
        its.write(numbered(10))
        until_logged(logs, numbered(10))
        filler = fill(small_disk)
        block = numbered(4000, 10)
        its.write(block)
        until(lambda: "No space left on device" in its.said(), "a message", explain=its.said)
        os.set_blocking(its.writer, False)
        taken = 0

        def full() -> bool:
            nonlocal taken
            with contextlib.suppress(BlockingIOError):
                while taken < 16 << 20:
                    taken += os.write(its.writer, b"y" * 4000 + b"\n")
            return holds_for(lambda: not _takes(its.writer), 0.1)

        if not killed:
            until(full, "a full pipe")
            assert 6 << 20 < taken < 10 << 20, "8 MiB, and the pipe"
            assert its.said().count("No space left") <= 3
        filler.unlink()
        if killed:
            until_logged(logs, numbered(10) + block)
        else:
            until(
                lambda: len(archives(logs)) == 3,
                "archives",
                explain=lambda: (
                    its.said() + str([(p, p.stat().st_size) for p in logs.iterdir()]) + str(taken)
                ),
            )
        its.popen.send_signal(signal.SIGTERM if not killed else signal.SIGKILL)
        its.exit_code()
    if killed:
        assert log(tools, str(logs), text=b"", cwd=world.top).code == 0
        assert content(logs) == numbered(10) + block, "not twice either"


def _takes(writer: int) -> bool:
    try:
        return os.write(writer, b"\n") == 1
    except BlockingIOError:
        return False


def test_read_only(world: World, tools: Programs, small_disk: Path) -> None:
    """The pipe keeps what it has, for a logger that can write."""
    logs = small_disk / "logs"
    remount = ["mount", "-o", "remount,{}", str(small_disk)]
    assert log(tools, str(logs), text=numbered(3), cwd=world.top).code == 0
    subprocess.run([word.format("ro") for word in remount], check=True)
    with logger(tools, str(logs), cwd=world.top) as its:
        assert its.exit_code() == 111
        assert "Read-only file system" in its.said()
        its.write(numbered(3, 3))
        subprocess.run([word.format("rw") for word in remount], check=True)
        again = subprocess.Popen([tools.path("s6-log"), str(logs)], stdin=its.reader)
        until_logged(logs, numbered(6))
        again.kill()
        again.wait()


@pytest.mark.parametrize("processor", [[], ["?cat"]])
def test_current_is_taken_away(world: World, tools: Programs, processor: list[str]) -> None:
    """As by logrotate: what follows is in a new file, and nothing is lost or written twice."""
    logs = world.top / "logs"
    with logger(tools, *processor, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        (logs / "current").rename(world.top / "mine")
        its.write(b"b\n")
        until(lambda: (world.top / "mine").read_bytes() == b"a\nb\n", "it is still written to")
        its.signal(signal.SIGALRM)
        until((logs / "current").exists, "a new file")
        assert "taken away" in its.said()
        its.write(b"c\n")
        until_logged(logs, b"c\n")
        its.signal(signal.SIGALRM)
        until(lambda: [path.suffix for path in archives(logs)] == [".s"], "an archive")
        assert its.end() == 0
    assert (world.top / "mine").read_bytes() == b"a\nb\n"
    assert content(logs) == b"c\n"


def test_the_logdir_is_moved(world: World, tools: Programs) -> None:
    """It is held open: everything goes on where it is now."""
    with logger(tools, "s4096", "n99", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(world.top / "logs", b"a\n")
        moved = (world.top / "logs").rename(world.top / "moved")
        its.write(numbered(1000))
        until_logged(moved, b"a\n" + numbered(1000))
        assert its.end() == 0
    assert archives(moved)


@pytest.mark.parametrize("newest", ["4000000100000000", "7f00000000000000", "ffffffffffffffff"])
def test_the_clock_was_set_back(world: World, tools: Programs, newest: str) -> None:
    """Archives keep the order of their lines, so that it is the oldest that is removed."""
    logs, text = world.top / "logs", numbered(3000)
    logs.mkdir()
    old = logs / f"@{newest}3b9ac9ff.s"
    old.write_bytes(b"old\n")
    done = log(tools, "n3", "s4096", "./logs", text=text, cwd=world.top)
    assert (done.code, done.err) == (0, "")
    if not newest.startswith("4"):  # no time that a clock has shown
        assert old.exists()
        assert text.endswith(content(logs).replace(b"old\n", b""))
    else:
        assert not old.exists(), "the oldest"
        assert len(archives(logs)) == 3
        assert text.endswith(content(logs))
