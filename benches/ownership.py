"""What `fix-attrs` costs on trees, beside the tools that images use for the same."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop

FILES = 100_000
DIRECTORIES = 1000
PARTS = 50
"""`find -exec chown {} ;` starts a process for each file: one part of the tree is enough of it."""
ROUNDS = 9
RATIO = 10

Ways = dict[str, list[str]]


def ownership(workshop: Workshop) -> list[Section]:
    """Time fix-attrs and the others: where all is right, with cold caches, where all is wrong."""
    with tempfile.TemporaryDirectory(prefix="s6x-bench-", dir="/var/tmp") as scratch:
        top = Path(scratch, "tree")
        _plant(top)
        own = f"{os.geteuid()}:{os.getegid()}"
        rule = f"{top} true {own} - -\n"
        ways = {
            "s6x fix-attrs": [workshop.ours("fix-attrs")],
            "chown -R": ["chown", "-R", own, str(top)],
            "find -exec chown {} +": ["find", str(top), "-exec", "chown", own, "{}", "+"],
        }
        sections = [_right(ways, rule, top, own)]
        if os.geteuid() == 0:
            forgetting = Path("/proc/sys/vm/drop_caches")
            sections += [
                _after("cold caches", ways, rule, lambda: forgetting.write_text("3")),
                _after("all wrong", ways, rule, lambda: _run(["chown", "-R", "1:1", str(top)], "")),
            ]
        return sections


def _plant(top: Path) -> None:
    for number in range(DIRECTORIES):
        directory = top / f"part-{number % PARTS}" / f"directory-{number}"
        directory.mkdir(parents=True)
        for file in range(FILES // DIRECTORIES):
            (directory / f"file-{file}").touch()


def _right(ways: Ways, rule: str, top: Path, own: str) -> Section:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, argv in ways.items():
            before = _last_change(top)
            times[name].append(_run(argv, rule))
            if name.startswith("s6x") and _last_change(top) != before:
                raise BenchError("fix-attrs wrote where all was right")
    each = ["find", str(top / "part-0"), "-exec", "chown", own, "{}", ";"]
    times["find -exec chown {} \\; (50 times a 50th)"] = [_run(each, "") * PARTS for _ in range(2)]
    slowest = min(min(values) for name, values in times.items() if "\\;" in name)
    target = Target(slowest / RATIO, f"find -exec chown {{}} \\; / {RATIO}", of="least")
    return _section(f"owners of {FILES} files, all right", times, target)


def _after(title: str, ways: Ways, rule: str, prepare: Callable[[], object]) -> Section:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, argv in ways.items():
            os.sync()
            prepare()
            times[name].append(_run(argv, rule))
    return _section(f"the same, {title}", times, None)


def _section(title: str, times: dict[str, list[float]], target: Target | None) -> Section:
    figures = [
        Figure(name, values, "ms", target if name.startswith("s6x") else None)
        for name, values in times.items()
    ]
    ratios = "; ".join(
        f"{figure.subject}: {figure.least / figures[0].least:.1f}" for figure in figures[1:]
    )
    return Section(title, figures, [f"least times, divided by fix-attrs': {ratios}"])


def _run(argv: list[str], stdin: str) -> float:
    begin = time.perf_counter_ns()
    subprocess.run(argv, input=stdin, text=True, check=True)
    return (time.perf_counter_ns() - begin) / 1e6


def _last_change(top: Path) -> int:
    return max(path.stat().st_ctime_ns for path in (top / "part-0").rglob("*"))
