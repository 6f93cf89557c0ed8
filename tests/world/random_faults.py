"""Faults from outside, at random moments: signals, kill -9, files that go away, disks that fill."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from world import process
from world.containers import Container
from world.random_trees import RandomTree

WINDOW_S: Final = 1.6
"""Within so long after its start a container gets its faults."""

STOPPING: Final = {
    "v1": frozenset({"TERM", "INT", "QUIT", "ABRT", "HUP"}),
    "v2": frozenset({"TERM", "INT", "QUIT", "ABRT"}),
}
"""The signals that stop a container."""
HARMLESS: Final = ("ALRM", "USR1", "USR2", "WINCH")

SERVICES: Final = "/run/s6/services"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, so long after the container's start."""

    at_s: float
    what: str
    """A name, for the verdict and for people: `signal TERM`, `kill`, `remove …`."""


@dataclass
class Culprit:
    """What makes the faults of one container happen."""

    container: Container
    pid: int
    """Init, which is spared, like everything that is not below it."""
    chance: random.Random
    done: list[str]
    """What has been done so far."""

    def commit(self, fault: Fault) -> None:
        word, _, rest = fault.what.partition(" ")
        kinds: dict[str, Callable[[str], None]] = {
            "signal": self._signal,
            "kill": lambda _: self._to_somebody(signal.SIGKILL),
            "freeze": lambda _: self._to_somebody(signal.SIGSTOP),
            "run": self._run,
        }
        kinds[word](rest)

    def _signal(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.Signals[f"SIG{name}"])
        self.done.append(f"signal {name}")

    def _to_somebody(self, number: signal.Signals) -> None:
        others = process.descendants_of(self.pid)
        if not others:
            return
        victim = self.chance.choice(others)
        self.done.append(f"{number.name} to {process.describe(victim)}")
        process.kill(victim, number)

    def _run(self, line: str) -> None:
        """Run a line inside: not as the runtime would, which the end of a container confuses."""
        self.done.append(line)
        where = ["nsenter", f"--target={self.container.pid}", "--pid", "--mount", "--root", "--wd"]
        words = [*where, "--", "/bin/sh", "-c", line]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def random_faults(tree: RandomTree) -> list[Fault]:
    """Return the faults of a tree, in order of time."""
    chance = random.Random(f"faults {tree.seed}")
    stopping = sorted(STOPPING[tree.generation])
    service = chance.choice(tree.services or ["s6-fdholderd"])
    at = f"{SERVICES}/{service}"
    kinds: dict[str, float] = {
        "kill": 6,
        "freeze": 1,
        "signal TERM": 2,
        f"signal {chance.choice(stopping)}": 1,
        f"signal {chance.choice(HARMLESS)}": 1,
        "signal HUP": 0.5,
        f"run rm -f {at}/supervise/control": 0.6,
        f"run rm -f {SERVICES}/.s6-svscan/control": 0.4,
        f"run rm -rf {at}/supervise": 0.6,
        f"run rm -rf {at}; s6-svscanctl -an {SERVICES}": 0.6,
        f"run s6-svc -d {at}": 0.5,
        f"run s6-svc -k {at}": 0.5,
        f"run s6-svc -xd {at}": 0.5,
        "run s6-svscanctl -h " + SERVICES: 0.3,
    }
    if tree.small:
        kinds[f"run dd if=/dev/zero of={tree.small}/fill bs=1k 2>/dev/null"] = 6
        kinds[f"run rm -f {tree.small}/fill"] = 2
    count = chance.choice([0, 1, 1, 2, 3, 5, 8])
    whats = chance.choices(list(kinds), list(kinds.values()), k=count)
    # Boot takes a tenth of a second: half of all faults come then.
    times = [chance.random() * chance.choice([0.15, WINDOW_S]) for _ in whats]
    return sorted((Fault(*one) for one in zip(times, whats, strict=True)), key=lambda one: one.at_s)


def let_happen(culprit: Culprit, faults: list[Fault], over: Callable[[], bool]) -> None:
    """Make the faults happen at their times, until the container is over."""
    began = time.monotonic()
    for fault in faults:
        while time.monotonic() < began + fault.at_s:
            if over():
                return
            time.sleep(0.002)  # the moments are the point
        if over():
            return
        culprit.commit(fault)
