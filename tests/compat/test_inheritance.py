"""What a service inherits, and what it must not (contract 3.5)."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import Supervisor, World
from world.tree import Content
from world.waiting import until
from world.witness import SLEEPER, sleeper


def running(supervisor: Supervisor) -> process.Process:
    """The daemon itself, after the shell that became it."""
    pid = supervisor.until("up").pid
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    return process.look(pid)


def test_its_own_session_and_directory(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    it = running(supervisor)
    assert (it.pgid, it.sid, it.tty) == (it.pid, it.pid, 0)
    assert it.ppid == supervisor.pid
    assert it.cwd == str(supervisor.directory)


def test_nothing_but_standard_descriptors(world: World, daemons: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(sleeper()))
    it = running(supervisor)
    assert sorted(it.descriptors) == [0, 1, 2]
    theirs = process.descriptors_of(supervisor.pid)
    assert [it.descriptors[fd] for fd in (0, 1, 2)] == [theirs[fd] for fd in (0, 1, 2)]


@pytest.mark.parametrize("fd", [3, 5, 12])
def test_the_notification_descriptor_and_no_other(world: World, daemons: Programs, fd: int) -> None:
    content: dict[str, Content] = {"run!": SLEEPER, "notification-fd": f"{fd}\n"}
    supervisor = world.supervise(daemons, world.service(content))
    it = running(supervisor)
    assert sorted(it.descriptors) == [0, 1, 2, fd]
    assert it.descriptors[fd].startswith("pipe:")


def test_signals_are_as_new(world: World, daemons: Programs) -> None:
    it = running(world.supervise(daemons, world.service(sleeper())))
    assert it.blocked == frozenset()
    assert it.ignored == frozenset()
    assert it.caught == frozenset()


def test_blocked_signals_are_not_inherited(world: World, daemons: Programs) -> None:
    blocker = [
        "python3",
        "-ISc",
        "import os, signal, sys; "
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); "
        "os.execv(sys.argv[1], sys.argv[1:])",
    ]
    supervisor = world.supervise(daemons, world.service(sleeper()), under=blocker)
    assert running(supervisor).blocked == frozenset()
    supervisor.signal(signal.SIGTERM)
    assert supervisor.exit_code() == 0


def test_what_the_parent_ignored_stays_ignored(world: World, daemons: Programs) -> None:
    ignoring = ["sh", "-c", 'trap "" USR1 PIPE; exec "$0" "$@"']
    supervisor = world.supervise(daemons, world.service(sleeper()), under=ignoring)
    ignored = running(supervisor).ignored
    assert signal.SIGUSR1 in ignored
    assert ignored <= {signal.SIGUSR1, signal.SIGPIPE}


def test_umask_environment_limits(world: World, daemons: Programs) -> None:
    limited = ["prlimit", "--nofile=77:99", "sh", "-c", 'umask 027; exec "$0" "$@"']
    env = {"WITNESS": "yes it's\nme", "EMPTY": ""}
    supervisor = world.supervise(daemons, world.service(sleeper()), under=limited, env=env)
    it = running(supervisor)
    assert it.umask == 0o027
    expected = {**daemons.environment(), **env}
    assert {name: it.env.get(name) for name in expected} == expected
    assert set(it.env) <= set(expected) | {"PWD", "OLDPWD", "SHLVL", "_"}
    limits = Path(f"/proc/{it.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == ["77", "99"]


@pytest.mark.parametrize("name", ["1000", "1001"])
def test_arguments(world: World, daemons: Programs, name: str) -> None:
    """A program that is not a script shows how it was called."""
    servicedir = world.service({}, name)
    shutil.copy("/bin/sleep", servicedir / "run")
    supervisor = world.supervise(daemons, servicedir)
    pid = supervisor.until("up").pid
    until(lambda: process.state_of(pid) == "S" and process.argv_of(pid)[0].endswith("run"))
    assert process.argv_of(pid) == (daemons.expects.run_argv0, name)


def test_a_service_of_a_scanner(world: World, daemons: Programs) -> None:
    """The same below a scanner: nothing of the scanner or its supervisors leaks."""
    scandir = world.plant({"web": sleeper(), "other": sleeper()}, "scan")
    under = ["sh", "-c", 'umask 077; exec "$0" "$@"']
    scanner = world.scan(daemons, scandir, under=under, env={"WITNESS": "yes"})
    pid = scanner.until_up("web", "other")["web"]
    until(lambda: process.sleeps(pid, "sleep"), "the daemon")
    it = process.look(pid)
    assert sorted(it.descriptors) == [0, 1, 2]
    assert (it.pgid, it.sid) == (pid, pid)
    assert (it.blocked, it.ignored, it.caught) == (frozenset(),) * 3
    assert it.umask == 0o077
    assert it.env["WITNESS"] == "yes"
    assert it.cwd == str(scandir / "web")


def test_supervisors_stay_in_the_session_of_the_scanner(world: World, daemons: Programs) -> None:
    scandir = world.plant({"web": sleeper()}, "scan")
    scanner = world.scan(daemons, scandir)
    supervisor = scanner.until_supervised("web")["web"]
    assert os.getsid(supervisor) == os.getsid(scanner.pid)
    assert os.getpgid(supervisor) == os.getpgid(scanner.pid)
    assert process.argv_of(supervisor)[0].endswith("s6-supervise")
