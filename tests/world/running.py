"""Supervisors and scanners for the length of a test, and the proof that nothing outlives it.

A `World` is one test's temporary directory and everything that runs in it. The test process is a
child subreaper, so whatever a killed supervisor leaves behind becomes its child: at the end of the
test every descendant must be gone, else the test fails with the names of those that are not.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from world import process
from world.events import Subscriber
from world.programs import Programs
from world.status import Status, status
from world.tree import Content, plant
from world.waiting import PATIENCE_S, NeverHappened, until

_PR_SET_CHILD_SUBREAPER = 36
_ORDERLY_S = 5.0
"""How long an orderly stop may take at the end of a test before it is a failure."""


_PATIENT_S = 0.3
"""How long a service may take to obey the `d` of that stop; then it gets a `k`."""


class LeftBehind(AssertionError):
    """A process of the test outlived it."""


def become_subreaper() -> None:
    """Make orphans below this process its children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "unable to become a child subreaper")


def write_control(fifo: Path, content: bytes) -> None:
    """Write bytes to a control FIFO, all at once; raises OSError (ENXIO) if nobody listens."""
    descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        written = os.write(descriptor, content)
    finally:
        os.close(descriptor)
    assert written == len(content), f"{written} of {len(content)} bytes went into {fifo}"


def _end(popen: subprocess.Popen[str]) -> None:
    popen.kill()
    popen.communicate()


def _stop(supervisor: subprocess.Popen[bytes], servicedir: Path) -> None:
    if supervisor.poll() is not None:
        return
    with contextlib.suppress(OSError):
        write_control(servicedir / "supervise/control", b"dx")
    try:
        supervisor.wait(_PATIENT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            write_control(servicedir / "supervise/control", b"k")
        supervisor.wait(_ORDERLY_S)


class Daemon:
    """A running supervisor or scanner; its diagnostics are in the file `errors`."""

    def __init__(self, popen: subprocess.Popen[bytes], directory: Path, errors: Path) -> None:
        self.popen = popen
        self.pid = popen.pid
        self.directory = directory
        self.errors = errors

    def said(self) -> str:
        """What it has written to stderr so far."""
        return self.errors.read_text(errors="surrogateescape")

    def exit_code(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; negative: the signal that killed it."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            whose = process.describe(self.pid)
            raise NeverHappened(f"{whose} did not end; {self.said()}") from error

    def running(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.popen.kill()
        self.popen.wait()

    def stop(self) -> None:
        raise NotImplementedError


class Supervisor(Daemon):
    """A running s6-supervise; `events` has been subscribed since before its start."""

    def __init__(
        self, popen: subprocess.Popen[bytes], directory: Path, errors: Path, events: Subscriber
    ) -> None:
        super().__init__(popen, directory, errors)
        self.events = events

    def control(self, letters: str | bytes) -> None:
        write_control(
            self.directory / "supervise/control",
            letters.encode() if isinstance(letters, str) else letters,
        )

    def status(self) -> Status:
        return status(self.directory)

    def until(self, fact: str, timeout_s: float = PATIENCE_S) -> Status:
        """Wait until a field of the status (`up`, `down`, `ready`, `finishing`…) is true."""
        return until(
            lambda: now if getattr(now := self.status(), fact) else None,
            f"{self.directory.name} {fact}",
            timeout_s,
            explain=lambda: f"{self.status()}; {self.said()}",
        )

    def until_replaced(self, pid: int, timeout_s: float = PATIENCE_S) -> Status:
        """Wait until another process than `pid` runs as the service."""
        return until(
            lambda: now if (now := self.status()).up and now.pid != pid else None,
            f"{self.directory.name} running with another pid than {pid}",
            timeout_s,
            explain=lambda: f"{self.status()}; {self.said()}",
        )

    def stop(self) -> None:
        """Bring the service down and the supervisor to its end, whatever state they are in."""
        try:
            _stop(self.popen, self.directory)
        except subprocess.TimeoutExpired as error:
            whose = process.describe(self.pid)
            raise NeverHappened(f"{whose} did not stop; {self.said()}") from error


class Scanner(Daemon):
    """A running s6-svscan."""

    def control(self, letters: str | bytes) -> None:
        write_control(
            self.directory / ".s6-svscan/control",
            letters.encode() if isinstance(letters, str) else letters,
        )

    def supervisors(self) -> dict[str, int]:
        """Service name (`foo`, `foo/log`) to the pid of its supervisor, among its children."""
        found = {}
        for child in process.children_of(self.pid):
            with contextlib.suppress(ProcessLookupError):
                words = " ".join(process.argv_of(child)).split(" ", 1)
                if words[0].endswith("s6-supervise") and process.alive(child):
                    found[words[1].strip() if len(words) > 1 else ""] = child
        return found

    def until_supervised(self, *names: str) -> dict[str, int]:
        """Wait until exactly these services have a supervisor."""
        return until(
            lambda: now if sorted(now := self.supervisors()) == sorted(names) else None,
            f"supervisors of exactly {names}",
            explain=lambda: f"{self.supervisors()}; {self.said()}",
        )

    def until_up(self, *names: str) -> dict[str, int]:
        """Wait until these services run and return their pids."""

        def pids() -> dict[str, int] | None:
            try:
                now = {name: status(self.directory / name) for name in names}
            except FileNotFoundError:
                return None
            all_up = all(its.up for its in now.values())
            return {name: its.pid for name, its in now.items()} if all_up else None

        return until(pids, f"{names} up", explain=self.said)

    def stop(self) -> None:
        if not self.running():
            return
        with contextlib.suppress(OSError):
            self.control("t")
        self.exit_code(_ORDERLY_S)


class World:
    """One test's directory and processes; `close()` ends all of it and complains about the rest."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="s6x-"))
        self.top.chmod(0o755)
        self._before = set(process.children_of(os.getpid()))
        self._ends = contextlib.ExitStack()
        self._launched: list[subprocess.Popen[bytes]] = []

    def plant(self, content: Mapping[str, Content], under: str = ".") -> Path:
        """Make a directory tree; returns its top."""
        return plant(self.top / under, content)

    def service(self, content: Mapping[str, Content], name: str = "web") -> Path:
        """Make a service directory."""
        return plant(self.top / name, content)

    def subscribe(self, servicedir: Path) -> Subscriber:
        """Subscribe to the events of a service, making its event directory if it has none."""
        fifodir = servicedir / "event"
        if not fifodir.exists():
            fifodir.mkdir()
            fifodir.chmod(0o3730)
        return self._ends.enter_context(Subscriber(fifodir))

    def supervise(
        self,
        programs: Programs,
        servicedir: Path,
        *,
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Supervisor:
        """Start s6-supervise on a service directory and wait for its `s`."""
        events = self.subscribe(servicedir)
        popen, errors = self.launch(
            [*under, str(programs.path("s6-supervise")), servicedir.name],
            {**programs.environment(), **(env or {})},
            servicedir.parent,
        )
        daemon = Supervisor(popen, servicedir, errors, events)
        self._ends.callback(daemon.stop)
        until(
            lambda: b"s" in (events.take(0.05) and events.received) or not daemon.running(),
            "the start of s6-supervise",
            explain=daemon.said,
        )
        if b"s" not in events.received:
            code = popen.returncode
            raise AssertionError(f"s6-supervise ended at once ({code}): {daemon.said()}")
        return daemon

    def stop_later(self, popen: subprocess.Popen[bytes], servicedir: Path) -> None:
        """Stop a supervisor that was started with `launch` at the end of the test."""
        self._ends.callback(lambda: _stop(popen, servicedir))

    def scan(
        self,
        programs: Programs,
        scandir: Path,
        *options: str,
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        stdout: Path | None = None,
    ) -> Scanner:
        """Start s6-svscan on a scan directory and wait until it reports ready."""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as ready:
            popen, errors = self.launch(
                [*under, str(programs.path("s6-svscan")), *options, f"-d{writer}", str(scandir)],
                {**programs.environment(), **(env or {})},
                scandir,
                keep=writer,
                stdout=stdout,
            )
            os.close(writer)
            daemon = Scanner(popen, scandir, errors)
            self._ends.callback(daemon.stop)
            if ready.read(1) != b"\n":
                raise AssertionError(f"s6-svscan was never ready ({popen.poll()}): {daemon.said()}")
        return daemon

    def start(
        self, programs: Programs, program: str, *arguments: str | Path, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start a program that waits for something; it is killed at the end if it still waits."""
        popen = subprocess.Popen(
            [programs.path(program), *arguments],
            env=programs.environment(),
            cwd=cwd or self.top,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._ends.callback(_end, popen)
        return popen

    def launch(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        *,
        keep: int | None = None,
        stdout: Path | None = None,
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a long-lived program; the second value is the file that gets its stderr."""
        errors = self.top / f".stderr-{len(self._launched)}"
        with errors.open("ab") as stderr, (stdout or Path(os.devnull)).open("ab") as out:
            popen = subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=stderr,
                pass_fds=() if keep is None else (keep,),
            )
        self._launched.append(popen)
        return popen, errors

    def end(self, *pids: int) -> None:
        """Kill processes that the test orphaned on purpose, and wait until they are gone."""
        for pid in pids:
            process.kill(pid)
        for pid in pids:
            until(lambda pid=pid: not process.alive(pid), f"the end of {pid}")  # type: ignore[misc]

    def close(self) -> None:
        """Stop everything in reverse order; raises `LeftBehind` if a process is left after that."""
        try:
            self._ends.close()
        finally:
            left = self._sweep()
            for popen in self._launched:
                popen.wait()  # dead and reaped: this only tells the object so
            shutil.rmtree(self.top, ignore_errors=True)
        if left:
            raise LeftBehind("processes outlived the test: " + "; ".join(left))

    def _sweep(self) -> list[str]:
        """Reap the dead, give the dying a moment, kill and name the rest."""
        with contextlib.suppress(NeverHappened):
            until(lambda: not self._strays(), "no process left", timeout_s=2)
        left = [process.describe(pid) for pid in self._strays()]
        while strays := self._strays():
            for pid in strays:
                process.kill(pid)
        return left

    def _strays(self) -> list[int]:
        """Descendants that were not there before; those that are dead are reaped on the way."""
        for pid in set(process.children_of(os.getpid())) - self._before:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return [
            pid
            for child in set(process.children_of(os.getpid())) - self._before
            for pid in [child, *process.descendants_of(child)]
        ]
