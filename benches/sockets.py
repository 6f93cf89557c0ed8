"""What a request to the fd-holder and to the super-server costs, beside the originals."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benches.report import Figure, Section, Target
from benches.trees import BenchError, Workshop
from world.holding import Client, entry, opened, rules
from world.sockets import everything

HELD = 1000
"""Descriptors that are stored, retrieved and deleted, one after the other."""
LISTED = 100
CONNECTIONS = 500
ROUNDS = 7
RATIO = 1.1

PROGRAMS = (
    *("s6-fdholder-daemon", "s6-fdholderd", "s6-ipcserver", "s6-ipcserverd"),
    *("s6-ipcserver-socketbinder", "s6-ipcserver-access", "s6-applyuidgid"),
)

Times = dict[str, dict[str, list[float]]]
"""What was asked → who was asked → µs a request."""


def sockets(workshop: Workshop) -> list[Section]:
    """Time requests to a holder of up to 1,000 descriptors, and connections to a program."""
    links = Path(workshop.ours(PROGRAMS[0])).parent
    for program in PROGRAMS:
        workshop.ours(program)
    found = {"s6x": links}
    if original := shutil.which(PROGRAMS[0]):
        found["s6 (Debian)"] = Path(original).parent
    held: Times = {what: {} for what in ("store", "list", "retrieve", "delete")}
    served: Times = {"a connection": {}}
    used: Times = {"processor time of a request": {}}
    for _ in range(ROUNDS):
        for name, programs in found.items():
            _hold(workshop, name, programs, held, used)
            _serve(workshop, name, programs, served)
    return [
        *_sections("fd-holder", held),
        *_sections("fd-holder", used),
        *_sections("s6-ipcserver and a small program", served),
    ]


def _sections(subject: str, times: Times) -> list[Section]:
    sections = []
    for what, by_name in times.items():
        others = [min(values) for name, values in by_name.items() if name != "s6x"]
        target = Target(RATIO * min(others), f"{RATIO} times the original", of="least")
        figures = [
            Figure(name, values, "µs", target if name == "s6x" and others else None)
            for name, values in by_name.items()
        ]
        rates = "; ".join(f"{one.subject}: {1e6 / one.least:.0f}" for one in figures)
        sections.append(Section(f"{subject}: {what}", figures, [f"a second, at best: {rates}"]))
    return sections


def _hold(workshop: Workshop, name: str, programs: Path, held: Times, used: Times) -> None:
    words = ["s6-fdholder-daemon", "-1", "-n", str(HELD + 10), "-i", str(rules(workshop.top))]
    with _daemon(workshop, programs, words) as (path, popen), _client(path) as client:
        pid = popen.pid
        names = [b"descriptor-%d" % number for number in range(HELD)]
        before = _processor_us(pid)
        with opened() as null:
            took = [
                _each_us(names, lambda one: client.ask(b"S" + entry(one), [null])),
                _each_us(names[:LISTED], lambda _: client.ask(b"L")),
                _each_us(names, lambda one: client.ask(_request(b"R\0", one))),
                _each_us(names, lambda one: client.ask(_request(b"D", one))),
            ]
        spent = (_processor_us(pid) - before) / (3 * HELD + LISTED)
    for what, each in zip(held, took, strict=True):
        held[what].setdefault(name, []).append(each)
    used["processor time of a request"].setdefault(name, []).append(spent)


def _request(what: bytes, name: bytes) -> bytes:
    return what + bytes([len(name)]) + name + b"\0"


def _serve(workshop: Workshop, name: str, programs: Path, served: Times) -> None:
    words = ["s6-ipcserver", "-1", "-c", "100", "--"]
    with _daemon(workshop, programs, words, str(workshop.top / "hello")) as (path, _):

        def connect(_: bytes) -> bytes:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                said = everything(client)
            if said != b"hello\n":
                raise BenchError(f"{name}: a client was told {said!r}")
            return b"\0"

        each = _each_us([b""] * CONNECTIONS, connect)
    served["a connection"].setdefault(name, []).append(each)


def _each_us(things: Sequence[bytes], ask: Callable[[bytes], bytes]) -> float:
    begin = time.perf_counter_ns()
    for thing in things:
        if not ask(thing).startswith(b"\0"):
            raise BenchError(f"a server refused {thing!r}")
    return (time.perf_counter_ns() - begin) / 1e3 / len(things)


@contextlib.contextmanager
def _daemon(
    workshop: Workshop, programs: Path, words: list[str], *program: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server on a socket, and wait until it says that it is ready."""
    path = str(workshop.top / "socket")
    popen = subprocess.Popen(
        [programs / words[0], *words[1:], path, *program],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert popen.stdout
        if popen.stdout.read(1) != b"\n":
            raise BenchError(f"{' '.join(words)} did not start")
        yield path, popen
    finally:
        popen.send_signal(signal.SIGTERM)
        popen.wait()


@contextlib.contextmanager
def _client(path: str) -> Iterator[Client]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(path)
        yield Client(connection)


def _processor_us(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e3
