"""s6-ipcclient and s6-ioconnect: the other end (contract 1.8)."""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from world import process
from world.programs import Programs
from world.running import World
from world.sockets import NAME, everything, server
from world.waiting import holds_for, until

WITNESS = "readlink /proc/$$/fd/6 /proc/$$/fd/7; ls /proc/$$/fd"
WITNESS += '; echo "$PROTO ${IPCLOCALPATH-unset}"'


@contextmanager
def listening(world: World) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(world.top / NAME))
        listener.listen()
        listener.settimeout(10)
        yield listener


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "IPC "),
        ("-l given", "IPC given"),
        ("-p bound", "IPC bound"),
        ("-p bound -l given", "IPC given"),
        ("-p ./././bound", "IPC ./././bound"),
    ],
)
def test_what_the_program_gets(world: World, tools: Programs, options: str, said: str) -> None:
    with listening(world):
        words = [*options.split(), NAME, "sh", "-c", WITNESS]
        env = {"PROTO": "old", "IPCLOCALPATH": "old"}
        found = tools.run("s6-ipcclient", *words, cwd=world.top, env=env)
        assert (found.code, found.err) == (0, ""), found
        reads, writes, *numbers, variables = found.out.splitlines()
        assert reads == writes
        assert reads.startswith("socket:")
        assert numbers == ["0", "1", "2", "6", "7"]
        assert variables == said


def test_descriptors_in_the_way(world: World, tools: Programs) -> None:
    """What 6 and 7 were before is closed; what else is open is passed on."""
    (world.top / "file").write_text("")
    under = ["sh", "-c", 'exec "$@" 3<file 4<file 5<file 6<file 7<file 9<file', "-"]
    with listening(world):
        words = [NAME, "sh", "-c", WITNESS]
        found = tools.run("s6-ipcclient", *words, cwd=world.top, under=under)
        assert found.code == 0, found
        assert found.out.startswith("socket:")
        assert found.out.splitlines()[2:-1] == ["0", "1", "2", "3", "4", "5", "6", "7", "9"]


@pytest.mark.parametrize(
    ("options", "said"),
    [("", False), ("-q", False), ("-v", True), ("-vQ", False), ("-qv", False), ("-qvv", True)],
)
def test_what_it_says(world: World, tools: Programs, options: str, said: bool) -> None:
    with listening(world):
        words = [*options.split(), NAME, "true"]
        found = tools.run("s6-ipcclient", *words, cwd=world.top)
        assert found.code == 0
        assert ("connected to" in found.err) is said


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("", 100, "usage"),
        ("it", 100, "usage"),
        ("-z it true", 100, "usage"),
        ("absent true", 111, "absent"),
        ("file true", 111, "file"),
        ("datagrams true", 111, "datagrams"),
        ("{long} true", 111, "xxx"),
        ("-p file it true", 111, "file"),
        ("-p {long} it true", 111, "xxx"),
        ("it nosuchprogram", 127, "nosuchprogram"),
        ("it /", 126, "/"),
    ],
)
def test_it_fails(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    (world.top / "file").write_text("")
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        listener.bind(os.fspath(world.top / "it"))
        listener.listen()
        datagrams.bind(os.fspath(world.top / "datagrams"))
        given = words.replace("{long}", "x" * 108).split()
        found = tools.run("s6-ipcclient", *given, cwd=world.top)
        assert (found.code, found.out) == (code, ""), found
        assert names in found.err
        assert found.err.startswith("s6-ipcclient: ")


def test_from_end_to_end(world: World, daemons: Programs, tools: Programs) -> None:
    """A server of one set, a client of the other."""
    script = "env | grep ^IPCREMOTE; cat"
    with server(world, daemons, "--", "sh", "-c", script) as its:
        done = subprocess.run(
            [tools.path("s6-ipcclient"), "-p", "me", its.path, "s6-ioconnect"],
            input=b"hello\n" * 1000,
            capture_output=True,
            env=tools.environment(),
            cwd=world.top,
            timeout=30,
            check=True,
        )
        lines = done.stdout.decode().splitlines()
        assert set(lines[:3]) == {
            f"IPCREMOTEEUID={os.geteuid()}",
            f"IPCREMOTEEGID={os.getegid()}",
            "IPCREMOTEPATH=me",
        }
        assert lines[3:] == ["hello"] * 1000


class Relay:
    """A running s6-ioconnect, and the four ends of what it copies between."""

    def __init__(
        self, tools: Programs, *options: str, sockets: bool = True, local: bool = False
    ) -> None:
        if sockets:
            self.remote, ends = socket.socketpair()
            self.reads = self.writes = self.remote.fileno()
            there = (ends.detach(), -1)
        else:
            (self.reads, to), (away, self.writes) = os.pipe(), os.pipe()
            there = (away, to)
        six, seven = there if there[1] >= 0 else (there[0], there[0])
        numbers = (
            int(dict(itertools.pairwise(options)).get(name, usual))
            for name, usual in (("-r", "6"), ("-w", "7"))
        )
        shell = f'exec "$@" {next(numbers)}<&{six} {next(numbers)}>&{seven}'
        closes = "".join(f" {fd}<&-" for fd in {six, seven} if fd > 9)
        stdin, stdout = (os.pipe(), os.pipe())
        self.stdin, self.stdout = stdin[1], stdout[0]
        self.popen = subprocess.Popen(
            ["bash", "-c", shell + closes, "-", tools.path("s6-ioconnect"), *options],
            env=tools.environment(),
            stdin=stdin[0],
            stdout=stdout[1],
            stderr=subprocess.PIPE,
            pass_fds=(six, seven),
        )
        for fd in {stdin[0], stdout[1], six, seven}:
            os.close(fd)
        self._open = [self.stdin, self.stdout]
        until(lambda: process.argv_of(self.popen.pid)[0].endswith("s6-ioconnect"))

    def __enter__(self) -> Relay:
        return self

    def close(self, fd: int) -> None:
        self._open.remove(fd)
        os.close(fd)

    def said(self) -> str:
        assert self.popen.stderr
        return self.popen.stderr.read().decode()

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()
        for fd in self._open:
            os.close(fd)
        if hasattr(self, "remote"):
            self.remote.close()


def test_both_directions_and_half_closes(tools: Programs) -> None:
    with Relay(tools) as its:
        os.write(its.stdin, b"there")
        assert its.remote.recv(99) == b"there"
        its.remote.send(b"back")
        assert os.read(its.stdout, 99) == b"back"
        its.close(its.stdin)
        assert its.remote.recv(99) == b""
        its.remote.send(b"more")
        assert os.read(its.stdout, 99) == b"more"
        assert its.popen.poll() is None
        its.remote.shutdown(socket.SHUT_WR)
        assert os.read(its.stdout, 99) == b""
        assert its.popen.wait(10) == 0
        assert its.said() == ""


def test_the_other_half_first(tools: Programs) -> None:
    with Relay(tools) as its:
        its.remote.shutdown(socket.SHUT_WR)
        assert os.read(its.stdout, 99) == b""
        os.write(its.stdin, b"there")
        assert its.remote.recv(99) == b"there"
        its.close(its.stdin)
        assert its.remote.recv(99) == b""
        assert its.popen.wait(10) == 0


def test_the_other_end_goes(tools: Programs) -> None:
    """All at once: whoever writes to us is told, by a signal or EPIPE."""
    with Relay(tools) as its:
        its.remote.close()
        assert its.popen.wait(10) == 0
        with pytest.raises(BrokenPipeError):
            os.write(its.stdin, b"nobody reads this")


def test_nobody_reads_stdout(tools: Programs) -> None:
    with Relay(tools) as its:
        its.close(its.stdout)
        until(lambda: _refused(its.remote), "the remote end is told")
        os.write(its.stdin, b"there")
        assert its.remote.recv(99) == b"there"
        its.close(its.stdin)
        assert its.popen.wait(10) == 0


def _refused(client: socket.socket) -> bool:
    try:
        client.send(b"x")
    except BrokenPipeError:
        return True
    return False


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "pipes"])
def test_much_in_both_directions(tools: Programs, sockets: bool) -> None:
    """Ten megabytes each way; whoever reads late gets everything, in its order."""
    size = 10 << 20
    content = os.urandom(1 << 16) * (size >> 16)
    with Relay(tools, sockets=sockets) as its:
        got: dict[str, bytes] = {}

        def write(fd: int) -> None:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(fd, rest[: 1 << 20]) :]
            if fd != its.writes or not sockets:
                os.close(fd)
            else:
                its.remote.shutdown(socket.SHUT_WR)

        def read(name: str, fd: int) -> None:
            parts = []
            while part := os.read(fd, 1 << 16):
                parts.append(part)
            got[name] = b"".join(parts)

        its._open.remove(its.stdin)
        threads = [
            threading.Thread(target=write, args=(its.stdin,)),
            threading.Thread(target=write, args=(its.writes,)),
            threading.Thread(target=read, args=("there", its.reads)),
            threading.Thread(target=read, args=("back", its.stdout)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert got["there"] == content
        assert got["back"] == content
        assert its.popen.wait(10) == 0
        if not sockets:
            os.close(its.reads)


def test_a_reader_that_waits_stops_the_writer(tools: Programs) -> None:
    """What is read and not yet written is bounded."""
    with Relay(tools, sockets=False) as its:
        os.set_blocking(its.stdin, False)
        taken = 0

        def full() -> bool:
            nonlocal taken
            try:
                taken += os.write(its.stdin, bytes(65536))
            except BlockingIOError:
                return holds_for(lambda: not _writable(its.stdin), 0.05)
            return False

        until(full, "the writer is held up")
        assert taken < 1 << 20
        os.close(its.writes)
        os.close(its.reads)


def _writable(fd: int) -> bool:
    return bool(select.select([], [fd], [], 0)[1])


@pytest.mark.parametrize("ms", ["50", "200"])
def test_idle(tools: Programs, ms: str) -> None:
    with Relay(tools, "-t", ms) as its:
        its.remote.send(b"x")
        assert os.read(its.stdout, 9) == b"x"
        assert its.popen.wait(10) == 1
        assert its.remote.recv(9) == b""


def test_not_idle(tools: Programs) -> None:
    """`-t 0` is no limit; each byte, in any direction, begins the time anew."""
    with Relay(tools, "-t", "0") as its:
        assert holds_for(lambda: its.popen.poll() is None, 0.2)
    with Relay(tools, "-t", "2000") as its:
        for _ in range(5):
            os.write(its.stdin, b"x")
            assert its.remote.recv(9) == b"x"
        assert its.popen.poll() is None


def test_told_to_end(tools: Programs) -> None:
    """SIGTERM ends what would go on for ever; the originals read once more, and go on."""
    with Relay(tools) as its:
        its.remote.send(b"x")
        assert os.read(its.stdout, 9) == b"x"
        its.popen.send_signal(signal.SIGTERM)
        if tools.expects.ioconnect_obeys:
            assert its.popen.wait(10) == 0
            assert its.remote.recv(9) == b""
        else:
            assert holds_for(lambda: its.popen.poll() is None, 0.1)


@pytest.mark.parametrize("options", ["-0167", "-r 8 -w 9", "-r 9 -w 8", "-w 6 -r 7"])
def test_other_descriptors(tools: Programs, options: str) -> None:
    with Relay(tools, *options.split()) as its:
        os.write(its.stdin, b"there")
        assert its.remote.recv(99) == b"there"
        its.remote.send(b"back")
        assert os.read(its.stdout, 99) == b"back"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("-z", 100),
        ("-t x", 100),
        ("-r 2", 100),
        ("-w 0", 100),
        ("-r x", 100),
        ("-r -1", 100),
        ("", 111),
        ("-r 200", 111),
    ],
)
def test_ioconnect_fails(tools: Programs, words: str, code: int) -> None:
    said = tools.run("s6-ioconnect", *words.split())
    assert (said.code, said.out) == (code, ""), said
    assert said.err.startswith("s6-ioconnect: ")


@pytest.mark.ours_only
def test_what_is_shared_is_left_as_it_is(tools: Programs) -> None:
    """The originals make all four ends non-blocking, for everybody who has them."""
    with Relay(tools) as its:
        os.write(its.stdin, b"there")
        assert its.remote.recv(99) == b"there"
        for number in process.descriptors_of(its.popen.pid):
            info = Path(f"/proc/{its.popen.pid}/fdinfo/{number}").read_text()
            flags = int(info.split("flags:")[1].split()[0], 8)
            kind = process.descriptors_of(its.popen.pid)[number].split(":")[0]
            assert not (flags & os.O_NONBLOCK and kind in ("socket", "pipe"))
        its.remote.shutdown(socket.SHUT_WR)
        its.close(its.stdin)
        assert everything(its.remote) == b""
        assert its.popen.wait(10) == 0
