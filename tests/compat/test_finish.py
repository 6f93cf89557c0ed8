"""finish (matrix row 11, contract 3.2)."""

from __future__ import annotations

import os
import signal

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.tree import FIFO, Content
from world.waiting import until, until_lines
from world.witness import SLEEPER, finish


@pytest.mark.parametrize("code", [0, 1, 100, 125, 255])
def test_arguments_after_an_exit(world: World, daemons: Programs, code: int) -> None:
    content: dict[str, Content] = {
        "run!": f"#!/bin/sh\necho $$ >pid\nexit {code}\n",
        "finish!": finish(),
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    words = until_lines(supervisor.directory / "finishes", 1)[0].split()
    pid = (supervisor.directory / "pid").read_text().strip()
    assert words[:3] == [str(code), "0", "web"]
    assert words[3:] == [pid][: daemons.expects.finish_arguments - 3]
    supervisor.events.wait_for("D")


@pytest.mark.parametrize("letter", ["t", "k", "1"])
def test_arguments_after_a_signal(world: World, daemons: Programs, letter: str) -> None:
    content: dict[str, Content] = {"run!": SLEEPER, "finish!": finish(), "down": ""}
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    pid = supervisor.until("up").pid
    supervisor.control(letter)
    words = until_lines(supervisor.directory / "finishes", 1)[0].split()
    number = {"t": signal.SIGTERM, "k": signal.SIGKILL, "1": signal.SIGUSR1}[letter]
    assert words[:3] == ["256", str(int(number)), "web"]
    assert words[3:] == [str(pid)][: daemons.expects.finish_arguments - 3]
    supervisor.events.wait_for("D")


def test_the_name_is_the_supervisors_argument(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": '#!/bin/sh\necho "$1" >name\nexit 1\n',
        "finish!": finish(),
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content, "a name, with.odd=signs"))
    supervisor.control("o")
    until_lines(supervisor.directory / "finishes", 1)
    assert (supervisor.directory / "name").read_text() == "a name, with.odd=signs\n"
    assert "1 0 a name, with.odd=signs " in (supervisor.directory / "finishes").read_text()
    supervisor.events.wait_for("D")


def test_too_slow_is_killed(world: World, daemons: Programs) -> None:
    """SIGKILL after timeout-finish, even if it ignores everything else; then life goes on."""
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\ntrap '' TERM INT HUP\necho $$ >>finishes\nread -r x <hold\n",
        "hold": FIFO,
        "timeout-finish": "200\n",
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    supervisor.until("up")
    supervisor.control("t")
    finishing = supervisor.until("finishing")
    down = supervisor.until("down", timeout_s=3)
    assert not process.alive(finishing.pid)
    assert 0.2 <= down.readystamp - down.stamp < 1.5
    assert down.wstat == signal.SIGTERM


def test_a_stopped_finish_is_killed_too(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\nkill -STOP $$\n",
        "timeout-finish": "100\n",
        "down": "",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.control("o")
    supervisor.until("up")
    supervisor.control("t")
    supervisor.events.wait_for("D", timeout_s=3)


def test_no_limit(world: World, daemons: Programs) -> None:
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": finish(before="sleep 0.5"),
        "timeout-finish": "0\n",
    }
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.until("up")
    supervisor.control("d")
    supervisor.events.wait_for("D")
    now = supervisor.status()
    assert now.readystamp - now.stamp >= 0.5


@pytest.mark.parametrize("mode", [None, 0o644])
def test_absent_or_not_executable(world: World, daemons: Programs, mode: int | None) -> None:
    content: dict[str, Content] = {"run!": SLEEPER}
    if mode is not None:
        content["finish"] = "#!/bin/sh\ntouch was-run\n"
    supervisor = world.supervise(daemons, world.service(content))
    supervisor.events.expect("su")
    supervisor.control("d")
    supervisor.events.expect("dD")
    assert not (supervisor.directory / "was-run").exists()


def test_its_surroundings(world: World, daemons: Programs) -> None:
    """As those of run: directory, own session, clean mask, the supervisor's descriptors."""
    content: dict[str, Content] = {
        "run!": SLEEPER,
        "finish!": "#!/bin/sh\nread -r x <hold\n",
        "hold": FIFO,
    }
    supervisor = world.supervise(daemons, world.service(content), env={"WITNESS": "yes"})
    supervisor.until("up")
    supervisor.control("t")
    pid = supervisor.until("finishing").pid
    until(lambda: process.argv_of(pid)[-1].startswith("./finish") or len(process.argv_of(pid)) > 3)
    it = process.look(pid)
    assert it.cwd == str(supervisor.directory)
    assert (it.pgid, it.sid, it.tty) == (pid, pid, 0)
    assert it.blocked == frozenset()
    assert it.ignored == frozenset()
    assert it.env["WITNESS"] == "yes"
    theirs = process.descriptors_of(supervisor.pid)
    assert [it.descriptors[fd] for fd in (0, 1, 2)] == [theirs[fd] for fd in (0, 1, 2)]
    supervisor.control("O")
    descriptor = os.open(supervisor.directory / "hold", os.O_RDWR)
    os.write(descriptor, b"\n")
    supervisor.until("down")
    os.close(descriptor)
