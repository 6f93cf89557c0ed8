"""The status file under a reader that never rests (matrix row 3); status before event (row 8)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from world.programs import Programs
from world.running import Supervisor, World
from world.status import STATUS_SIZE, Status, decode
from world.waiting import until
from world.witness import finish, ready_on, sleeper


class TightReader:
    """Reads the status of a service as fast as it can, in a thread; keeps what changed."""

    def __init__(self, servicedir: Path) -> None:
        self._path = servicedir / "supervise/status"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.seen: list[bytes] = []

    def __enter__(self) -> TightReader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            content = self._path.read_bytes()
            if not self.seen or self.seen[-1] != content:
                self.seen.append(content)


def test_never_a_partial_file(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({**ready_on(3), "finish!": finish()}))
    supervisor.events.wait_for("U")
    with TightReader(supervisor.directory) as reader:
        # On a busy machine the reader sleeps through some of them.
        while len(reader.seen) <= 60:
            supervisor.control("d")
            supervisor.events.wait_for("D")
            supervisor.control("u")
            supervisor.events.wait_for("U")
    assert {len(content) for content in reader.seen} == {STATUS_SIZE}
    for content in reader.seen:
        now = decode(content)
        assert not (now.finishing and not now.pid), now


def test_every_change_is_a_new_file(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.until("up")
    path = supervisor.directory / "supervise/status"
    for letter in "pcOup":
        # Held open, so that the next file cannot get the same inode.
        with path.open("rb") as before:
            inode = os.fstat(before.fileno()).st_ino
            supervisor.control(letter)
            until_replaced(path, inode)
    assert not (supervisor.directory / "supervise/status.new").exists()


def until_replaced(path: Path, inode: int) -> None:
    until(lambda: path.stat().st_ino != inode, f"another file at {path}")


def test_the_first_status(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper(down="")))
    now = supervisor.status()
    assert (now.pid, now.wstat, now.ready, now.wanted_up) == (0, 0, True, False)
    assert now.stamp == now.readystamp
    assert now.paused == daemons.expects.marks_not_started
    # Held open, so that the next file cannot get the same inode.
    first = (supervisor.directory / "supervise/status").open("rb")
    inode = os.fstat(first.fileno()).st_ino
    supervisor.control("d")
    until(lambda: (supervisor.directory / "supervise/status").stat().st_ino != inode)
    first.close()
    keeps = daemons.expects.marks_not_started
    assert supervisor.status().paused == keeps, "it stays until there was a start"
    supervisor.control("o")
    supervisor.events.wait_for("u")
    assert not supervisor.status().paused


def test_fields_through_a_life(world: World, daemons: Programs) -> None:
    content = {**ready_on(3), "down": "", "finish!": finish(before="read -r x <hold")}
    servicedir = world.service(content)
    os.mkfifo(servicedir / "hold")
    supervisor = world.supervise(daemons, servicedir)
    begin = supervisor.status()

    supervisor.control("u")
    supervisor.events.wait_for("U")
    ready = supervisor.status()
    assert ready.flags == 0x0C
    assert ready.pid
    assert begin.stamp <= ready.stamp <= ready.readystamp

    supervisor.control("p")
    assert supervisor.until("paused").flags == 0x0D

    supervisor.control("cO1")
    supervisor.events.wait_for("d")
    finishing = supervisor.status()
    assert finishing.flags == 0x02
    assert finishing.pid not in (0, ready.pid)
    assert finishing.wstat == signal.SIGUSR1
    assert finishing.stamp > ready.stamp

    supervisor.control("u")
    until(lambda: supervisor.status().flags == 0x06, "finishing and wanted")
    supervisor.control("d")
    until(lambda: supervisor.status().flags == 0x02)
    (servicedir / "hold").write_text("\n")
    supervisor.events.wait_for("D")
    down = supervisor.status()
    assert (down.flags, down.pid, down.wstat) == (0x08, 0, signal.SIGUSR1)
    assert down.stamp == finishing.stamp
    assert down.readystamp > finishing.stamp


def check_at(supervisor: Supervisor, letter: str, holds: Callable[[Status], bool]) -> None:
    """Read the status when an event arrives: it must already be the one the event is about."""
    seen = b""
    while letter.encode() not in seen:
        seen = supervisor.events.take(5)
        assert seen, f"no {letter} within 5 s"
        assert len(seen) == 1 or seen in (b"dD", b"uU", b"OD"), seen
    now = supervisor.status()
    assert holds(now), f"after {letter}: {now}"


def test_status_is_written_before_its_event(world: World, daemons: Programs) -> None:
    """Many lives; a reader woken by an event must never see the status of before."""
    supervisor = world.supervise(daemons, world.service({**ready_on(3), "finish!": "#!/bin/sh\n"}))
    supervisor.events.wait_for("U")
    for _ in range(300):
        supervisor.control("d")
        check_at(supervisor, "d", lambda now: not now.up)
        if b"D" not in supervisor.events.received:
            check_at(supervisor, "D", lambda now: now.down and now.ready)
        supervisor.events.received = b""
        supervisor.control("u")
        check_at(supervisor, "u", lambda now: now.up)
        if b"U" not in supervisor.events.received:
            check_at(supervisor, "U", lambda now: now.up and now.ready)
        supervisor.events.received = b""
