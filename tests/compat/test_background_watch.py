"""s6-background-watch (contract 1.2): ours, under both supervisors; s6 2.11 does not have it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from world import process
from world.programs import Programs, our_program
from world.running import Supervisor, World
from world.tree import FIFO, Content
from world.waiting import until, until_line, until_lines
from world.witness import FINISH_RECORDER, recorder

NAME = "s6-background-watch"
PARENT = "#!/bin/sh\n./daemon & echo $! >pid\n"
SLEEPER = "#!/bin/sh\nexec sleep 1000\n"


def watched(world: World, daemons: Programs, options: str = "", **more: Content) -> Supervisor:
    """A service whose `daemon` goes into the background; keywords are further files."""
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\nexec {our_program(NAME)} {options} pid ./parent\n",
        "parent!": PARENT,
        "daemon!": SLEEPER,
        "finish!": FINISH_RECORDER,
        "notification-fd": "3\n",
        "hold": FIFO,
        "down": "",
    }
    content |= {name + "!" * (name != "hold"): what for name, what in more.items()}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    return supervisor


def daemon_of(supervisor: Supervisor) -> int:
    return int(until_lines(supervisor.directory / "pid", 1)[0])


def ending(supervisor: Supervisor) -> str:
    """The exit code of the program, as `finish` got it."""
    words = until_lines(supervisor.directory / "finishes", 1)[0].split()
    assert words[1] == "0", "not killed by a signal"
    return words[0]


def test_stands_in_for_the_daemon(world: World, daemons: Programs) -> None:
    supervisor = watched(world, daemons, "-d 3", daemon=str(recorder()["run!"]))
    supervisor.events.wait_for("U")
    daemon = daemon_of(supervisor)
    until_line(supervisor.directory / "signals", f"ready {daemon}")
    assert "pipe:" not in process.descriptors_of(daemon).get(3, "")
    for letter, name in {"1": "USR1", "2": "USR2", "h": "HUP", "a": "ALRM", "y": "WINCH"}.items():
        supervisor.control(letter)
        until_line(supervisor.directory / "signals", name)
    supervisor.control("t")
    until_line(supervisor.directory / "signals", "TERM")
    assert ending(supervisor) == "0"
    assert not process.alive(daemon)


@pytest.mark.parametrize(
    ("end", "code"), [("exit 7", "7"), ("exit 200", "128"), ("kill -ABRT $$", "134")]
)
def test_ends_as_the_daemon_does(world: World, daemons: Programs, end: str, code: str) -> None:
    script = f"#!/bin/sh\nread -r line <hold\n{end}\n"
    supervisor = watched(world, daemons, "-d 3", daemon=script)
    supervisor.events.wait_for("U")
    (supervisor.directory / "hold").write_text("go\n")
    assert ending(supervisor) == code


def test_a_daemon_that_is_killed(world: World, daemons: Programs) -> None:
    supervisor = watched(world, daemons, "-d 3")
    supervisor.events.wait_for("U")
    os.kill(daemon_of(supervisor), signal.SIGKILL)
    assert ending(supervisor) == "137"


def test_a_daemon_that_ends_before_its_parent(world: World, daemons: Programs) -> None:
    parent = "#!/bin/sh\n./daemon & echo $! >pid\nexec cat hold\n"
    # Not before the shell is gone: it would reap the daemon.
    daemon = "#!/bin/sh\nuntil grep -q cat /proc/$PPID/comm; do :; done\nexit 7\n"
    supervisor = watched(world, daemons, parent=parent, daemon=daemon)
    until(lambda: process.state_of(daemon_of(supervisor)) == "Z", "a dead daemon")
    (supervisor.directory / "hold").write_text("go\n")
    assert ending(supervisor) == "7"


def test_a_daemon_below_another_process(world: World, daemons: Programs) -> None:
    """Its own parent reaps it; what the kernel then still knows depends on its version."""
    monitor = "#!/bin/sh\nsleep 1000 & echo $! >pid.new; mv pid.new pid\nwait\nsleep 1000\n"
    parent = "#!/bin/sh\n./daemon & until test -e pid; do :; done\n"
    supervisor = watched(world, daemons, "-d 3", parent=parent, daemon=monitor)
    supervisor.events.wait_for("U")
    daemon = daemon_of(supervisor)
    own_parent = process.look(daemon).ppid
    os.kill(daemon, signal.SIGKILL)
    assert ending(supervisor) in ("137", "111")
    assert process.alive(own_parent)
    world.end(own_parent, *process.descendants_of(own_parent))


def test_orphans_are_reaped(world: World, daemons: Programs) -> None:
    daemon = "#!/bin/sh\n(sh -c : & sh -c : & sh -c : &)\n: >spawned\nexec sleep 1000\n"
    supervisor = watched(world, daemons, "-d 3", daemon=daemon)
    supervisor.events.wait_for("U")
    until(lambda: (supervisor.directory / "spawned").exists(), "orphans")
    pid = supervisor.status().pid
    until(lambda: process.children_of(pid) == [daemon_of(supervisor)], "only the daemon left")


@pytest.mark.parametrize(
    ("parent", "code", "said"),
    [
        ("exit 3", "3", "./parent (parent) exited 3"),
        ("kill -TERM $$", "143", "./parent (parent) was killed by SIGTERM"),
    ],
)
def test_a_parent_that_fails(
    world: World, daemons: Programs, parent: str, code: str, said: str
) -> None:
    supervisor = watched(world, daemons, parent=f"#!/bin/sh\necho 1 >pid\n{parent}\n")
    assert ending(supervisor) == code
    assert supervisor.said() == f"{NAME}: fatal: {said}\n"
    assert not (supervisor.directory / "pid").exists(), "nobody takes it for a daemon's"
    assert "U" not in supervisor.events.wait_for("D").decode()


def test_a_parent_that_takes_too_long(world: World, daemons: Programs) -> None:
    supervisor = watched(world, daemons, "-t 100", parent=SLEEPER)
    assert ending(supervisor) == "137"
    late = f"{NAME}: warning: the parent did not end in time (option -t), killing it\n"
    killed = f"{NAME}: fatal: ./parent (parent) was killed by SIGKILL\n"
    assert supervisor.said() == late + killed


def test_signals_for_the_parent(world: World, daemons: Programs) -> None:
    """Until the daemon is there, the parent gets them."""
    supervisor = watched(world, daemons, parent=SLEEPER)
    supervisor.events.wait_for("u")
    pid = supervisor.status().pid
    until(lambda: any(process.argv_of(child)[0] == "sleep" for child in process.children_of(pid)))
    supervisor.control("i")
    assert ending(supervisor) == "130"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "does not exist"),
        ("", 'holds "" and no pid'),
        ("nonsense\n", 'holds "nonsense" and no pid'),
        ("0\n", 'holds "0" and no pid'),
        ("-1\n", 'holds "-1" and no pid'),
        ("99999999999\n", 'holds "99999999999" and no pid'),
        ("4194304\n", "names process 4194304, which it did not start; a leftover?"),
    ],
)
def test_pidfiles_of_no_use(world: World, daemons: Programs, content: str | None, why: str) -> None:
    parent = "#!/bin/sh\ntest ! -e written || cp written pid\n"
    more = {} if content is None else {"written": content}
    supervisor = watched(world, daemons, parent=parent, **more)
    assert ending(supervisor) == "104"
    expected = f"{NAME}: fatal: ./parent (parent) exited 0, but pidfile pid {why}\n"
    assert supervisor.said() == expected


def test_a_pidfile_of_an_earlier_run(world: World, daemons: Programs) -> None:
    """It names a process that is none of ours by now, and must not get our signals."""
    stranger = subprocess.Popen(["sleep", "1000"])
    parent = f"#!/bin/sh\necho {stranger.pid} >pid\n"
    supervisor = watched(world, daemons, parent=parent)
    assert ending(supervisor) == "104"
    assert f"names process {stranger.pid}, which it did not start" in supervisor.said()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ([], 100, "no pidfile given"),
        (["pid"], 100, "no program given"),
        (["-t", "soon", "pid", "true"], 100, 'option -t: "soon" is not a number'),
        (["-d", "2", "pid", "true"], 100, "option -d: descriptors 0, 1 and 2 are the daemon's"),
        (["-d", "9", "pid", "true"], 111, "use descriptor 9 (option -d): Bad file descriptor"),
        (["pid", "/no/such"], 127, "unable to spawn /no/such: No such file or directory"),
        (["pid", "/etc/passwd"], 126, "unable to spawn /etc/passwd: Permission denied"),
    ],
)
def test_refused(tmp_path: Path, words: list[str], code: int, part: str) -> None:
    said = subprocess.run(
        [*our_program(NAME).split(), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (said.returncode, said.stdout) == (code, "")
    assert f"{NAME}: fatal: " in said.stderr
    assert part in said.stderr
    assert list(tmp_path.iterdir()) == []
