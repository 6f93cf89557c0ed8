"""What a line costs the logger, beside the original: plain, and with each kind of stamp."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop

LINES = 640_000
ROUNDS = 5
RATIO = 0.5
STAMPS = {"plain": [], "with TAI64N labels": ["t"], "with dates": ["T"]}
PORTIONS = {"64 lines a write": 64, "a line a write": 1}


def logging(workshop: Workshop) -> list[Section]:
    """Time s6-log on lines of 100 bytes until all of them are in its directory."""
    loggers = {"s6x s6-log": workshop.ours("s6-log")}
    if original := shutil.which("s6-log"):
        loggers["s6 (Debian) s6-log"] = original
    sections = []
    for portion, lines in PORTIONS.items():
        for stamp, words in STAMPS.items():
            times: dict[str, list[float]] = {name: [] for name in loggers}
            for _ in range(ROUNDS):
                for name, program in loggers.items():
                    times[name].append(_line_ns(workshop, program, words, lines))
            sections.append(_section(f"s6-log, {stamp}, {portion}", times, portion))
    return sections


def _section(title: str, times: dict[str, list[float]], portion: str) -> Section:
    figures = []
    for name, values in times.items():
        target = None
        others = [min(x) for other, x in times.items() if other != name]
        if name.startswith("s6x") and others:
            target = Target(RATIO * min(others), "twice the original's lines a second", of="least")
        figures.append(Figure(name, values, "ns/line", target))
    notes = ("what the writer and the pipe cost is part of it",) if PORTIONS[portion] == 1 else ()
    return Section(title, figures, notes)


def _line_ns(workshop: Workshop, program: str, words: list[str], lines: int) -> float:
    logs: Path = workshop.top / "logs"
    writer = [str(workshop.top / "log_writer"), str(LINES), str(lines)]
    begin = time.perf_counter_ns()
    with subprocess.Popen(writer, stdout=subprocess.PIPE) as source:
        code = subprocess.run(
            [program, "s16777215", "n2", *words, logs], stdin=source.stdout, check=False
        ).returncode
    spent = time.perf_counter_ns() - begin
    if code or source.returncode:
        raise BenchError(f"{program} exited {code}, its writer {source.returncode}")
    shutil.rmtree(logs)
    return spent / LINES
