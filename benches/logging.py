"""What a line costs the logger, beside the original: plain, stamped, selected; and the floor."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop

LINES = 640_000
ROUNDS = 5
RATIO = 0.5
SCRIPTS = {
    "plain": [],
    "with TAI64N labels": ["t"],
    "with dates": ["T"],
    "with three selections": ["-debug|trace", "-^[0-9]+ GET", "+xxx.*fatal"],
}
PORTIONS = {"64 lines a write": 64, "a line a write": 1}

Command = Sequence[str]


@dataclass(frozen=True)
class Spent:
    """What a line cost, in nanoseconds: until all of them had arrived, and of processor time."""

    wall: float
    writer: float
    reader: float


def logging(workshop: Workshop) -> list[Section]:
    """Time s6-log on lines of 100 bytes until all of them are in its directory."""
    loggers = {"s6x s6-log": workshop.ours("s6-log")}
    if original := shutil.which("s6-log"):
        loggers["s6 (Debian) s6-log"] = original
    logs = str(workshop.top / "logs")
    sections = []
    for portion, lines in PORTIONS.items():
        for script, words in SCRIPTS.items():
            readers: dict[str, Command] = {
                name: [program, "s16777215", "n2", *words, logs]
                for name, program in loggers.items()
            }
            if not words and lines == 1:
                reader = str(workshop.top / "log_reader")
                readers |= {"floor: thrown away": [reader], "floor: spliced": [reader, logs]}
            spent = _in_turns(workshop, readers, lines)
            title = f"s6-log, {script}, {portion}"
            sections.append(_section(title, spent, portion))
            if not words and lines == 1:
                sections.append(_processor_time(title, spent))
    return sections


def _section(title: str, spent: Mapping[str, Sequence[Spent]], portion: str) -> Section:
    figures = []
    for name, all_spent in spent.items():
        target = None
        others = [
            min(x.wall for x in values) for other, values in spent.items() if "Debian" in other
        ]
        if name.startswith("s6x") and others:
            target = Target(RATIO * min(others), "twice the original's lines a second", of="least")
        figures.append(Figure(name, [each.wall for each in all_spent], "ns/line", target))
    notes = ("what the writer and the pipe cost is part of it",) if PORTIONS[portion] == 1 else ()
    return Section(title, figures, notes)


def _processor_time(title: str, spent: Mapping[str, Sequence[Spent]]) -> Section:
    figures = []
    for name, all_spent in spent.items():
        figures.append(Figure(f"{name}: writer", [each.writer for each in all_spent], "ns/line"))
        figures.append(Figure(f"{name}: reader", [each.reader for each in all_spent], "ns/line"))
    return Section(f"{title}: processor time", figures, ("a busy machine disturbs it least",))


def _in_turns(
    workshop: Workshop, readers: Mapping[str, Command], lines: int
) -> dict[str, list[Spent]]:
    spent: dict[str, list[Spent]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, command in readers.items():
            spent[name].append(_spent(workshop, command, lines))
    return spent


def _spent(workshop: Workshop, command: Command, lines: int) -> Spent:
    begin = time.perf_counter_ns()
    writer = subprocess.Popen(
        [str(workshop.top / "log_writer"), str(LINES), str(lines)], stdout=subprocess.PIPE
    )
    assert writer.stdout
    with writer.stdout as pipe:
        reader = subprocess.Popen(command, stdin=pipe)
    writer_ns, reader_ns = _ended(writer), _ended(reader)
    wall = time.perf_counter_ns() - begin
    logs = workshop.top / "logs"
    if logs.is_dir():
        shutil.rmtree(logs)
    else:
        logs.unlink(missing_ok=True)
    return Spent(wall / LINES, writer_ns / LINES, reader_ns / LINES)


def _ended(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process; its processor time in nanoseconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchError(f"{process.args!r} exited {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1e9
