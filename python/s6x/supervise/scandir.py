"""A scan directory: the services that one scanner supervises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from s6x import _core
from s6x._core import SCAN_CONTROLS, SCANDIR_VARIABLE, scandir_places
from s6x.errors import NotSupervised, SupervisionError, UnknownService
from s6x.supervise.events import Events
from s6x.supervise.processes import PROC, Process, below, everything
from s6x.supervise.service import Service
from s6x.supervise.waiting import Expectation, Goal


class ScanDir:
    """A scan directory, and through it the scanner (s6-svscan) that runs on it.

    A service is a subdirectory whose name does not begin with a dot. Iterating gives the services,
    loggers not included, sorted by name; `scandir["web"]` is :meth:`service`. Commands are letters
    in the scanner's FIFO: sent at once and not answered. Every method may raise NotSupervised or
    another SupervisionError.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Name a scan directory.

        None: the running one, which is that of the variable S6X_SCANDIR, else the first that has a
        scanner of /run/service, /var/run/s6/services and where `/init` may have put its state.
        Raises NotSupervised if none has.
        """
        self.path = running() if path is None else Path(path)

    def __repr__(self) -> str:
        """Show the path."""
        return f"{type(self).__name__}({os.fspath(self.path)!r})"

    def is_running(self) -> bool:
        """Whether a scanner is running on it."""
        return _core.is_scanned(self.path)

    def services(self, *, loggers: bool = False) -> list[Service]:
        """Return the services that are in it now, sorted by name, each before its logger."""
        try:
            names = sorted(os.listdir(self.path))  # noqa: PTH208 - names are what is wanted
        except OSError as error:
            sentence = f"unable to list {self.path}: {error.strerror}"
            raise SupervisionError(sentence, error.errno) from None
        found = []
        for name in names:
            if name.startswith(".") or not (self.path / name).is_dir():
                continue
            service = Service(self.path / name)
            found.append(service)
            if loggers and service.logger is not None:
                found.append(service.logger)
        return found

    def service(self, name: str) -> Service:
        """Return the service of this name; `web/log` is the logger of `web`.

        Raises UnknownService.
        """
        main, _, rest = name.partition("/")
        known = self.services(loggers=True)
        for service in known:
            if service.name == name:
                return service
        names = [service.name for service in known]
        hint = f" (web/log names a logger, and {main} has none)" if rest == "log" else ""
        if not hint:
            from difflib import get_close_matches

            close = get_close_matches(name, names, 1)
            hint = f": did you mean {close[0]}?" if close else f"; it has {', '.join(names)}"
        raise UnknownService(f"there is no service {name} in {self.path}{hint if names else ''}")

    def __iter__(self) -> Iterator[Service]:
        """Iterate over the services, sorted by name."""
        return iter(self.services())

    def __getitem__(self, name: str) -> Service:
        """Return the service of this name."""
        return self.service(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a service of this name."""
        return any(service.name == name for service in self.services(loggers=True))

    def events(self) -> Events:
        """Subscribe to what happens to all services in it, loggers too.

        A service that joins the scan directory later can be added with :meth:`Events.add`.
        """
        return Events(self.services(loggers=True))

    def wait(self, goal: Goal, timeout: float | None = None) -> None:
        """Wait until all services (not their loggers) are in a state at the same time.

        Raises TimedOut after `timeout` seconds; FailedForGood; NotSupervised.
        """
        with Expectation(self.services(), goal) as expected:
            expected.wait(timeout)

    def rescan(self) -> None:
        """Look for new services, and start their supervisors."""
        self._send("Rescan")

    def prune(self) -> None:
        """Rescan, and end the supervisors of services that have gone."""
        self._send("RescanAndPrune")

    def reap(self) -> None:
        """Reap every dead child."""
        self._send("Zap")

    def terminate(self) -> None:
        """Stop all services, let loggers read to the end, then exit (SIGTERM)."""
        self._send("Terminate")

    def quit(self) -> None:
        """Stop all services and loggers alike, then exit (SIGQUIT)."""
        self._send("Quit")

    def abandon(self) -> None:
        """Exit at once and leave every supervisor running (SIGABRT)."""
        self._send("Abort")

    def scanner(self) -> Process:
        """Return the scanner's process: the one that holds the lock open.

        Raises NotSupervised: there is none, or it belongs to another user and cannot be seen.
        """
        return self._scanner_among(everything())

    def processes(self) -> list[Process]:
        """Return the scanner and everything below it, parents before children."""
        now = everything()
        scanner = self._scanner_among(now)
        return [scanner, *below(scanner.pid, now)]

    def _scanner_among(self, now: dict[int, Process]) -> Process:
        lock = os.fspath(self.path.resolve() / ".s6-svscan/lock")
        holders = {pid for pid in now if _has_open(pid, lock)}
        for pid in holders:
            if now[pid].parent not in holders:  # supervisors may be forks of their scanner
                return now[pid]
        because = "it cannot be seen from here" if self.is_running() else "it has none"
        raise NotSupervised(f"unable to find the scanner of {self.path}: {because}")

    def _send(self, control: str) -> None:
        _core.send_scanner(self.path, SCAN_CONTROLS[control])


def running() -> Path:
    """Return the path of the running scan directory. Raises NotSupervised if there is none."""
    named = os.environ.get(SCANDIR_VARIABLE)
    if named:
        return Path(named)
    places = [Path(place) for place in scandir_places()]
    for place in places:
        try:
            if place.is_dir() and _core.is_scanned(place):
                return place
        except SupervisionError:
            return place  # somebody else's: there is one, and we may not ask more
    raise NotSupervised(
        f"no scanner is running on {' or '.join(map(str, places))}: name its scan directory, "
        f"or set {SCANDIR_VARIABLE}"
    )


def _has_open(pid: int, path: str) -> bool:
    directory = PROC / str(pid) / "fd"
    try:
        return any(os.fspath(entry.readlink()) == path for entry in directory.iterdir())
    except OSError:
        return False  # it has ended, or it is somebody else's
