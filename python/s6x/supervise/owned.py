"""A scanner that this program has started, until its end and that of everything below it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import weakref
from dataclasses import dataclass

from s6x import _core
from s6x.errors import NotSupervised, SupervisionError, TimedOut
from s6x.supervise import processes
from s6x.supervise.descriptors import readable
from s6x.supervise.events import Event, Events, Happening
from s6x.supervise.processes import Process
from s6x.supervise.scandir import ScanDir
from s6x.supervise.status import Ending

FORCED_S = 5.0
"""How long what was killed may take to be gone."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a tree ended."""

    scanner: Ending
    """How the scanner ended: `exited 0`, if all went well."""
    killed: tuple[Process, ...]
    """What did not end when it was told to, and was killed. Nothing is left, in any case."""


class Running:
    """A scanner that runs, without a reference to its Tree, which may be forgotten."""

    def __init__(self, child: _core.Child, scandir: ScanDir, mark: str) -> None:
        """Take over a scanner; `mark` is the assignment in the environment of all its tree."""
        self.child = child
        self._scandir = scandir
        self._mark = mark
        self._owner = os.getpid()
        self._over = False
        self._killed: list[Process] = []
        self._seen: dict[tuple[int, int], Process] = {}

    def stop(self, timeout: float | None) -> Stopped | None:
        """End it in an orderly way; None if that was done before."""
        if not self.is_ours():
            return None
        self.ask()
        if self.child.wait(timeout) is None:
            self.force()
            self.child.wait(FORCED_S)
        return self.conclude()

    def is_ours(self) -> bool:
        """Whether it is this process's to end: not ended yet, and not that of a fork's parent."""
        return not self._over and self._owner == os.getpid()

    def ask(self) -> None:
        """Tell the scanner to stop everything."""
        self._look_around()
        try:
            self._scandir.terminate()
        except NotSupervised:
            self._stop_orphans()  # somebody killed it: its supervisors obey nobody but us

    def force(self) -> None:
        """Kill the services; their supervisors and the scanner then end as they were told."""
        self._look_around()
        for service in self._scandir.services(loggers=True):
            with contextlib.suppress(SupervisionError):
                pid = service.status().pid
                process = None if pid is None else processes.look(pid)
                service.kill()
                if process is not None:
                    self._killed.append(process)

    def _stop_orphans(self) -> None:
        supervised = [one for one in self._scandir.services(loggers=True) if one.is_supervised()]
        with Events(supervised) as events:
            for service in supervised:
                with contextlib.suppress(NotSupervised):
                    service.down()
                    service.exit()
            deadline = time.monotonic() + FORCED_S
            while any(service.is_supervised() for service in supervised):
                if time.monotonic() > deadline:
                    self.force()
                    deadline += FORCED_S
                with contextlib.suppress(TimedOut):
                    events.next(0.1)

    def end_now(self) -> None:
        """End whatever has started so far, by force."""
        self._look_around()
        self.child.kill(signal.SIGKILL)
        self.conclude()

    def conclude(self) -> Stopped:
        """Kill what is left, and make sure that this was all."""
        self._over = True
        deadline = time.monotonic() + FORCED_S
        while left := self._left():
            for process in left:
                _kill(process)
                if all(process.pid != other.pid for other in self._killed):
                    self._killed.append(process)
            if time.monotonic() > deadline:
                raise SupervisionError(f"unable to end {'; '.join(str(one) for one in left)}")
        ended = self.child.wait(FORCED_S) or (None, None)
        return Stopped(Ending(*ended), tuple(self._killed))

    def _left(self) -> list[Process]:
        """Everything of the tree that still runs, the scanner first: nobody shall restart it."""
        # By their environment, and those we saw below the scanner: a supervisor shows its name
        # where its environment was.
        found = {process.pid: process for process in processes.marked(self._mark)}
        for process in self._seen.values():
            now = processes.look(process.pid)
            if now is not None and now.started == process.started and now.state != "Z":
                found[now.pid] = now
        first = self.child.pid
        return sorted(found.values(), key=lambda process: (process.pid != first, process.started))

    def _look_around(self) -> None:
        now = processes.everything()
        for process in [now.get(self.child.pid), *processes.below(self.child.pid, now)]:
            if process is not None:
                self._seen[process.pid, process.started] = process


class Starting:
    """A scanner that was just started; `ready` is readable when it listens, or has ended."""

    def __init__(self, running: Running, ready: int, events: Events) -> None:
        """Take over the reading end of the pipe on which the scanner says that it is ready.

        `events` are those of all services, subscribed to before the start.
        """
        self.running = running
        self.ready = ready
        self.unsupervised = {service.name for service in events.services}
        self._close = weakref.finalize(self, os.close, ready)

    def note(self, event: Event) -> None:
        """Take notice of an event."""
        if event.what is Happening.SUPERVISED:
            self.unsupervised.discard(event.service.name)

    def late(self, within: float) -> TimedOut:
        """Return what to raise when nothing happens any more."""
        whose = ", ".join(sorted(self.unsupervised)) or "no service"
        return TimedOut(f"unable to start a tree: not supervised within {within:g} s: {whose}")

    def check(self) -> None:
        """Take what the scanner said. Raises SupervisionError if it ended instead."""
        said = os.read(self.ready, 1)
        self._close()
        if said:
            return
        ended = Ending(*(self.running.child.wait(FORCED_S) or (None, None)))
        raise SupervisionError(
            f"unable to start a tree: its scanner {ended} at once; its own messages say why"
        )


def _kill(process: Process) -> None:
    """Kill exactly this process, not one that got its number meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            now = processes.look(process.pid)
            if now is not None and now.started == process.started:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                readable([descriptor], 1.0)
        finally:
            os.close(descriptor)
