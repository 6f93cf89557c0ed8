"""What one command costs: the whole life of a process, beside the original's."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benches.machine import REPOSITORY
from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop, running

RATIO = 1.1
PYTHON_MS = 25.0
ROUNDS = 500


def commands(workshop: Workshop) -> list[Section]:
    """Time s6-svc and s6-svstat, native, the originals', and by way of Python."""
    ours = workshop.subjects()[1]
    with running(workshop, ours, 1) as (tree, directory):
        tree.announced(1)
        service = str(directory / "service-0000")
        native = [
            _beside(workshop, "s6-svc", ["-u", service]),
            _beside(workshop, "s6-svstat", [service]),
        ]
        by_python = {
            "python -m s6x svc": [sys.executable, "-m", "s6x", "svc", "-u", service],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        times = _times(by_python, 50)
        target = Target(PYTHON_MS, "as the issue asks")
        figures = [
            Figure(name, values, "ms", target if "s6x" in name else None)
            for name, values in times.items()
        ]
    return [*native, Section("a command by way of Python", figures)]


def chains(workshop: Workshop) -> list[Section]:
    """Time the programs that become another one, each into `true`."""
    variables = workshop.top / "variables"
    variables.mkdir()
    for number in range(10):
        (variables / f"VARIABLE{number}").write_text(f"value {number}\n")
    lock = str(workshop.top / "lock")
    calls = {
        "s6-envdir": [str(variables)],
        "s6-envuidgid": ["root"],
        "s6-softlimit": ["-o", "="],
        "s6-setsid": [],
        "s6-setlock": [lock],
        "s6-fghack": [],
    }
    if os.geteuid() == 0:
        calls |= {"s6-applyuidgid": ["-u1", "-g1", "-G", ""], "s6-setuidgid": ["daemon"]}
    return [_beside(workshop, name, [*words, "/bin/true"]) for name, words in calls.items()]


def _beside(workshop: Workshop, program: str, arguments: Sequence[str]) -> Section:
    variants = {f"s6x {program}": [workshop.ours(program), *arguments]}
    if original := shutil.which(program):
        variants[f"s6 (Debian) {program}"] = [original, *arguments]
    times = _times(variants, ROUNDS)
    figures = []
    for name, values in times.items():
        target = None
        others = [min(x) for other, x in times.items() if other != name]
        if name.startswith("s6x") and others:
            target = Target(RATIO * min(others), f"{RATIO} times the original", of="least")
        figures.append(Figure(name, values, "ms", target))
    return Section(f"{program}, from start to end", figures)


def _times(variants: Mapping[str, list[str]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, argv in variants.items():
            times[name].append(_life_ms(argv))
    return times


def _life_ms(argv: list[str]) -> float:
    null = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY / "python")}
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=[null])
    status = os.waitpid(pid, 0)[1]
    spent = time.perf_counter_ns() - begin
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise BenchError(f"{Path(argv[0]).name} {' '.join(argv[1:])} exited {code}")
    return spent / 1e6
