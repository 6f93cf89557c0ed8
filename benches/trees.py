"""Trees to measure: the same services under s6x, under the originals, and under nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.machine import REPOSITORY

PATIENCE_S = 60.0
PROGRAMS: dict[str, list[str]] = {
    "service": ["-nostdlib", "-ffreestanding", "-fno-builtin"],
    "spawn_loop": [],
    "log_reader": [],
    "log_writer": [],
    "stamp": [],
    "hello": [],
}


class BenchError(Exception):
    """Something cannot be measured here; the message says what is missing or went wrong."""


@dataclass(frozen=True)
class Subject:
    """Something that runs all services of a directory."""

    name: str
    argv: tuple[str, ...]
    """The directory is added at the end."""
    ends_by: signal.Signals = signal.SIGTERM
    supervises: bool = True


@dataclass(frozen=True)
class Announcement:
    """What a service said when it began to run."""

    service: str
    at_ns: int
    pid: int


def announcement(line: str) -> Announcement:
    """Read what service.c writes."""
    service, at_ns, pid = line.split()
    return Announcement(service, int(at_ns), int(pid))


class Workshop:
    """A directory in memory with the compiled programs; everything in it is gone at the end."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        usable = os.access(memory, os.W_OK) and not os.statvfs(memory).f_flag & os.ST_NOEXEC
        self.top = Path(tempfile.mkdtemp(prefix="s6x-bench-", dir=memory if usable else None))
        for source, options in PROGRAMS.items():
            subprocess.run(
                ["gcc", "-O2", "-static", *options, "-o", self.top / source, f"{source}.c"],
                cwd=Path(__file__).parent,
                check=True,
            )
        self.executable = our_executable()
        self._links = self.top / "s6x"
        self._links.mkdir()
        self._count = 0

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.top, ignore_errors=True)

    def ours(self, program: str) -> str:
        """Return the path of one of our programs."""
        link = self._links / program
        if not link.is_symlink():
            link.symlink_to(self.executable)
        return str(link)

    def subjects(self) -> list[Subject]:
        """Return all that run services and are installed, the bare loop first, then s6x."""
        found = [
            Subject("bare vfork+exec loop", (str(self.top / "spawn_loop"),), supervises=False),
            Subject("s6x s6-svscan", (self.ours("s6-svscan"), "-t0", "-C2000")),
        ]
        if original := shutil.which("s6-svscan"):
            found.append(Subject("s6 (Debian) s6-svscan", (original, "-t0", "-c2000")))
        if runsvdir := shutil.which("runsvdir"):
            found.append(Subject("runit (Debian) runsvdir", (runsvdir,), signal.SIGHUP))
        return found

    def services(self, count: int, *, scripts: bool = False) -> Path:
        """Make a directory of so many services that nobody has run yet.

        `run` is the program itself, or a script of /bin/sh that becomes it.
        """
        self._count += 1
        directory = self.top / f"services-{self._count}"
        directory.mkdir()
        os.mkfifo(directory / ".announce")
        for number in range(count):
            service = directory / f"service-{number:04}"
            service.mkdir()
            run = service / "run"
            if scripts:
                run.write_text(f"#!/bin/sh\nexec {self.top}/service\n")
                run.chmod(0o755)
            else:
                run.symlink_to(self.top / "service")
        return directory


def our_executable() -> Path:
    """Find the static executable: by $S6X_EXECUTABLE, else in the package."""
    path = os.environ.get("S6X_EXECUTABLE") or REPOSITORY / "python/s6x/_native/bin/s6x"
    if not Path(path).exists():
        raise BenchError(f"{path}: there is no executable to measure: run `make build`")
    return Path(path)


class Tree:
    """A running subject."""

    def __init__(self, subject: Subject, directory: Path) -> None:
        self.subject = subject
        self._fifo = os.open(directory / ".announce", os.O_RDWR | os.O_NONBLOCK)
        self._unread = b""
        self.started_ns = time.monotonic_ns()
        self.process = subprocess.Popen(
            [*subject.argv, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def announced(self, count: int) -> list[Announcement]:
        """Wait until so many services said that they run, and return what they said."""
        found: list[Announcement] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < count:
            found += self._read()
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise BenchError(
                    f"{self.subject.name}: {len(found)} of {count} services began to run"
                )
            time.sleep(0.01)  # they read the clock themselves: nobody is disturbed by our looking
        return found

    def supervisors(self) -> list[int]:
        """Return the pids of the processes that supervise one service each."""
        return children_of(self.process.pid)

    def end(self) -> None:
        """End it with all its services."""
        services = [pid for child in self.supervisors() for pid in children_of(child)]
        self.process.send_signal(self.subject.ends_by)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            for pid in services:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.close(self._fifo)

    def _read(self) -> Iterator[Announcement]:
        try:
            self._unread += os.read(self._fifo, 1 << 16)
        except BlockingIOError:
            return
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            yield announcement(line.decode())


@contextlib.contextmanager
def running(
    workshop: Workshop, subject: Subject, count: int, *, scripts: bool = False
) -> Iterator[tuple[Tree, Path]]:
    """Run so many new services; what is left of them at the end is removed."""
    directory = workshop.services(count, scripts=scripts)
    tree = Tree(subject, directory)
    try:
        yield tree, directory
    finally:
        tree.end()
        shutil.rmtree(directory, ignore_errors=True)


def children_of(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


def interleaved(rounds: int, subjects: Sequence[Subject]) -> Iterator[Subject]:
    """Go through all subjects again and again, so that what disturbs one disturbs all."""
    for number in range(rounds):
        yield from subjects if number % 2 == 0 else reversed(subjects)
