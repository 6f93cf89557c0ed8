"""s6-notify-fd-from-socket and s6-notify-socket-from-fd (contract 1.3): readiness by datagram.

s6 2.11 has neither of them, so they run under both supervisors, but are ours.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Self

import pytest

from world import process
from world.programs import Programs, our_program
from world.running import Supervisor, World
from world.waiting import holds_for, until, until_lines

FROM_SOCKET = "s6-notify-fd-from-socket"
FROM_DESCRIPTOR = "s6-notify-socket-from-fd"

SENDER = """
import os, socket, sys
address = os.environ["NOTIFY_SOCKET"]
open("address", "w").write(address + "\\n")
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for line in open("datagrams", buffering=1):
    manager.sendto(line.strip().encode().decode("unicode_escape").encode(), "\\0" + address[1:])
"""
"""A daemon that tells its manager what it finds in a FIFO, a datagram for each line."""


class Sender:
    """A service that sends the datagrams it is given, behind s6-notify-fd-from-socket."""

    def __init__(self, world: World, daemons: Programs, options: str = "") -> None:
        program = our_program(FROM_SOCKET)
        servicedir = world.service(
            {
                "run!": f"#!/bin/sh\nexec {program} {options} {sys.executable} sender.py\n",
                "sender.py": SENDER,
                "notification-fd": "3\n",
            }
        )
        os.mkfifo(servicedir / "datagrams")
        self.supervisor: Supervisor = world.supervise(daemons, servicedir)
        self._fifo = os.open(servicedir / "datagrams", os.O_RDWR)
        self.address = until_lines(servicedir / "address", 1)[0]
        self.pid = self.supervisor.status().pid

    def send(self, datagram: str) -> None:
        os.write(self._fifo, datagram.encode("unicode_escape") + b"\n")

    def watchers(self) -> list[int]:
        """The processes, wherever they are, that wait for a datagram."""
        own = [*process.descendants_of(os.getpid())]
        return [pid for pid in own if process.alive(pid) and FROM_SOCKET in argv_of(pid)]

    def close(self) -> None:
        os.close(self._fifo)


def argv_of(pid: int) -> tuple[str, ...]:
    try:
        return process.argv_of(pid)
    except FileNotFoundError:
        return ()


@pytest.mark.parametrize("datagram", ["READY=1", "READY=1\n", "STATUS=hello\nREADY=1\nX=1"])
def test_ready(world: World, daemons: Programs, datagram: str) -> None:
    sender = Sender(world, daemons)
    sender.supervisor.events.wait_for("u")
    assert sender.address.startswith("@")
    assert "pipe:" not in process.descriptors_of(sender.pid).get(3, "")
    for other in ("STATUS=READY=1", "READY=0", "xREADY=1"):
        sender.send(other)
    assert holds_for(lambda: not sender.supervisor.status().ready, 0.2)
    sender.send(datagram)
    sender.supervisor.events.expect("U")
    until(lambda: not sender.watchers(), "the end of the listening process")
    sender.close()


@pytest.mark.parametrize(("options", "children"), [("", 0), ("-f", 1)])
def test_whose_child_listens(world: World, daemons: Programs, options: str, children: int) -> None:
    sender = Sender(world, daemons, options)
    assert len(process.children_of(sender.pid)) == children
    assert len(sender.watchers()) == 1
    sender.send("READY=1")
    sender.supervisor.events.wait_for("U")
    sender.close()


def test_it_ends_with_the_service(world: World, daemons: Programs) -> None:
    """The original waits on the wrong descriptor; ours sees that the supervisor stopped asking."""
    sender = Sender(world, daemons)
    assert len(sender.watchers()) == 1
    sender.supervisor.control("d")
    sender.supervisor.events.wait_for("D")
    until(lambda: not sender.watchers(), "the end of the listening process")
    sender.close()


def test_time_is_up(world: World, daemons: Programs) -> None:
    sender = Sender(world, daemons, "-t 100")
    until(lambda: "timed out waiting for a notification" in sender.supervisor.said())
    until(lambda: not sender.watchers(), "the end of the listening process")
    assert sender.supervisor.status().up
    assert not sender.supervisor.status().ready
    sender.close()


@pytest.mark.parametrize(
    ("program", "words", "code", "part"),
    [
        (FROM_SOCKET, [], 100, "no program given"),
        (FROM_SOCKET, ["-t", "soon", "true"], 100, 'option -t: "soon" is not a number'),
        (FROM_SOCKET, ["true"], 100, "./notification-fd: No such file or directory; start this in"),
        (FROM_SOCKET, ["-3", "9", "true"], 111, "use descriptor 9: Bad file descriptor; start"),
        (FROM_DESCRIPTOR, [], 100, "no program given"),
        (FROM_DESCRIPTOR, ["-d", "one", "true"], 100, 'option -d: "one" is not a number'),
        (FROM_DESCRIPTOR, ["-d", "9999999", "true"], 111, "give the service descriptor 9999999: "),
        (FROM_DESCRIPTOR, ["-d", "2147483647", "true"], 111, "descriptor 2147483647: Invalid"),
        (FROM_DESCRIPTOR, ["/no/such"], 127, "unable to exec /no/such: No such file"),
    ],
)
def test_refused(world: World, program: str, words: list[str], code: int, part: str) -> None:
    said = subprocess.run(
        [*our_program(program).split(), *words],
        env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": "/no/such"},
        cwd=world.top,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (said.returncode, said.stdout) == (code, "")
    assert f"{program}: fatal: " in said.stderr
    assert part in said.stderr


@pytest.fixture(params=["path", "abstract"])
def manager(world: World, request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket, and its address in the environment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as its:
        its.settimeout(15)
        if request.param == "path":
            address = str(world.top / "notify")
            its.bind(address)
        else:
            address = f"@s6x-{world.top.name}"
            its.bind("\0" + address[1:])
        yield its, address


class Reporter:
    """A service behind s6-notify-socket-from-fd; it ends with the block."""

    def __init__(self, world: World, address: str, options: str, service: str) -> None:
        words = f"exec {our_program(FROM_DESCRIPTOR)} {options} sh -c '{service}'"
        env = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": address}
        self.out = world.top / "out"
        self.popen, self.errors = world.launch(["sh", "-c", words], env, world.top, stdout=self.out)
        self.pid = self.popen.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait()

    def watchers(self) -> list[int]:
        """The processes, wherever they are, that wait for readiness."""
        own = process.descendants_of(os.getpid())
        return [pid for pid in own if process.alive(pid) and FROM_DESCRIPTOR in argv_of(pid)]


def test_report(world: World, manager: tuple[socket.socket, str]) -> None:
    its, address = manager
    service = "env >env; echo >&4; exec sleep 1000"
    with Reporter(world, address, "-d 4", service) as reporter:
        assert its.recv(4096) == f"READY=1\nMAINPID={reporter.pid}\n".encode()
        text, descriptors, _, _ = socket.recv_fds(its, 4096, 1)
        assert (text, len(descriptors)) == (b"BARRIER=1\n", 1)
        assert len(reporter.watchers()) == 1, "it waits for the barrier"
        os.close(descriptors[0])
        until(lambda: not reporter.watchers(), "the end of the reporting process")
        assert "NOTIFY_SOCKET" not in (world.top / "env").read_text()


def test_a_service_that_never_says_so(world: World, manager: tuple[socket.socket, str]) -> None:
    its, address = manager
    its.settimeout(0.3)
    service = "env >&2; printf nonsense; exec 1>&-; exec sleep 1000"
    with Reporter(world, address, "-k", service) as reporter:
        with pytest.raises(TimeoutError):
            its.recv(4096)
        until(lambda: not reporter.watchers(), "the end of the reporting process")
        assert process.alive(reporter.pid)
        assert f"NOTIFY_SOCKET={address}" in reporter.errors.read_text()


def test_time_is_up_for_the_report(world: World, manager: tuple[socket.socket, str]) -> None:
    _, address = manager
    with Reporter(world, address, "-t 100", "exec sleep 1000") as reporter:
        expected = f"{FROM_DESCRIPTOR}: fatal: timed out waiting"
        until(lambda: reporter.errors.read_text().startswith(expected))
        assert process.alive(reporter.pid)


def test_a_manager_that_is_not_there(world: World) -> None:
    """It is told; the service goes on."""
    with Reporter(world, "/no/such", "", "echo; exec sleep 1000") as reporter:
        expected = f'{FROM_DESCRIPTOR}: fatal: unable to notify "/no/such": No such file or '
        until(lambda: reporter.errors.read_text() == expected + "directory\n")
        assert process.alive(reporter.pid)


def test_without_manager_only_the_program_runs(world: World) -> None:
    with Reporter(world, "", "", "echo out; exec sleep 1000") as reporter:
        assert until_lines(reporter.out, 1) == ["out"]
        assert process.children_of(reporter.pid) == []
