"""What `/init` costs: until CMD runs, and from its end until the container is gone."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.supervision import FEW, together
from benches.trees import BenchError, Workshop, announcement
from s6x.image import build, install
from world import process
from world.containers import Spec, Unshared, busybox_root
from world.waiting import until

ROUNDS = 15
SERVICES = 50
GONE_MS = 20.0
UP_MS = {
    # (planned at boot, services): what the way to CMD may take beyond the floor, and s6-overlay's
    (False, 0): Target(10.0, "beyond the floor; s6-overlay v3: 146"),
    (False, SERVICES): Target(60.0, "beyond the floor; s6-overlay v3: 309 to 340"),
    (True, 0): Target(70.0, "beyond the floor; s6-overlay v3: 146"),
    (True, SERVICES): Target(130.0, "beyond the floor; s6-overlay v3: 309 to 340"),
}

CMD = "/srv/service"
FIFO = "/.announce"


@dataclass(frozen=True)
class Way:
    """A way to run the same CMD in a container."""

    name: str
    spec: Spec
    up_target: Target | None = None
    stops: bool = True
    """Whether it ends when it is asked to; a CMD that is PID 1 does not."""
    up_ms: list[float] = field(default_factory=list)
    """From the execution of the first program until CMD runs."""
    gone_ms: list[float] = field(default_factory=list)
    """From the end of CMD until PID 1 has ended."""
    stop_ms: list[float] = field(default_factory=list)
    """From TERM to PID 1 until it has ended."""


def containers(workshop: Workshop) -> list[Section]:
    """Time the way to CMD and back: without init, with a prebuilt plan, and with the planner."""
    stamp = ["/srv/stamp", FIFO]
    floor = Way("CMD is PID 1 (floor)", _spec(_root(workshop, 0), [*stamp, CMD]), stops=False)
    ways = [floor]
    for planned in (False, True):
        for count in (0, SERVICES):
            root = _root(workshop, count)
            install(root, "v1", workshop.executable)
            spec = _spec(root, [*stamp, "/init", CMD])
            if planned:
                spec = _with_python(spec)
            else:
                build(root, "v1")
            how = "planned at boot" if planned else "prebuilt plan"
            name = f"/init, {how}, {count} services"
            ways.append(Way(name, spec, UP_MS[planned, count]))
    for number in range(ROUNDS):
        for way in ways if number % 2 == 0 else reversed(ways):
            _go(way)
    least = min(floor.up_ms)
    few = _root(workshop, FEW)
    install(few, "v1", workshop.executable)
    build(few, "v1")
    with _running(Way("memory", _spec(few, [*stamp, "/init", CMD]))) as (container, _):
        names = ("s6-svscan ", "s6-supervise ")
        pids = [one.pid for one in container.processes() if one.argv[0].startswith(names)]
        memory = together("PID 1 and all supervisors", pids, ours=True)
    up = [Figure(floor.name, floor.up_ms, "ms")]
    up += [
        Figure(way.name, [took - least for took in way.up_ms], "ms", way.up_target)
        for way in ways[1:]
    ]
    gone = Target(GONE_MS, "s6-overlay v3: 3068; v1, v2: 3400 to 3700")
    note = "all but the floor: less the floor's least"
    return [
        Section("execution of PID 1 until CMD runs", up, [note]),
        Section(
            "end of CMD until the container is gone",
            [Figure(way.name, way.gone_ms, "ms", gone if way.stops else None) for way in ways],
        ),
        Section(
            "TERM to an idle container until it is gone",
            [Figure(way.name, way.stop_ms, "ms", gone) for way in ways if way.stops],
        ),
        Section(f"memory of a container with {FEW} services and its own", memory),
    ]


def _go(way: Way) -> None:
    """Start the container and end its CMD; start it again and end it by TERM."""
    with _running(way) as (container, command):
        way.gone_ms.append(_ending_ms(way, container, command, signal.SIGKILL))
    if way.stops:
        with _running(way) as (container, _):
            way.stop_ms.append(_ending_ms(way, container, container.pid, signal.SIGTERM))


@contextlib.contextmanager
def _running(way: Way) -> Iterator[tuple[Unshared, int]]:
    """Start the container and see CMD run."""
    said = b""
    with _fifo(way.spec.root / FIFO.lstrip("/")) as fifo, Unshared(way.spec) as container:

        def complete() -> bool:
            nonlocal said
            said += os.read(fifo, 4096) if _readable(fifo) else b""
            return said.count(b"\n") == 2

        until(complete, f"{way.name}: CMD", explain=lambda: f"{said!r} {container.err}")
        began, runs = (announcement(line).at_ns for line in said.decode().splitlines())
        way.up_ms.append((runs - began) / 1e6)
        yield (
            container,
            next(one.pid for one in reversed(container.processes()) if one.argv == (CMD,)),
        )


def _ending_ms(way: Way, container: Unshared, pid: int, by: signal.Signals) -> float:
    first = os.pidfd_open(container.pid)
    try:
        begin_ns = time.monotonic_ns()
        process.kill(pid, by)
        if not select.select([first], [], [], 30)[0]:
            raise BenchError(f"{way.name}: the container outlived {by.name} by 30 s")
        return (time.monotonic_ns() - begin_ns) / 1e6
    finally:
        os.close(first)


def _root(workshop: Workshop, services: int) -> Path:
    root = busybox_root(Path(tempfile.mkdtemp(dir=workshop.top)))
    (root / "srv").mkdir()
    for program in ("service", "stamp"):
        shutil.copy(workshop.top / program, root / "srv")
    for number in range(services):
        service = root / f"etc/services.d/service-{number}"
        service.mkdir(parents=True)
        (service / "run").symlink_to(CMD)
    return root


def _with_python(spec: Spec) -> Spec:
    """Lend this machine's Python to an image."""
    borrowed = dict.fromkeys(
        str(Path(path).resolve())
        for path in ("/usr/lib", "/lib", "/lib64", sys.base_prefix, sys.prefix, *sys.path[1:])
        if Path(path).is_dir()
    )
    outermost = [
        path for path in borrowed if not any(path.startswith(f"{other}/") for other in borrowed)
    ]
    for path in outermost:
        (spec.root / path.removeprefix("/")).mkdir(parents=True, exist_ok=True)
    for link in ("lib", "lib64"):
        if Path("/", link).is_symlink():
            (spec.root / link).symlink_to(Path("/", link).readlink())
    binds = {path: path for path in outermost}
    return replace(spec, env={"S6X_PYTHON": sys.executable}, binds=binds)


def _spec(root: Path, args: list[str]) -> Spec:
    return Spec(root, args, cwd="/srv")


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
