"""s6-svlink and s6-svunlink (matrix row 17)."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import World
from world.status import status
from world.tree import Link
from world.waiting import until
from world.witness import logger, sleeper


def is_gone(tools: Programs, servicedir: Path) -> bool:
    """Whether nobody supervises it. The original returns a moment before the lock is free."""
    if not tools.expects.svlink_is_careful:
        until(lambda: tools.run("s6-svok", servicedir).code == 1, "a free lock", timeout_s=1)
    return tools.run("s6-svok", servicedir).code == 1


@pytest.mark.parametrize("name", [None, "other"])
def test_link_and_unlink(
    world: World, daemons: Programs, tools: Programs, name: str | None
) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    words = [name] if name else []
    said = tools.run("s6-svlink", "-t", "5000", scanner.directory, servicedir, *words)
    assert (said.code, said.out, said.err) == (0, "", "")
    link = scanner.directory / (name or "web")
    assert link.readlink() == servicedir
    assert tools.run("s6-svok", servicedir).code == 0, "it waits for the supervisor"
    scanner.until_up(link.name)
    said = tools.run("s6-svunlink", "-t", "5000", scanner.directory, link.name)
    assert (said.code, said.err) == (0, "")
    assert not link.is_symlink()
    assert is_gone(tools, servicedir), "it waits for the end of the supervisor"
    assert status(servicedir).down


def test_with_a_logger(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service({**sleeper(), "log": logger()})
    assert tools.run("s6-svlink", "-t", "5000", scanner.directory, servicedir).code == 0
    for place in (servicedir, servicedir / "log"):
        assert tools.run("s6-svok", place).code == 0
    assert tools.run("s6-svunlink", "-t", "5000", scanner.directory, "web").code == 0
    for place in (servicedir, servicedir / "log"):
        assert is_gone(tools, place)


@pytest.mark.parametrize("option", ["-d", "-D"])
def test_start_down(world: World, daemons: Programs, tools: Programs, option: str) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    assert tools.run("s6-svlink", option, "-t5000", scanner.directory, servicedir).code == 0
    now = status(servicedir)
    assert now.down
    assert not now.wanted_up
    assert (servicedir / "down").exists() == (option == "-D")


@pytest.mark.parametrize(("options", "mode"), [([], 0o3730), (["-P"], 0o1733)])
def test_event_directory(
    world: World, daemons: Programs, tools: Programs, options: list[str], mode: int
) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    assert tools.run("s6-svlink", *options, "-t5000", scanner.directory, servicedir).code == 0
    assert stat.S_IMODE((servicedir / "event").stat().st_mode) == mode


def test_force_event_mode(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service({**sleeper(), "event": {}})
    (servicedir / "event").chmod(0o700)
    words = ("-f", "-P", "-t5000", scanner.directory, servicedir)
    assert tools.run("s6-svlink", *words).code == 0
    assert stat.S_IMODE((servicedir / "event").stat().st_mode) == 0o1733


def test_already_supervised(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    assert tools.run("s6-svlink", "-t5000", scanner.directory, servicedir).code == 0
    said = tools.run("s6-svlink", "-t5000", scanner.directory, servicedir)
    assert said.code == 0
    assert "s6-svlink: warning: " in said.err


def test_no_scanner(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    scanner.control("t")
    scanner.exit_code()
    said = tools.run("s6-svlink", scanner.directory, world.service(sleeper()))
    assert said.code == 1
    assert str(scanner.directory) in said.err
    assert not (scanner.directory / "web").is_symlink()


@pytest.mark.parametrize("problem", ["missing", "not executable", "no directory"])
def test_refused(world: World, daemons: Programs, tools: Programs, problem: str) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    if problem == "missing":
        (servicedir / "run").unlink()
    elif problem == "not executable":
        (servicedir / "run").chmod(0o644)
    else:
        shutil.rmtree(servicedir)
    code = 111 if problem in ("missing", "no directory") else 100
    said = tools.run("s6-svlink", "-t5000", scanner.directory, servicedir)
    assert said.code == code
    assert said.err
    assert not (scanner.directory / "web").is_symlink()


def test_a_relative_path_is_made_absolute(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    said = tools.run("s6-svlink", "-t5000", "scan", "web", cwd=world.top)
    assert (said.code, said.err) == (0, "")
    assert (scanner.directory / "web").readlink() == servicedir


def test_an_absolute_path_is_kept(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    world.service(sleeper(), "releases/1/web")
    current = world.plant({"current": Link("releases/1")}) / "current"
    said = tools.run("s6-svlink", "-t5000", scanner.directory, current / "web")
    assert (said.code, said.err) == (0, "")
    assert (scanner.directory / "web").readlink() == current / "web"


def test_time_is_up(world: World, daemons: Programs, tools: Programs) -> None:
    """A scanner that is full cannot supervise it; nothing is left behind."""
    scandir = world.plant({name: sleeper() for name in "abcd"}, "scan")
    scanner = world.scan(daemons, scandir, daemons.expects.limit_of_services, "4")
    scanner.until_supervised("a", "b", "c", "d")
    said = tools.run("s6-svlink", "-t", "600", scandir, world.service(sleeper()))
    assert said.code == 99
    assert not (scandir / "web").is_symlink()


def test_unlink_unknown(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_supervised("web")
    assert tools.run("s6-svunlink", scanner.directory, "unknown").code == 0
    assert list(scanner.supervisors()) == ["web"]


def test_unlink_without_waiting(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service(sleeper())
    assert tools.run("s6-svlink", "-t5000", scanner.directory, servicedir).code == 0
    assert tools.run("s6-svunlink", "-X", scanner.directory, "web").code == 0
    until(lambda: tools.run("s6-svok", servicedir).code == 1, "the end of the supervisor")
