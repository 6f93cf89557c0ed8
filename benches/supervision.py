"""What supervising costs: boot of many services, memory, wake-ups, restart."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.trees import Subject, Tree, Workshop, interleaved, running

BOOT_RATIO = 1.15
PSS_KIB = 24.0
FEW = 10
PRIVATE_KIB = 600.0
RESTART_MS = 1.5
RESTARTS = 100


def boot(workshop: Workshop) -> list[Section]:
    """From the start of the scanner until the last of all services runs."""
    return [
        _boot(workshop, count, rounds, scripts)
        for scripts in (True, False)
        for count, rounds in ((100, 15), (1000, 5))
    ]


def _boot(workshop: Workshop, count: int, rounds: int, scripts: bool) -> Section:
    subjects = workshop.subjects()
    times: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for subject in interleaved(rounds, subjects):
        with running(workshop, subject, count, scripts=scripts) as (tree, _):
            last = max(service.at_ns for service in tree.announced(count))
            times[subject.name].append((last - tree.started_ns) / 1e6)
    floor = min(times[subjects[0].name])
    target = Target(BOOT_RATIO * floor, f"{BOOT_RATIO} times the bare loop", of="least")
    figures = [
        Figure(name, values, "ms", target if name.startswith("s6x") else None)
        for name, values in times.items()
    ]
    ratios = "; ".join(
        f"{name}: {min(values) / floor:.2f}" for name, values in list(times.items())[1:]
    )
    kind = "scripts" if scripts else "programs"
    note = f"least times, divided by the loop's: {ratios}"
    return Section(f"boot of {count} services ({kind})", figures, [note])


def memory(workshop: Workshop) -> list[Section]:
    """Memory of one supervisor, and what idle supervisors do."""
    wakes: list[Figure] = []
    sections = [_memory(workshop, count, wakes) for count in (100, 1000)]
    return [
        _small(workshop),
        *sections,
        Section("switches to idle supervisors and their scanner in 5 s", wakes),
    ]


def _small(workshop: Workshop) -> Section:
    """Measure all processes of an ordinary container's size together."""
    figures: list[Figure] = []
    for subject in _supervising(workshop):
        with running(workshop, subject, FEW) as (tree, _):
            tree.announced(FEW)
            pids = [tree.process.pid, *tree.supervisors()]
            figures += together(subject.name, pids, ours=subject.name.startswith("s6x"))
    return Section(f"memory of the scanner and {FEW} supervisors together", figures)


def together(name: str, pids: Sequence[int], *, ours: bool) -> list[Figure]:
    """Return the memory of some processes, when they have come to rest."""
    time.sleep(1)

    def sum_of(*fields: str) -> list[float]:
        return [sum(_kib(pid, *fields) for pid in pids)]

    target = Target(PRIVATE_KIB, "as the issue asks") if ours else None
    return [
        Figure(f"{name}: private", sum_of("Private_Clean", "Private_Dirty"), "kB", target),
        Figure(f"{name}: of that, written to", sum_of("Private_Dirty"), "kB"),
        Figure(f"{name}: PSS", sum_of("Pss"), "kB"),
    ]


def _memory(workshop: Workshop, count: int, wakes: list[Figure]) -> Section:
    figures: list[Figure] = []
    for subject in _supervising(workshop):
        with running(workshop, subject, count) as (tree, _):
            tree.announced(count)
            wakes.append(_wake_ups(tree, subject, count))
            supervisors = tree.supervisors()
            proportional = [_kib(pid, "Pss") for pid in supervisors]
            private = [_kib(pid, "Private_Clean", "Private_Dirty") for pid in supervisors]
            scanner = [_kib(tree.process.pid, "Pss")]
            target = _memory_target(subject)
            figures.append(Figure(f"{subject.name}: PSS", proportional, "kB", target))
            figures.append(Figure(f"{subject.name}: private", private, "kB"))
            figures.append(Figure(f"{subject.name}: the scanner's PSS", scanner, "kB"))
    return Section(f"memory of one supervisor among {count}", figures)


def _memory_target(subject: Subject) -> Target | None:
    if not subject.name.startswith("s6x"):
        return None
    return Target(PSS_KIB, "s6 built statically with musl")


def _wake_ups(tree: Tree, subject: Subject, count: int) -> Figure:
    pids = [tree.process.pid, *tree.supervisors()]
    time.sleep(1)  # what still happens because of the boot
    before = sum(map(_switches, pids))
    time.sleep(5)
    after = sum(map(_switches, pids))
    target = Target(0, "idle") if subject.name.startswith("s6x") else None
    return Figure(f"{subject.name}, {count} services", [float(after - before)], "", target)


def restart(workshop: Workshop) -> list[Section]:
    """From the kill of a daemon that has run for more than a second until the next one runs."""
    delays: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        trees = []
        for subject in workshop.subjects():
            tree, _ = stack.enter_context(running(workshop, subject, RESTARTS))
            trees.append((tree, tree.announced(RESTARTS)))
        time.sleep(1.5)  # the daemons have then run for more than a second
        killed: dict[tuple[Tree, str], int] = {}
        for number in range(RESTARTS):
            for tree, services in trees:
                service = services[number]
                killed[tree, service.service] = time.monotonic_ns()
                os.kill(service.pid, signal.SIGKILL)
                time.sleep(0.005)  # one at a time, as daemons die
        for tree, _ in trees:
            delays[tree.subject.name] = [
                (again.at_ns - killed[tree, again.service]) / 1e6
                for again in tree.announced(RESTARTS)
            ]
    target = Target(RESTART_MS, "runit 1.6")
    figures = [
        Figure(name, values, "ms", target if name.startswith("s6x") else None)
        for name, values in delays.items()
    ]
    return [Section("restart of a killed daemon, up for more than 1 s", figures)]


def _supervising(workshop: Workshop) -> list[Subject]:
    return [subject for subject in workshop.subjects() if subject.supervises]


def _kib(pid: int, *fields: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return float(sum(int(line.split()[1]) for line in lines if line.split(":")[0] in fields))


def _switches(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
