"""kill -9 at every system call of a supervisor and of a scanner, over a whole life of a service.

A life: start, up, death, `finish`, start, ordered down, up again, stop of all. Many services live
it at once, and the supervisor of each is killed at another call. Whatever the call: the service
never runs twice at once, its status can be read at any time, no line that it wrote is missing in
its log, and nothing is left after the stop.

An ordinary run takes a sample, every `S6X_KILL_EVERY`th call; 1 is all of them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from world import process
from world.logs import content as logged
from world.programs import Programs
from world.running import Daemon, Scanner, World, write_control
from world.status import Status, status
from world.tracing import Call, calls, last_lines, tracing, until_traced
from world.tree import Content
from world.waiting import lines_of, until

pytestmark = pytest.mark.ours_only

EVERY = int(os.environ.get("S6X_KILL_EVERY", "11"))
AT_ONCE = 16
"""So many lives are led at once; each of them mostly waits."""

RUN = """#!/bin/sh
exec 9>held
flock -n 9 || { echo double >>doubles; exit 99; }
echo $$ >>starts
echo "start $$"
exec sleep 1000
"""
"""A service that notices a second copy of itself, and says in its log that it was started."""

Start = Callable[["Life"], Daemon]
"""Start what looks after a service."""

SCANNER = "../.s6-svscan/control"

FINISH = '#!/bin/sh\necho "finish $4"\n'


@dataclass
class Life:
    """One service with a logger, and what is killed of it."""

    directory: Path
    trace: Path
    kill_at: Call | None
    tracer: subprocess.Popen[bytes] | None = None
    told: int = 0
    """The supervisor that has the last order, by its pid."""
    promised: int | None = None
    """How many of its starts are surely in the log; None: all."""
    daemon: Daemon | None = field(default=None, repr=False)
    """What looks after it now."""

    @property
    def name(self) -> str:
        return self.directory.name

    def status(self, whose: str = "") -> Status | None:
        """The status, which can be read at any time once it is there."""
        with contextlib.suppress(FileNotFoundError):
            return status(self.directory / whose)
        return None

    def starts(self) -> list[str]:
        return lines_of(self.directory / "starts")

    def lines(self) -> list[str]:
        logs = self.directory / "log/logs"
        return logged(logs).decode().splitlines() if logs.is_dir() else []

    def runs(self, starts: int) -> bool:
        """Whether it was started so often, the last start is the one that is up, and in the log."""
        pids, its = self.starts(), self.status()
        if self.promised == 0:
            return len(pids) >= starts
        return (
            len(pids) >= starts
            and its is not None
            and its.up
            and its.pid == int(pids[-1])
            and f"start {pids[-1]}" in self.lines()
        )

    def check(self) -> None:
        """What must be true in the end."""
        assert not (self.directory / "doubles").exists(), "it was started twice"
        lines = Counter(self.lines())
        missing = [pid for pid in self.starts()[: self.promised] if not lines[f"start {pid}"]]
        assert not missing, f"{missing} not in {lines}"
        assert max(lines.values(), default=1) == 1, f"{lines}: something happened twice"
        for pid in self.starts():
            assert not runs_in(int(pid), self.directory), f"{pid} still runs"
        its = self.status()
        assert its is None or its.down, its


def runs_in(pid: int, directory: Path) -> bool:
    """Whether this pid is a process of this service, and not a later one by chance."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return process.alive(pid) and Path(f"/proc/{pid}/cwd").readlink() == directory
    return False


def service(tools: Programs) -> dict[str, Content]:
    logger = f"#!/bin/sh\nexec {tools.path('s6-log')} ./logs\n"
    return {"run!": RUN, "finish!": FINISH, "log/run!": logger}


def sweep(live: Callable[[list[Call | None]], list[Life]]) -> int:
    """Live through a whole life, and through one for each of its calls; return how many calls."""
    first = live([None])
    first[0].check()
    moments: list[Call | None] = list(calls(first[0].trace))
    for at in range(0, len(moments), EVERY * AT_ONCE):
        for life in live(moments[at : at + EVERY * AT_ONCE : EVERY]):
            try:
                life.check()
            except AssertionError as error:
                ending = last_lines(life.trace)
                raise AssertionError(f"{error}, killed at {life.kill_at}:\n{ending}") from error
    return len(moments)


def all_of(lives: list[Life], fact: Callable[[Life], bool], what: str) -> None:
    """Wait until something is true of every life, reading every status meanwhile."""

    def missing() -> list[Life]:
        for life in lives:
            life.status(), life.status("log")
        return [life for life in lives if not fact(life)]

    until(
        lambda: not missing(),
        what,
        20,
        lambda: [
            (life, life.status(), life.starts(), life.lines(), last_lines(life.trace))
            for life in missing()[:3]
        ],
    )


def order(lives: list[Life], whose: str, letter: str, fact: Callable[[Life], bool]) -> None:
    """Tell supervisors something; the successor of one that was killed is told again."""
    for life in lives:
        life.told = 0

    def obeyed(life: Life) -> bool:
        if fact(life):
            return True
        assert isinstance(life.daemon, Scanner)
        supervisor = life.daemon.supervisors().get(life.name + whose, 0)
        if supervisor not in (0, life.told):
            with contextlib.suppress(OSError):  # it does not listen yet
                write_control(
                    life.directory / whose.lstrip("/") / "supervise/control", letter.encode()
                )
                life.told = supervisor
        return False

    all_of(lives, obeyed, f"{letter} obeyed")


def traced(lives: list[Life], pids: dict[str, int], whose: str) -> None:
    for life in lives:
        pid = pids[life.name + whose]
        words = [*tracing(life.trace, life.kill_at), "-p", str(pid)]
        life.tracer = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    for life in lives:
        assert life.tracer
        until_traced(pids[life.name + whose], life.tracer.pid)


@pytest.mark.parametrize("whose", ["", "/log"])
def test_supervisors(world: World, daemons: Programs, tools: Programs, whose: str) -> None:
    """From the first idle moment of a supervisor to its end; the scanner starts another."""
    number = itertools.count()

    def live(moments: list[Call | None]) -> list[Life]:
        names = [f"s{nth}" for nth in range(len(moments))]
        top = world.plant({name: service(tools) for name in names}, f"scan{next(number)}")
        scanner = world.scan(daemons, top)
        lives = [
            Life(top / name, top / f".trace-{name}", kill_at, daemon=scanner)
            for name, kill_at in zip(names, moments, strict=True)
        ]
        all_of(lives, lambda life: life.runs(1), "up")
        pids = scanner.until_supervised(*names, *(f"{name}/log" for name in names))
        traced(lives, pids, whose)
        for life in lives:
            process.kill(int(life.starts()[-1]), 15)
            logger = life.status("log")
            assert logger
            process.kill(logger.pid, 15)
        all_of(lives, lambda life: life.runs(2), "up again")
        order(
            lives,
            whose,
            "d",
            lambda life: (its := life.status(whose.lstrip("/"))) is not None and its.down,
        )
        order(lives, whose, "u", lambda life: life.runs(2 if whose else 3))
        scanner.control("t")
        assert scanner.exit_code(20) == 0, scanner.said()
        for life in lives:
            assert life.tracer
            life.tracer.wait()
        return lives

    assert sweep(live) > 60


def keep(life: Life, start: Start) -> bool:
    """Start another daemon where the last one was killed; whether that was not necessary."""
    if life.daemon and life.daemon.running():
        return True
    life.daemon = start(life)
    return False


def end(lives: list[Life], start: Start, control: str, letters: bytes) -> None:
    """Stop all; where the daemon is killed even now, another one is started, to be stopped."""

    def ended(life: Life) -> bool:
        assert life.daemon
        code = life.daemon.popen.poll()
        if code not in (None, 0):
            keep(life, start)
        elif life.told != life.daemon.pid:
            with contextlib.suppress(OSError):  # it does not listen yet
                write_control(life.directory / control, letters)
                life.told = life.daemon.pid
        return code == 0

    all_of(lives, ended, "stopped")


def test_supervisors_from_their_start(world: World, daemons: Programs) -> None:
    """Until the first idle moment; the next supervisor starts the service, or takes it over."""
    number = itertools.count()

    def start(life: Life, *under: str) -> Daemon:
        words = [*under, str(daemons.path("s6-supervise")), life.name]
        popen, errors = world.launch(words, daemons.environment(), world.top)
        return Daemon(popen, life.directory, errors)

    def live(moments: list[Call | None]) -> list[Life]:
        lives = []
        for kill_at in moments:
            directory = world.service({"run!": RUN}, f"s{next(number)}")
            life = Life(directory, directory / "trace", kill_at, promised=0)
            life.daemon = start(life, *tracing(life.trace, kill_at))
            lives.append(life)

        def started(life: Life) -> bool:
            # The child of a killed one may hold its lock for a moment: then the next one says so.
            its = life.status() if keep(life, start) else None
            return its is not None and its.up and life.starts()[-1:] == [str(its.pid)]

        all_of(lives, started, "up")
        assert {len(life.starts()) for life in lives} == {1}
        end(lives, start, "supervise/control", b"dx")
        return lives

    assert sweep(live) > 60


BETWEEN_FORKS = Call("clone", 2)
"""The service has its supervisor, and the logger has none: nobody reads the service's pipe."""


def test_scanners(world: World, daemons: Programs, tools: Programs) -> None:
    """From its start over a scan to its stop; another one looks after what it left.

    It cannot reach the pipes of the first one (docs/architecture.md): what it starts beside a
    logger that is the first one's is not logged.
    """
    number = itertools.count()

    def start(life: Life, *under: str) -> Daemon:
        top = life.directory.parent
        words = [*under, str(daemons.path("s6-svscan")), str(top)]
        popen, errors = world.launch(words, daemons.environment(), top)
        return Daemon(popen, top, errors)

    def live(moments: list[Call | None]) -> list[Life]:
        lives = []
        for kill_at in moments:
            top = world.plant({"web": service(tools)}, f"scan{next(number)}")
            life = Life(top / "web", top / ".trace", kill_at)
            life.promised = 0 if kill_at == BETWEEN_FORKS else None
            life.daemon = start(life, *tracing(life.trace, kill_at))
            lives.append(life)
        all_of(lives, lambda life: keep(life, start) and life.runs(1), "up")
        for life in lives:
            with contextlib.suppress(OSError):
                write_control(life.directory / SCANNER, b"a")
            process.kill(int(life.starts()[-1]), 15)
        all_of(lives, lambda life: keep(life, start) and life.runs(2), "up again")
        for life in lives:
            life.promised = 0 if life.promised == 0 else len(life.starts())
        end(lives, start, SCANNER, b"t")
        return lives

    assert sweep(live) > 60
