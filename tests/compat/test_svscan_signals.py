"""Signals to s6-svscan: built in, and diverted to scripts (matrix row 16, contract 2.5)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.tree import Content, plant
from world.waiting import holds_for, until, until_lines
from world.witness import sleeper

DIVERTED = ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGPWR", "SIGWINCH"]
RECORD = '#!/bin/sh\necho "$0 $# $PWD" >>diverted\n'


def tree(world: World, **more: str) -> Path:
    content: dict[str, Content] = {"web": sleeper(), **more}
    return world.plant(content, "scan")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_built_in_stop(world: World, daemons: Programs, number: signal.Signals) -> None:
    scanner = world.scan(daemons, tree(world))
    pid = scanner.until_up("web")["web"]
    scanner.signal(number)
    assert scanner.exit_code() == 0
    assert not process.alive(pid)


def test_built_in_abort(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, tree(world))
    supervisor = scanner.until_supervised("web")["web"]
    pid = scanner.until_up("web")["web"]
    scanner.signal(signal.SIGABRT)
    assert scanner.exit_code() == 0
    assert process.alive(pid)
    process.kill(supervisor, signal.SIGTERM)
    until(lambda: not process.alive(supervisor) and not process.alive(pid))


def test_built_in_rescan_and_prune(world: World, daemons: Programs) -> None:
    scandir = tree(world)
    plant(world.top / "real", sleeper())
    (scandir / "linked").symlink_to(world.top / "real")
    scanner = world.scan(daemons, scandir)
    scanner.until_supervised("linked", "web")
    plant(scandir / "later", sleeper())
    scanner.signal(signal.SIGALRM)
    scanner.until_supervised("later", "linked", "web")
    (scandir / "linked").unlink()
    scanner.signal(signal.SIGHUP)
    scanner.until_supervised("later", "web")


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGPWR, signal.SIGWINCH])
def test_the_others_mean_nothing(world: World, daemons: Programs, number: signal.Signals) -> None:
    scanner = world.scan(daemons, tree(world))
    before = scanner.until_up("web")
    scanner.signal(number)
    assert holds_for(lambda: scanner.running() and scanner.until_up("web") == before, 0.1)


def test_diverted_to_scripts(world: World, daemons: Programs) -> None:
    """Instead of what is built in; as a child, without arguments, in the scan directory."""
    scripts = {f".s6-svscan/{name}!": RECORD for name in DIVERTED}
    scanner = world.scan(daemons, tree(world, **scripts))
    before = scanner.until_up("web")
    for count, name in enumerate(DIVERTED, 1):
        scanner.signal(signal.Signals[name])
        lines = until_lines(scanner.directory / "diverted", count)
        assert lines[-1] == f".s6-svscan/{name} 0 {scanner.directory}"
    assert scanner.until_up("web") == before
    until(lambda: len(process.children_of(scanner.pid)) == 1, "the scripts are reaped")


def test_bytes_are_not_diverted(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, tree(world, **{".s6-svscan/SIGTERM!": RECORD}))
    scanner.until_up("web")
    scanner.control("t")
    assert scanner.exit_code() == 0
    assert not (scanner.directory / "diverted").exists()


@pytest.mark.parametrize(
    "script",
    [
        {".s6-svscan/SIGTERM": RECORD},
        {".s6-svscan/SIGTERM!": "#!/nonexistent/interpreter\n"},
        {".s6-svscan/SIGTERM/directory": ""},
    ],
    ids=["not executable", "no interpreter", "directory"],
)
def test_a_script_that_cannot_run_leaves_the_built_in(
    world: World, daemons: Programs, script: dict[str, str]
) -> None:
    scanner = world.scan(daemons, tree(world, **script))
    scanner.until_up("web")
    scanner.signal(signal.SIGTERM)
    assert scanner.exit_code() == 0


def test_a_diverted_script_has_clean_signals_and_descriptors(
    world: World, daemons: Programs
) -> None:
    script = "#!/bin/sh\nexec sleep 1000\n"
    scanner = world.scan(daemons, tree(world, **{".s6-svscan/SIGUSR1!": script}))
    supervisor = scanner.until_supervised("web")["web"]
    scanner.signal(signal.SIGUSR1)
    pid = until(
        lambda: next((one for one in process.children_of(scanner.pid) if one != supervisor), 0),
        "the script",
    )
    until(lambda: process.sleeps(pid, "sleep"))
    it = process.look(pid)
    assert it.blocked == frozenset()
    assert it.ignored <= {32, 33}, "libc's own in builds with posix_spawn"
    assert sorted(it.descriptors) == [0, 1, 2]
    world.end(pid)
