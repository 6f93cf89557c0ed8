"""One container of a random tree, run through its faults to its end; what came of it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from world import process
from world.containers import Container, Runc, Spec, Unshared
from world.images import Image
from world.logs import DATE, content
from world.programs import our_executable
from world.random_faults import Culprit, let_happen, random_faults
from world.random_trees import RandomTree
from world.verdicts import Outcome, budget_s
from world.waiting import until

CATCH_ALL_LOGS = "s6-uncaught-logs"

AS_CHILD = """\
sleep 100000 &
/init "$@"
echo $? >/outside/new
mv /outside/new /outside/ended
read x </outside/release
"""
"""A PID 1 that is not ours, with a bystander; it stays until everything was looked at."""

SLOW_PLANNER = """\
#!/bin/sh
[ $# = 3 ] && exit 0  # only asked whether there is a planner
sleep 0.1
cat /plan >&"$5"
"""


@dataclass
class Run:
    """A container while it runs, and what is outside of it."""

    tree: RandomTree
    container: Container
    outside: Path
    pid: int = 0
    bystander: int = 0
    done: list[str] = field(default_factory=list)

    def over(self) -> bool:
        """Whether init has ended."""
        return (self.outside / "ended").exists() or not self.container.running()

    def find_init(self) -> bool:
        """Look for init, which is there when it watches its signals, and for the bystander.

        Init may be over before anybody sees it.
        """
        pids = [self.container.pid]
        if self.tree.role == "child":
            pids = process.children_of(self.container.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                its = process.look(pid)
                if its.argv == ("sleep", "100000"):
                    self.bystander = pid
                elif (
                    its.argv[0].startswith(("/init", "s6-svscan")) and signal.SIGTERM in its.blocked
                ):
                    self.pid = pid
        there = bool(self.pid) or self.over()
        return there and bool(self.bystander or self.tree.role == "pid1")

    def said(self) -> str:
        return (
            f"out: {self.container.out}\nerr: {self.container.err}\n"
            f"processes: {self.container.ps()}\ndone: {self.done}"
        )


@contextlib.contextmanager
def _container(tree: RandomTree, image: Image, outside: Path) -> Iterator[Run]:
    binds = {"/outside": outside, "/logs": outside / "logs", "/var/log": outside / "log"}
    for place, path in binds.items():
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
        (image.root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    os.mkfifo(outside / "release")
    tmpfs = {tree.small: "size=256k,mode=755"} if tree.small else {}
    if tree.read_only and tree.small != "/run":
        tmpfs["/run"] = "mode=755"
    spec = Spec(
        image.root,
        ["/init" if tree.role == "pid1" else "/bin/sh", *_words(tree)],
        env=tree.env if tree.planned else {**tree.env, "S6X_PYTHON": "/planner"},
        read_only=tree.read_only,
        tmpfs=tmpfs,
        binds={at: str(path) for at, path in binds.items() if at not in tmpfs},
        capabilities="all",
    )
    backend = Runc if tree.runtime == "runc" else Unshared
    with backend(spec) as container:
        yield Run(tree, container, outside)


def _words(tree: RandomTree) -> list[str]:
    if tree.role == "pid1":
        return list(tree.command)
    return ["-c", AS_CHILD, "sh", *tree.command]


def run(tree: RandomTree, image: Callable[..., Image], outside: Path) -> Outcome:
    """Boot, let the faults happen, stop; return how it ended. Raises where it does not."""
    its = image(tree.generation, tree.files)
    if not tree.planned:
        (its.root / "etc/s6x/plan").rename(its.root / "plan")
        its.plant({"planner!": SLOW_PLANNER})
    with _container(tree, its, outside) as running:
        until(running.find_init, "init", explain=running.said)
        culprit = Culprit(
            running.container, running.pid, random.Random(f"victims {tree.seed}"), running.done
        )
        let_happen(culprit, random_faults(tree), running.over)
        began = time.monotonic()
        if not running.over():
            running.done.append("the last signal TERM")
            process.kill(running.pid, signal.SIGTERM)
        limit_s = budget_s(tree)
        until(running.over, f"the end of init, which has {limit_s} s", limit_s, running.said)
        return _outcome(running, time.monotonic() - began)


def _outcome(running: Run, took_s: float) -> Outcome:
    tree, container = running.tree, running.container
    left: list[str] = []
    bystander = True
    if tree.role == "child":
        own = {running.bystander}
        # Opened when the shell opens it, too: by then its mv is gone.
        with (running.outside / "release").open("w") as release:
            below = [pid for pid in process.descendants_of(container.pid) if pid not in own]
            left = [process.describe(pid) for pid in below if process.alive(pid)]
            bystander = process.state_of(running.bystander) == "S"
            code = int((running.outside / "ended").read_text())
            logs = _logs(running)
            release.write("\n")
        ended = container.wait()
    else:
        ended = container.wait()
        code = ended.code
        logs = _logs(running) if tree.small != "/logs" else {}
    caught = _caught(running.outside / "log" / CATCH_ALL_LOGS)
    return Outcome(code, ended.out, ended.err, caught, logs, left, bystander, took_s, running.done)


def _logs(running: Run) -> dict[str, bytes]:
    """What is in the directories of the services' loggers, once the next one has looked at it."""
    top = running.outside / "logs"
    if running.tree.small == "/logs":
        top = Path(f"/proc/{running.container.pid}/root/logs")
        (top / "fill").unlink(missing_ok=True)
    return {path.name: _recovered(path) for path in top.iterdir() if path.is_dir()}


def _recovered(logdir: Path) -> bytes:
    """The lines of a log, after another logger has repaired what a killed one left."""
    executable = our_executable()
    assert executable
    subprocess.run(
        [executable, "s6-log", "n9999", logdir], stdin=subprocess.DEVNULL, check=True, timeout=30
    )
    return content(logdir)


def _caught(logdir: Path) -> str | None:
    """What the catch-all logger logged; None: there was none."""
    if not logdir.is_dir():
        return None
    lines = _recovered(logdir).splitlines(keepends=True)
    return re.sub(r"\r", "", b"".join(DATE.sub(b"", line, count=1) for line in lines).decode())
