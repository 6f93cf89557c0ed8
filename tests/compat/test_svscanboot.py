"""s6-svscanboot (contract 1.1): ours, before both scanners; s6 2.11 does not have it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from world import process
from world.programs import Programs, our_program
from world.running import Scanner, World
from world.status import status
from world.tree import Content, Link
from world.waiting import until
from world.witness import sleeper

pytestmark = pytest.mark.skipif(
    not (shutil.which("s6-log") and shutil.which("execlineb")),
    reason="the logger that it lays out is run by s6-log and execlineb",
)

NAME = "s6-svscanboot"
LOGGER = "s6-svscan-log"


def boot(
    world: World,
    daemons: Programs,
    *options: str,
    tree: Mapping[str, Content] | None = None,
    env: Mapping[str, str] | None = None,
) -> Scanner:
    """Start s6-svscanboot as if it were the scanner that it becomes."""
    script = f'#!/bin/sh\nexec {our_program(NAME)} "$@"\n'
    program = Programs(daemons.name, world.plant({"s6-svscan!": script}, "bin"), daemons.expects)
    if "-D" not in options and "-u" not in options:
        options = ("-D", str(world.top / "logs"), *options)
    scandir = world.plant(tree or {}, "scan")
    return world.scan(program, scandir, *options, env={**daemons.environment(), **(env or {})})


def logger_of(scanner: Scanner) -> int:
    """The pid of the catch-all logger, once it logs."""
    scanner.until_up(LOGGER)
    until(lambda: status(scanner.directory / LOGGER).ready, "a ready logger", explain=scanner.said)
    return status(scanner.directory / LOGGER).pid


def test_the_tree_logs_its_own_output(world: World, daemons: Programs) -> None:
    scanner = boot(world, daemons, tree={"broken": {"run": "no program"}, "web": sleeper()})
    assert logger_of(scanner)
    current = world.top / "logs/current"
    # Written before the logger was there; the next try is ten seconds away.
    until(lambda: "broken: warning: unable to" in current.read_text(), timeout_s=5)
    assert current.read_text().startswith("@4"), "with a time, because of `t`"
    assert scanner.said() == ""
    assert stat.S_IMODE((world.top / "logs").stat().st_mode) == 0o2750
    fifo = str(scanner.directory / LOGGER / "fifo")
    descriptors = process.descriptors_of(scanner.pid)
    assert [descriptors[number] for number in (0, 1, 2)] == ["/dev/null", fifo, fifo]


def test_what_is_laid_out(world: World, daemons: Programs) -> None:
    scanner = boot(world, daemons, "-o", "n3 s1000 T", tree={LOGGER: {"old": ""}})
    service = scanner.directory / LOGGER
    execlineb = shutil.which("execlineb", path=daemons.environment()["PATH"])
    assert (service / "run").read_text() == (
        f"#!{execlineb} -s1\n"
        "fdmove -c 1 2\n"
        "redirfd -rnb 0 fifo\n"
        "exec -c\n"
        f's6-log -bpd3 -- n3 s1000 T "{world.top}/logs"\n'
    )
    assert stat.S_IMODE((service / "run").stat().st_mode) == 0o755
    assert (service / "notification-fd").read_text() == "3\n"
    assert stat.S_ISFIFO((service / "fifo").stat().st_mode)
    assert stat.S_IMODE((service / "fifo").stat().st_mode) == 0o600
    assert not (service / "old").exists()
    logger_of(scanner)


@pytest.mark.parametrize("console", [True, False])
def test_whom_the_logger_tells_its_own_troubles(
    world: World, daemons: Programs, console: bool
) -> None:
    path = world.top / "console"
    path.touch()
    scanner = boot(world, daemons, *(["-c", str(path)] if console else []))
    descriptors = process.descriptors_of(logger_of(scanner))
    assert descriptors[2] == str(path if console else scanner.errors)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_user_and_mode(world: World, daemons: Programs) -> None:
    scanner = boot(world, daemons, "-l", "nobody", "-m", "0700")
    assert os.stat(f"/proc/{logger_of(scanner)}").st_uid == 65534  # noqa: PTH116
    logs = (world.top / "logs").stat()
    assert (stat.S_IMODE(logs.st_mode), logs.st_uid) == (0o700, 65534)


def test_below_the_runtime_directory(world: World, daemons: Programs) -> None:
    scanner = boot(world, daemons, "-u", env={"XDG_RUNTIME_DIR": str(world.top)})
    logger_of(scanner)
    assert (world.top / "uncaught-logs/current").exists()


def test_options_for_the_scanner(world: World) -> None:
    """They are passed on; here to a program that shows them."""
    echo = world.plant({"s6-svscan!": '#!/bin/sh\necho "$@" >&3\n'}, "bin")
    words = ["-D", "logs", "-C", "20", "-L", "40", "-t", "5000", "scan"]
    said = run(world, *words, path=f"{echo}:/usr/bin:/bin")
    assert (said.returncode, said.stderr) == (0, "-X 3 -C 20 -L 40 -t 5000 -- scan\n")


def run(
    world: World, *words: str, path: str = "/usr/bin:/bin", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*our_program(NAME).split(), *words],
        env={"PATH": path, **env},
        cwd=world.top,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_running_scanner_is_left_alone(world: World, daemons: Programs) -> None:
    scanner = boot(world, daemons)
    pid = logger_of(scanner)
    said = run(world, "-D", str(world.top / "other"), str(scanner.directory))
    assert said.returncode == 100
    assert said.stderr == (
        f"{NAME}: fatal: s6-svscan is running on {scanner.directory}; stop it first\n"
    )
    assert logger_of(scanner) == pid
    assert (scanner.directory / LOGGER / "fifo").exists()
    assert not (world.top / "other").exists()


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ([], 100, "no scandir given"),
        (["-m", "2758", "scan"], 100, 'option -m: "2758" is no mode like 2750'),
        (["-t", "soon", "scan"], 100, 'option -t: "soon" is not a number'),
        (["-d", "1", "scan"], 100, "option -d: the descriptor must be 3 or higher"),
        (["-d", "9", "scan"], 111, "option -d: descriptor 9 is not open"),
        (["-u", "scan"], 100, "option -u: the variable XDG_RUNTIME_DIR is not set"),
        (["-l", "nobody-at-all", "scan"], 111, 'no user "nobody-at-all" in /etc/passwd'),
        (["-D", "/dev/null/x", "scan"], 111, "create /dev/null/x: Not a directory"),
    ],
)
def test_refused(world: World, words: list[str], code: int, part: str) -> None:
    said = run(world, *words)
    assert (said.returncode, said.stdout) == (code, "")
    assert f"{NAME}: fatal: " in said.stderr
    assert part in said.stderr
    assert [path.name for path in world.top.iterdir()] == []


def test_without_execlineb(world: World) -> None:
    said = run(world, "-D", "logs", "scan", path="/no/such")
    assert said.returncode == 111
    assert said.stderr == (
        f"{NAME}: fatal: there is no execlineb on $PATH, and the logger's run script needs it\n"
    )


def test_without_scanner(world: World) -> None:
    """The message comes where somebody reads it, not into the FIFO."""
    found = shutil.which("execlineb")
    assert found, "execline is needed"
    path: Path = world.plant({"execlineb": Link(found)}, "bin")
    said = run(world, "-D", "logs", "scan", path=str(path))
    assert said.returncode == 127
    expected = f"{NAME}: fatal: unable to exec s6-svscan: No such file or directory\n"
    assert said.stderr == expected
