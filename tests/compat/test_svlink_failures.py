"""s6-svlink and s6-svunlink: what they refuse, and what they leave behind when they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.tree import Content, Link
from world.waiting import lines_of, until
from world.witness import STUBBORN, logger, sleeper


@pytest.mark.parametrize("name", [".hidden", "/absolute"])
def test_names_that_no_scanner_looks_at(
    world: World, daemons: Programs, tools: Programs, name: str
) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    said = tools.run("s6-svlink", "-t5000", scanner.directory, world.service(sleeper()), name)
    assert (said.code, said.out) == (100, "")
    assert said.err.startswith("s6-svlink: fatal: invalid name")
    said = tools.run("s6-svunlink", "-t5000", scanner.directory, name)
    assert said.code == 100
    assert said.err.startswith("s6-svunlink: fatal: invalid ")
    assert sorted(path.name for path in scanner.directory.iterdir()) == [".s6-svscan"]


def test_a_name_with_a_slash(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    said = tools.run("s6-svlink", "-t5000", scanner.directory, world.service(sleeper()), "a/b")
    assert said.code == (100 if tools.expects.svlink_is_careful else 111)
    assert "a/b" in said.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "usage: s6-svlink "),
        (["scan"], "usage: s6-svlink "),
        (["-t", "soon", "scan", "web"], "usage: s6-svlink "),
        (["-z", "scan", "web"], "usage: s6-svlink "),
        (["", "web"], "scandir"),
        (["scan", ""], "servicedir"),
    ],
)
def test_wrong_words(tools: Programs, world: World, words: list[str], part: str) -> None:
    said = tools.run("s6-svlink", *words, cwd=world.top)
    assert (said.code, said.out) == (100, "")
    assert said.err.startswith("s6-svlink: ")
    assert part in said.err


def test_never_scanned(world: World, tools: Programs) -> None:
    said = tools.run("s6-svlink", world.plant({}, "scan"), world.service(sleeper()))
    assert said.code == 111
    assert said.err.endswith(f"{world.top}/scan/.s6-svscan/lock: No such file or directory\n")


def test_a_logger_that_cannot_run(world: World, daemons: Programs, tools: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    logs: list[tuple[Content, int, str]] = [
        ("", 100, "web/log is not a directory"),
        ({}, 111, "web/log/run: No such file"),
        ({"run": ""}, 100, "web/log/run is not executable"),
    ]
    for number, (log, code, part) in enumerate(logs):
        servicedir = world.service({**sleeper(), "log": log}, f"{number}/web")
        said = tools.run("s6-svlink", "-d", "-t5000", scanner.directory, servicedir)
        assert said.code == code
        assert part in said.err
        assert not (servicedir / "down").exists()
        assert not (scanner.directory / "web").is_symlink()


def test_the_name_is_taken(world: World, daemons: Programs, tools: Programs) -> None:
    """Nothing that was there is lost, and nothing new is left."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    scanner.until_up("web")
    servicedir = world.service(sleeper())
    said = tools.run("s6-svlink", "-d", "-t5000", scanner.directory, servicedir)
    assert said.code == 111
    assert "File exists" in said.err
    assert (scanner.directory / "web/run").exists()
    assert (servicedir / "down").exists() != tools.expects.svlink_is_careful


def test_an_existing_link_must_lead_to_the_service(
    world: World, daemons: Programs, tools: Programs
) -> None:
    other = world.service(sleeper(), "other")
    scanner = world.scan(daemons, world.plant({"web": Link(other)}, "scan"))
    scanner.until_up("web")
    supervisor = world.supervise(daemons, world.service(sleeper()))
    said = tools.run("s6-svlink", "-t5000", scanner.directory, supervisor.directory)
    assert said.code == (111 if tools.expects.svlink_is_careful else 0)
    assert "warning: " in said.err
    assert ("File exists" in said.err) == tools.expects.svlink_is_careful
    assert (scanner.directory / "web").readlink() == other


def test_start_down_with_a_logger(world: World, daemons: Programs, tools: Programs) -> None:
    """The manual: no down file is left. The original forgets that of the logger."""
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service({**sleeper(), "log": logger()})
    assert tools.run("s6-svlink", "-d", "-t5000", scanner.directory, servicedir).code == 0
    assert not (servicedir / "down").exists()
    assert (servicedir / "log/down").exists() != tools.expects.svlink_is_careful


def test_only_one_of_the_two_is_supervised(
    world: World, daemons: Programs, tools: Programs
) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    servicedir = world.service({**sleeper(), "log": logger()})
    world.supervise(daemons, servicedir)
    said = tools.run("s6-svlink", "-t5000", scanner.directory, servicedir)
    assert said.code == 111
    assert f"unable to link {'' if tools.name == 'ours' else 'servicedir '}{servicedir}" in said.err
    assert not (scanner.directory / "web").is_symlink()


def test_unlink_a_directory(world: World, daemons: Programs, tools: Programs) -> None:
    """It is no link: nobody will leave, and the original waits for that in vain."""
    scanner = world.scan(daemons, world.plant({"web": sleeper()}, "scan"))
    pid = scanner.until_up("web")["web"]
    said = tools.run("s6-svunlink", "-t", "200", scanner.directory, "web")
    if tools.expects.svlink_is_careful:
        assert said.code == 100
        assert f"unable to unlink {scanner.directory}/web: " in said.err
        assert "move it elsewhere" in said.err
    else:
        assert (said.code, said.err) == (0, "")
    assert scanner.until_up("web")["web"] == pid


def test_unlink_time_is_up(world: World, daemons: Programs, tools: Programs) -> None:
    servicedir = world.service({"run!": STUBBORN})
    scanner = world.scan(daemons, world.plant({"web": Link(servicedir)}, "scan"))
    scanner.until_up("web")
    until(lambda: (servicedir / "stubborn").exists(), "a service without ears")
    said = tools.run("s6-svunlink", "-t", "200", scanner.directory, "web")
    assert said.code == 0
    assert ("s6-svunlink: warning: timed out" in said.err) == tools.expects.svlink_is_careful
    assert not (scanner.directory / "web").is_symlink()
    assert tools.run("s6-svc", "-k", servicedir).code == 0
    until(lambda: tools.run("s6-svok", servicedir).code == 1, "the end of the supervisor")


def test_unlink_without_scanner(world: World, tools: Programs, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    scandir = world.plant({"web": Link(supervisor.directory)}, "scan")
    said = tools.run("s6-svunlink", "-t", "200", scandir, "web")
    assert said.code == 0
    assert ("s6-svscan is not running on" in said.err) == tools.expects.svlink_is_careful
    assert supervisor.running()
    assert not (scandir / "web").is_symlink()


def test_unlink_in_a_directory_that_is_not_there(world: World, tools: Programs) -> None:
    absent = Path(world.top / "absent")
    said = tools.run("s6-svunlink", "-t", "200", absent, "web")
    if tools.expects.svlink_is_careful:
        assert said.code == 111
        assert f"{absent}: No such file or directory" in said.err
    else:
        assert (said.code, said.err) == (0, "")


def test_a_service_that_comes_back_at_once(world: World, daemons: Programs) -> None:
    """Its logger may still be reading from the pipe of before; both get a new one."""
    ticking = "#!/bin/sh\nwhile echo tick $$; do sleep 0.02; done\n"
    servicedir = world.service({"run!": ticking, "log": logger()})
    link = {"web": Link(servicedir)}
    scanner = world.scan(daemons, world.plant(link, "scan"))
    for _ in range(3):
        pid = scanner.until_up("web", "web/log")["web"]
        tick = f"tick {pid}"
        until(lambda tick=tick: tick in lines_of(servicedir / "log/lines"))  # type: ignore[misc]
        (scanner.directory / "web").unlink()
        scanner.control("an")
        until(lambda pid=pid: not process.alive(pid), "the end")  # type: ignore[misc]
        world.plant(link, "scan")
        scanner.control("a")
    pid = scanner.until_up("web", "web/log")["web"]
    until(lambda: f"tick {pid}" in lines_of(servicedir / "log/lines"), explain=scanner.said)
