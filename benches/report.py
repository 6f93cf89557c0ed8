"""Figures, their targets, the table and the file."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Target:
    """What a figure should not exceed."""

    limit: float
    """In the figure's unit."""
    why: str
    """Where the limit comes from, for the table."""
    of: str = "median"
    """Which of the figure's numbers counts: `median` or `least`."""


@dataclass(frozen=True)
class Figure:
    """One measured thing."""

    subject: str
    values: Sequence[float]
    unit: str
    target: Target | None = None

    @property
    def median(self) -> float:
        """The middle of all values."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The value with the least disturbance by others, which is the one for ratios."""
        return min(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        value = self.median if self.target.of == "median" else self.least
        return value <= self.target.limit


@dataclass(frozen=True)
class Section:
    """What one bench found."""

    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default_factory=tuple)


def table(sections: Sequence[Section]) -> str:
    """Return the figures as people read them."""
    lines = []
    for section in sections:
        lines += ["", f"{section.title:<50}{'median':>12}{'least':>12}   target"]
        for figure in section.figures:
            median, least = (f"{_round(x)} {figure.unit}" for x in (figure.median, figure.least))
            lines.append(f"  {figure.subject:<48}{median:>12}{least:>12}   {_verdict(figure)}")
        lines += [f"  ({note})" for note in section.notes]
    return "\n".join(line.rstrip() for line in lines[1:]) + "\n"


def store(facts: Mapping[str, object], sections: Sequence[Section]) -> Path:
    """Write everything, every single value too, to a file of its own, and return its path."""
    RESULTS.mkdir(exist_ok=True)
    date = str(facts["date"]).replace(":", "").replace("+0000", "Z")
    path = RESULTS / f"{date}.json"
    content = {"machine": dict(facts), "sections": [_plain(section) for section in sections]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def _plain(section: Section) -> dict[str, object]:
    figures = [
        {
            "subject": figure.subject,
            "unit": figure.unit,
            "median": figure.median,
            "least": figure.least,
            "values": list(figure.values),
            "target": figure.target and {**figure.target.__dict__, "met": figure.met},
        }
        for figure in section.figures
    ]
    return {"title": section.title, "figures": figures, "notes": list(section.notes)}


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return ""
    limit = f"{_round(figure.target.limit)} {figure.unit}"
    return (
        f"{'met' if figure.met else 'MISSED'}: {figure.target.of} ≤ {limit} ({figure.target.why})"
    )


def _round(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
