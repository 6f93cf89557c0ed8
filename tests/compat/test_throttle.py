"""Rest between starts, and retries (matrix row 9, contract 4.3)."""

from __future__ import annotations

from pathlib import Path

from world.programs import Programs
from world.running import World
from world.tree import Content
from world.waiting import until, until_line, until_lines
from world.witness import counted

TOLERANCE_S = 0.8
"""What a busy machine may add."""


def starts(servicedir: Path) -> list[float]:
    lines = until_lines(servicedir / "starts", 2)
    return [float(line) for line in lines]


def ready_for(seconds: str) -> dict[str, Content]:
    """A service that is ready at once and dies after a while."""
    return {
        "run!": counted(f"echo >&3\nexec 3>&-\nsleep {seconds}\nexit 1"),
        "notification-fd": "3\n",
    }


def test_when_the_next_start_comes(world: World, daemons: Programs) -> None:
    """Four services at once: each lives in another way, and is started again by the rule.

    The original counts a second from the death, unless the service had been ready; we count it
    from the start, so whatever lived longer than that comes back at once.
    """
    from_start = daemons.expects.pause_counts_from == "start"
    lives: dict[str, tuple[dict[str, Content], float]] = {
        "dies-at-once": ({"run!": counted("exit 1")}, 1.0),
        "lives-half": ({"run!": counted("sleep 0.5")}, 1.0 if from_start else 1.5),
        "lives-longer": ({"run!": counted("sleep 1.4")}, 1.4 if from_start else 2.4),
        "ready-half": (ready_for("0.5"), 1.0),
        "ready-longer": (ready_for("1.4"), 1.4),
    }
    for name, (content, _) in lives.items():
        world.supervise(daemons, world.service(content, name))
    for name, (_, gap) in lives.items():
        first, second = starts(world.top / name)[:2]
        assert gap - 0.02 <= second - first < gap + TOLERANCE_S, name


def test_u_does_not_wait(world: World, daemons: Programs) -> None:
    content = {"run!": counted("exit 1")}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("sudD")
    supervisor.control("u")
    first, second = starts(supervisor.directory)[:2]
    assert second - first < 0.8


def test_the_first_start_of_a_supervisor_is_at_once(world: World, daemons: Programs) -> None:
    content = {"run!": counted("exit 1")}
    servicedir = world.service(content)
    for _ in range(2):
        supervisor = world.supervise(daemons, servicedir)
        supervisor.events.expect("sudD")
        supervisor.stop()
    first, second = starts(servicedir)[:2]
    assert second - first < 0.7


def test_failed_exec_is_tried_again_later(world: World, daemons: Programs) -> None:
    """Three things that cannot be run; all are tried again after the same time, and say so."""
    broken: dict[str, dict[str, Content]] = {
        "missing": {},
        "not-executable": {"run": "#!/bin/sh\n"},
        "bad-interpreter": {"run!": "#!/nonexistent\n"},
    }
    wanted = daemons.expects.retry_after_failed_exec_s
    all_of_them = [
        world.supervise(daemons, world.service(content, name)) for name, content in broken.items()
    ]
    for supervisor in all_of_them:
        until(lambda one=supervisor: "run" in one.said(), "the complaint")  # type: ignore[misc]
        assert supervisor.status().down
    for supervisor in all_of_them:
        # Another file, so that no earlier attempt can have used it.
        working = supervisor.directory / "working"
        working.write_text(counted("exec sleep 1000"))
        working.chmod(0o755)
        working.rename(supervisor.directory / "run")
    for supervisor in all_of_them:
        supervisor.events.expect("su", timeout_s=wanted + 3)
        stamps = supervisor.status()
        assert wanted - 0.5 < stamps.stamp - stamps.readystamp < wanted + 2


def test_u_after_a_failed_exec_does_not_wait(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service({"note": ""}))
    until(lambda: "run" in supervisor.said(), "the complaint")
    run = supervisor.directory / "new"
    run.write_text(counted("exec sleep 1000"))
    run.chmod(0o755)
    run.rename(supervisor.directory / "run")
    supervisor.control("u")
    supervisor.events.expect("su", timeout_s=3)
    until_line(supervisor.directory / "starts", until_lines(supervisor.directory / "starts", 1)[0])
