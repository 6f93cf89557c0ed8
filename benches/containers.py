"""What `/init` costs: until CMD runs, and from its end until the container is gone."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benches.machine import REPOSITORY
from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop, announcement
from s6x.image import build, install
from world import process
from world.containers import Spec, Unshared, busybox_root
from world.waiting import until

ROUNDS = 15
PREBUILT_MS, PLANNED_MS, GONE_MS = 10.0, 70.0, 20.0

CMD = "/srv/service"


@dataclass(frozen=True)
class Way:
    """A way to run the same CMD in a container."""

    name: str
    spec: Spec
    up_target: Target | None = None
    gone_target: Target | None = None
    up_ms: list[float] = field(default_factory=list)
    gone_ms: list[float] = field(default_factory=list)


def containers(workshop: Workshop) -> list[Section]:
    """Time the way to CMD and back: without init, with a prebuilt plan, and with the planner."""
    gone = Target(GONE_MS, "s6-overlay 3068")
    ways = [
        Way("CMD is PID 1 (floor)", _spec(_root(workshop, "bare"), [CMD])),
        Way("/init, prebuilt plan", _spec(_prebuilt(workshop), ["/init", CMD]), gone_target=gone),
        Way("/init, planned at boot", _planned(workshop), gone_target=gone),
    ]
    for number in range(ROUNDS):
        for way in ways if number % 2 == 0 else reversed(ways):
            _go(way)
    targets = {
        ways[1].name: Target(PREBUILT_MS, "by round"),
        ways[2].name: Target(PLANNED_MS, "by round; s6-overlay 146"),
    }
    up = [Figure(ways[0].name, ways[0].up_ms, "ms")]
    for way in ways[1:]:
        beyond = [took - floor for took, floor in zip(way.up_ms, ways[0].up_ms, strict=True)]
        up.append(Figure(f"{way.name}, beyond that", beyond, "ms", targets[way.name]))
    return [
        Section("start of a container until CMD runs", up),
        Section(
            "end of CMD until the container is gone",
            [Figure(way.name, way.gone_ms, "ms", way.gone_target) for way in ways],
        ),
    ]


def _go(way: Way) -> None:
    """Start the container, see CMD run, end CMD, see the container end."""
    with _fifo(way.spec.root / ".announce") as fifo:
        begin_ns = time.monotonic_ns()
        with Unshared(way.spec) as container:
            said = until(lambda: os.read(fifo, 4096) if _readable(fifo) else b"", "CMD")
            way.up_ms.append((announcement(said.decode()).at_ns - begin_ns) / 1e6)
            command = next(one.pid for one in reversed(container.processes()) if one.argv == (CMD,))
            first = os.pidfd_open(container.pid)
            try:
                begin_ns = time.monotonic_ns()
                process.kill(command, signal.SIGKILL)
                if not select.select([first], [], [], 30)[0]:
                    raise BenchError(f"{way.name}: the container outlived its CMD by 30 s")
                way.gone_ms.append((time.monotonic_ns() - begin_ns) / 1e6)
            finally:
                os.close(first)


def _root(workshop: Workshop, name: str) -> Path:
    root = busybox_root(workshop.top / name)
    (root / "srv").mkdir()
    shutil.copy(workshop.top / "service", root / "srv/service")
    return root


def _prebuilt(workshop: Workshop) -> Path:
    root = _root(workshop, "prebuilt")
    install(root, "v1", workshop.executable)
    build(root, "v1")
    return root


def _planned(workshop: Workshop) -> Spec:
    """Make an image that borrows this machine's Python."""
    root = _root(workshop, "planned")
    install(root, "v1", workshop.executable)
    borrowed = dict.fromkeys(
        str(Path(path).resolve())
        for path in ("/usr/lib", "/lib", "/lib64", sys.base_prefix, sys.prefix, REPOSITORY)
        if Path(path).exists()
    )
    outermost = [
        path for path in borrowed if not any(path.startswith(f"{other}/") for other in borrowed)
    ]
    for path in outermost:
        (root / path.removeprefix("/")).mkdir(parents=True, exist_ok=True)
    for link in ("lib", "lib64"):
        if Path("/", link).is_symlink():
            (root / link).symlink_to(Path("/", link).readlink())
    binds = {path: path for path in outermost}
    return _spec(root, ["/init", CMD], {"S6X_PYTHON": sys.executable}, binds)


def _spec(
    root: Path,
    args: list[str],
    env: Mapping[str, str] | None = None,
    binds: Mapping[str, str] | None = None,
) -> Spec:
    return Spec(root, args, env=env or {}, binds=binds or {}, cwd="/srv")


@contextlib.contextmanager
def _fifo(path: Path) -> Iterator[int]:
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])
