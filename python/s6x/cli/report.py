"""What `s6x status` tells: about each service, and altogether."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from s6x.supervise import Ending, NotSupervised, ScanDir, Service, State, Status, SupervisionError
from s6x.supervise.status import signal_name

FORMAT = "s6x-status"
VERSION = 1
"""Grows when something is renamed, removed, or changes its meaning; additions leave it."""

AS_WANTED, DEGRADED, DOWN = 0, 1, 3


@dataclass(frozen=True)
class Line:
    """One service at one moment."""

    service: Service
    status: Status | None
    """None: nobody supervises it, or nobody can tell."""
    problem: str | None
    """Why nobody can tell."""
    now: datetime

    @property
    def told(self) -> str:
        """The state as JSON has it."""
        if self.status is not None:
            return self.status.state.value
        return "unknown" if self.problem else "unsupervised"

    @property
    def state(self) -> str:
        """The state in a word."""
        if self.status is None:
            return self.told
        if self.status.paused:
            return "paused"
        if self.status.ready:
            return "ready"
        return str(self.status.state)

    @property
    def trouble(self) -> str | None:
        """Why it is not as it is wanted; None if it is."""
        status = self.status
        if status is None:
            return self.problem or "no supervisor is running on it"
        if status.paused:
            return "paused (s6-svc -c lets it go on)"
        if status.up:
            not_ready = self.service.reports_readiness and not status.ready
            return "has not reported that it is ready" if not_ready else None
        if not status.wanted_up:
            return None
        if status.state is State.FINISHING:
            return "its finish script is running, then it is started again"
        if status.last_exit is None:
            return "could not be started yet: its supervisor's messages say why"
        return "died, and is about to be started again"

    @property
    def note(self) -> str:
        """What a person wants to know besides the columns."""
        status = self.status
        if self.trouble or status is None:
            return self.trouble or ""
        if not status.up:
            return "down on purpose" if self.service.normally_up else "down on purpose, by default"
        return "" if status.wanted_up else "not started again when it ends"

    def as_json(self) -> dict[str, object]:
        """Return the stable form."""
        status = self.status
        fields: dict[str, object] = {
            "name": self.service.name,
            "path": str(self.service.path),
            "state": self.told,
            "as_wanted": self.trouble is None,
            "why": self.note or None,
            "pid": None,
            "since": None,
            "seconds": None,
            "ready": None,
            "ready_since": None,
            "wanted_up": None,
            "normally_up": self.service.normally_up,
            "paused": None,
            "deaths": None,
            "last_exit": None,
        }
        if status is not None:
            fields |= {
                "pid": status.pid,
                "since": status.since.isoformat(),
                "seconds": _seconds(status.since, self.now),
                "ready": status.ready if self.service.reports_readiness else None,
                "ready_since": status.ready_since and status.ready_since.isoformat(),
                "wanted_up": status.wanted_up,
                "paused": status.paused,
                "deaths": len(status.deaths),
                "last_exit": _last_exit(status),
            }
        return fields


@dataclass(frozen=True)
class Report:
    """All services shown, at one moment."""

    tree: ScanDir | None
    """None: only service directories were named."""
    lines: Sequence[Line]

    @property
    def scanning(self) -> bool | None:
        """Whether the scanner runs; None if there was none to ask, or we may not know."""
        try:
            return None if self.tree is None else self.tree.is_running()
        except SupervisionError:
            return None  # its lock is for its owner only; services may still be public

    @property
    def code(self) -> int:
        """The exit code."""
        ups = [line for line in self.lines if line.status is not None and line.status.up]
        unknown = any(line.problem for line in self.lines)
        if not ups and not unknown and (self.lines or self.scanning is False):
            return DOWN
        fine = self.scanning is not False and all(line.trouble is None for line in self.lines)
        return AS_WANTED if fine else DEGRADED

    def as_table(self) -> Iterator[str]:
        """Return the lines for people."""
        if self.tree is not None and self.scanning is False:
            yield f"no scanner is running on {self.tree.path}"
        if not self.lines:
            where = "" if self.tree is None else f" in {self.tree.path}"
            yield f"no services{where}"
            return
        rows: list[tuple[str, ...]] = [
            ("SERVICE", "STATE", "PID", "FOR", "DEATHS", "LAST EXIT", "")
        ]
        rows += [self._row(line) for line in self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join(cells).rstrip()

    def as_json(self) -> dict[str, object]:
        """Return the stable form (docs/formats.md)."""
        words = {AS_WANTED: "as-wanted", DEGRADED: "degraded", DOWN: "down"}
        return {
            "format": FORMAT,
            "version": VERSION,
            "scandir": None if self.tree is None else str(self.tree.path),
            "scanning": self.scanning,
            "result": words[self.code],
            "services": [line.as_json() for line in self.lines],
        }

    @staticmethod
    def _row(line: Line) -> tuple[str, ...]:
        status = line.status
        name = line.service.name
        shown = name if name.isprintable() else ascii(name)[1:-1]
        if status is None:
            return (shown, line.state, "-", "-", "-", "-", line.note)
        last = "-"
        if status.last_exit is not None:
            last = str(status.last_exit)
            if status.deaths:
                last += f" {_duration(_seconds(status.deaths[-1].at, line.now))} ago"
        age = _duration(_seconds(status.since, line.now))
        deaths = str(len(status.deaths))
        return (shown, line.state, str(status.pid or "-"), age, deaths, last, line.note)


def report_on(tree: ScanDir | None, services: Sequence[Service]) -> Report:
    """Look at services now; what cannot be read is told in its line."""
    now = datetime.now(UTC)
    lines = []
    for service in services:
        status, problem = None, None
        try:
            status = service.status()
        except NotSupervised:
            pass
        except SupervisionError as error:
            problem = str(error)
        lines.append(Line(service, status, problem, now))
    return Report(tree, lines)


def _last_exit(status: Status) -> dict[str, object] | None:
    ending: Ending | None = status.last_exit
    if ending is None:
        return None
    return {
        "exit_code": ending.exit_code,
        "signal": None if ending.signal is None else signal_name(ending.signal),
        "at": status.deaths[-1].at.isoformat() if status.deaths else None,
    }


def _seconds(since: datetime, now: datetime) -> float:
    """How long ago; never negative: a clock may have been set back."""
    return round(max((now - since).total_seconds(), 0.0), 3)


def _duration(seconds: float) -> str:
    """Show a duration in its two largest units."""
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
