"""s6-log on a disk that blocks: a frozen file system, on which every write waits until it thaws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.logs import content, logger, numbered
from world.programs import Programs
from world.running import World
from world.waiting import holds_for, until

pytestmark = [
    pytest.mark.ours_only,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can freeze a file system"),
]

FREEZE, THAW = 0xC0045877, 0xC0045878
"""ioctls of linux/fs.h."""
LINES = 200
"""So many are written at once: less than a page, so that a full pipe takes all of them or none."""
MEMORY = 12 << 20
"""What waits in memory for an outlet, at most 8 MiB, and the logger itself."""


class Disk:
    """A file system in a file, which can be frozen."""

    def __init__(self, top: Path) -> None:
        self.path = top / "disk"

    def control(self, request: int) -> None:
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, request, 0)
        finally:
            os.close(directory)


@pytest.fixture
def disk(world: World) -> Iterator[Disk]:
    image, disk = world.top / "image", Disk(world.top)
    if not shutil.which("mkfs.ext4"):
        pytest.skip("mkfs.ext4 is not installed")
    disk.path.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    mounted = subprocess.run(
        ["mount", "-o", "loop", image, disk.path], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted from a file here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        with contextlib.suppress(OSError):  # not frozen
            disk.control(THAW)
        subprocess.run(["umount", disk.path], check=True)


def memory(pid: int) -> int:
    """The most that a process ever had in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) << 10


@pytest.mark.parametrize("script", [[], ["-b"], ["t"]], ids=["plain", "blocking", "stamped"])
@pytest.mark.parametrize("killed", [False, True], ids=["thawed", "killed"])
def test_a_disk_that_blocks(
    world: World, tools: Programs, disk: Disk, script: list[str], killed: bool
) -> None:
    """Writers wait as soon as the pipe is full, memory has a bound, and nothing is lost."""
    logs = disk.path / "logs"
    words = [*script, "s16777215", "n2", str(logs)]
    written = b""

    def lines() -> bytes:
        return re.sub(rb"^@[0-9a-f]{24} ", b"", content(logs), flags=re.MULTILINE)

    with logger(tools, *words, cwd=world.top) as its:
        os.set_blocking(its.writer, False)

        def takes_more() -> bool:
            nonlocal written
            block = numbered(LINES, written.count(b"\n"))
            with contextlib.suppress(BlockingIOError):
                assert os.write(its.writer, block) == len(block)
                written += block
                return True
            return False

        def full() -> bool:
            while len(written) < 2 * MEMORY and takes_more():
                pass
            return holds_for(lambda: not takes_more(), 0.2)

        assert takes_more()
        until(lambda: lines() == written, "what came before")
        disk.control(FREEZE)
        until(full, "writers that wait")
        assert 1 << 16 < len(written) < MEMORY
        assert memory(its.popen.pid) < MEMORY
        if killed:
            its.popen.send_signal(signal.SIGKILL)
        disk.control(THAW)
        if not killed:
            until(takes_more, "room in the pipe")
            os.set_blocking(its.writer, True)
            until(lambda: lines() == written, "all lines")
            assert its.end() == 0
            return
        its.exit_code()
        os.close(its.writer)
        its.writer = -1
        again = [str(tools.path("s6-log")), *words]
        assert subprocess.run(again, stdin=its.reader, timeout=30, check=False).returncode == 0
    assert lines() == written, "each of them once"
