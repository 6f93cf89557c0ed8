"""s6-ipcserver, s6-ipcserverd and s6-connlimit: who is served, how, and by what (contract 1.8)."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys

import pytest

from world import process
from world.programs import AS_NOBODY, Programs
from world.running import World
from world.sockets import NAME, Server, everything, server
from world.waiting import holds_for, until

ROOT = os.geteuid() == 0
IDS = f"{os.geteuid()}:{os.getegid()}"
ENV = ("sh", "-c", "env -0")


def variables(answer: bytes) -> dict[str, str]:
    entries = (os.fsdecode(entry).partition("=") for entry in answer.split(b"\0") if entry)
    return {name: value for name, _, value in entries}


def ours_of(answer: bytes) -> dict[str, str]:
    """The variables that tell a program about its client."""
    return {
        name: value
        for name, value in variables(answer).items()
        if name == "PROTO" or name.startswith("IPC")
    }


def test_the_environment_of_a_connection(world: World, daemons: Programs) -> None:
    before = {"A": "b", "IPCREMOTEPATH": "old", "IPCREMOTEEUID": "old", "IPCLOCALPATH": "kept"}
    with server(world, daemons, "--", *ENV, env=before) as its:
        answer = its.ask()
        assert ours_of(answer) == {
            "PROTO": "IPC",
            "IPCREMOTEEUID": str(os.geteuid()),
            "IPCREMOTEEGID": str(os.getegid()),
            "IPCREMOTEPATH": "",
            "IPCCONNNUM": "1",
            "IPCLOCALPATH": "kept",
        }
        found = variables(answer)
        assert found["A"] == "b"
        assert found["PATH"] == daemons.environment()["PATH"]


def test_without_looking_up(world: World, daemons: Programs) -> None:
    before = {"IPCREMOTEEUID": "0", "IPCREMOTEEGID": "0", "IPCCONNNUM": "7"}
    with server(world, daemons, "-P", "-v", "--", *ENV, env=before) as its:
        assert ours_of(its.ask()) == {"PROTO": "IPC", "IPCREMOTEPATH": "", "IPCCONNNUM": ""}
        until(lambda: "exitcode" in its.said())
        assert "allow ?:? pid " in its.said()
        assert " count ?/40" in its.said()
        assert " uid ? exitcode 0" in its.said()
    with server(world, daemons, "-Pp", "--", *ENV) as its:
        assert "IPCREMOTEEUID" in ours_of(its.ask())


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_clients_are_told_apart(world: World, daemons: Programs) -> None:
    """By what they were when they connected; each user has connections of their own."""
    with server(world, daemons, "-a", "0666", "--", "sh", "-c", "env -0; cat") as its:
        script = (
            "import os, socket, sys; c = socket.socket(socket.AF_UNIX);"
            "c.connect(sys.argv[1]); c.shutdown(socket.SHUT_WR);"
            "[os.write(1, part) for part in iter(lambda: c.recv(9999), b'')]"
        )
        with its.connect() as mine:
            mine.recv(1)
            said = subprocess.run(
                [*AS_NOBODY, sys.executable, "-ISc", script, its.path],
                capture_output=True,
                check=True,
                timeout=30,
            )
            found = ours_of(said.stdout)
            assert (found["IPCREMOTEEUID"], found["IPCREMOTEEGID"]) == ("65534", "65534")
            assert found["IPCCONNNUM"] == "1"


WEIRD = [
    ("plain", "plain"),
    ("with = and\nnewline", "with = and\nnewline"),
    ("\udcff\udcfe", "\udcff\udcfe"),
    ("./../{name}/x", "./../{name}/x"),
    ("\0abstract", ""),
    ("", ""),
    ("y" * 107, "y" * 107),
]


@pytest.mark.parametrize(("bound", "shown"), WEIRD, ids=[repr(case[0])[:20] for case in WEIRD])
def test_the_path_of_a_client(world: World, daemons: Programs, bound: str, shown: str) -> None:
    name = world.top.name
    os.chdir(world.top)  # a client's relative path is what it says, not where that leads
    try:
        with server(world, daemons, "--", *ENV) as its:
            raw = os.fsencode(bound.replace("{name}", name))
            if raw.startswith(b"\0"):
                raw += name.encode()
            found = ours_of(its.ask(raw))
            assert found["IPCREMOTEPATH"] == shown.replace("{name}", name)
    finally:
        os.chdir("/")


@pytest.mark.ours_only
def test_a_path_that_fills_all_the_room(world: World, daemons: Programs) -> None:
    """108 bytes, no NUL behind them; the original reads beyond its own room."""
    os.chdir(world.top)
    address = struct.pack("=H108s", socket.AF_UNIX, b"z" * 108)  # too long for Python's own bind
    try:
        with server(world, daemons, "--", *ENV), socket.socket(socket.AF_UNIX) as client:
            assert ctypes.CDLL(None).bind(client.fileno(), address, len(address)) == 0
            client.connect(NAME)
            assert ours_of(everything(client))["IPCREMOTEPATH"] == "z" * 108
    finally:
        os.chdir("/")


def test_what_else_a_child_gets(world: World, daemons: Programs) -> None:
    """The connection twice, the server's stderr, nothing of the server's own; no signal blocked."""
    script = "readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; grep Sig /proc/self/status"
    script += "; ls /proc/self/fd; pwd; umask"
    under = ["sh", "-c", 'umask 027; exec "$@"', "-"]
    with server(world, daemons, "--", "sh", "-c", script, under=under) as its:
        lines = its.ask().decode().splitlines()
        assert lines[0] == lines[1]
        assert lines[0].startswith("socket:")
        assert lines[2] == str(its.errors)
        signals = dict(line.split(":\t") for line in lines if line.startswith("Sig"))
        assert (signals["SigBlk"], signals["SigIgn"]) == ("0" * 16, "0" * 16)
        numbers = lines[lines.index("0") : -2]
        assert numbers == ["0", "1", "2", "3"]  # the last is the directory that ls reads
        assert lines[-2:] == [str(world.top), "0027"]


@pytest.mark.parametrize("passed", [3, 5, 9])
def test_descriptors_that_were_passed_to_the_server(
    world: World, daemons: Programs, passed: int
) -> None:
    (world.top / "file").write_text("content\n")
    under = ["sh", "-c", f'exec "$@" {passed}<file', "-"]
    with server(world, daemons, "--", "sh", "-c", f"cat <&{passed}", under=under) as its:
        assert its.ask() == b"content\n"


def test_numbers_of_connections(world: World, daemons: Programs) -> None:
    """The new one is counted, as in 2.11; what has ended is not."""
    with server(world, daemons, "--", "sh", "-c", "echo $IPCCONNNUM; exec cat") as its:
        clients = [its.connect() for _ in range(3)]
        assert [client.recv(9) for client in clients] == [b"1\n", b"2\n", b"3\n"]
        clients.pop().close()
        its.until_children(2)
        with its.connect() as again:
            assert again.recv(9) == b"3\n"
        for client in clients:
            client.close()
        its.until_children(0)
        with its.connect() as first:
            assert first.recv(9) == b"1\n"


def test_too_many_of_one_user(world: World, daemons: Programs) -> None:
    """The next one is turned away at once, and that is said whatever the verbosity."""
    with server(world, daemons, "-q", "-C", "2", "--", "sh", "-c", "echo hello; exec cat") as its:
        clients = [its.connect(), its.connect()]
        assert [client.recv(9) for client in clients] == [b"hello\n"] * 2
        assert its.ask() == b""
        until(lambda: f"deny {IDS} count 2/2" in its.said(), explain=its.said)
        clients.pop().close()
        its.until_children(1)
        with its.connect() as client:
            assert client.recv(9) == b"hello\n"
        clients.pop().close()


def test_too_many_at_all(world: World, daemons: Programs) -> None:
    """The next one waits until there is room."""
    with server(world, daemons, "-c", "2", "--", "sh", "-c", "echo hello; exec cat") as its:
        clients = [its.connect(), its.connect()]
        assert [client.recv(9) for client in clients] == [b"hello\n"] * 2
        with its.connect() as third:
            third.settimeout(0.1)
            with pytest.raises(TimeoutError):
                third.recv(9)
            clients.pop().close()
            third.settimeout(10)
            assert third.recv(9) == b"hello\n"
        clients.pop().close()


@pytest.mark.parametrize(
    ("number", "stops", "ends_children"),
    [
        (signal.SIGTERM, True, 0),
        (signal.SIGHUP, False, signal.SIGTERM),
        (signal.SIGQUIT, True, signal.SIGTERM),
        (signal.SIGABRT, True, signal.SIGKILL),
    ],
)
def test_signals(
    world: World, daemons: Programs, number: signal.Signals, stops: bool, ends_children: int
) -> None:
    """The children's end is seen by themselves: SIGTERM is told, SIGKILL is not."""
    script = "trap 'echo told; exit 3' TERM; echo hello; while :; do sleep 0.02; done"
    with server(world, daemons, "-v", "--", "sh", "-c", script) as its:
        with its.connect() as one, its.connect() as two:
            assert [one.recv(9), two.recv(9)] == [b"hello\n"] * 2
            children = its.until_children(2)
            its.signal(number)
            if stops:
                assert its.exit_code() == 0
            if ends_children == signal.SIGTERM:
                assert [everything(one), everything(two)] == [b"told\n"] * 2
            elif ends_children == signal.SIGKILL:
                assert [everything(one), everything(two)] == [b""] * 2
            else:
                assert all(process.alive(child) for child in children)
                world.end(*children)
            if not stops:
                its.until_children(0)
                assert its.running()
                with its.connect() as client:
                    assert client.recv(9) == b"hello\n"
        assert f"received {number.name}, " in its.said()


def test_stopped_children_go_too(world: World, daemons: Programs) -> None:
    """SIGTERM comes with SIGCONT."""
    script = "echo hello; kill -STOP $$; exec cat"
    with server(world, daemons, "--", "sh", "-c", script) as its, its.connect() as client:
        assert client.recv(9) == b"hello\n"
        (child,) = its.until_children(1)
        until(lambda: process.state_of(child) == "T")
        its.signal(signal.SIGHUP)
        assert everything(client) == b""


def test_what_is_said(world: World, daemons: Programs) -> None:
    with server(world, daemons, "-v", "-c", "7", "-C", "5", "--", "sh", "-c", "exit 9") as its:
        assert its.ask() == b""
        until(lambda: "exitcode" in its.said())
        with its.connect():
            its.until_children(0)
        its.signal(signal.SIGTERM)
        assert its.exit_code() == 0
        lines = its.said().splitlines()
        assert all(line.startswith("s6-ipcserverd: info: ") for line in lines), lines
        said = [re.sub(r"pid \d+", "pid N", line.split(": ", 2)[2]) for line in lines]
        for line in (
            "starting",
            "status: 0/7",
            f"allow {IDS} pid N count 1/5",
            "status: 1/7",
            f"end pid N uid {os.geteuid()} exitcode 9",
            "received SIGTERM, quitting",
            "exiting",
        ):
            assert line in said, said
    for options in ([], ["-q"], ["-vQ"]):
        with server(world, daemons, *options, "--", "sh", "-c", "kill -9 $$") as its:
            assert its.ask() == b""
            its.until_children(0)
            assert its.said() == ""


def test_a_program_that_cannot_be_run(world: World, daemons: Programs) -> None:
    """The client is left alone, the server goes on."""
    with server(world, daemons, "--", "./program") as its:
        assert its.ask() == b""
        until(lambda: "program" in its.said(), explain=its.said)
        program = world.top / "program"
        program.write_text("#!/bin/sh\necho hello\n")
        program.chmod(0o755)
        assert its.ask() == b"hello\n"
        its.until_children(0)


def bound(world: World, tools: Programs, *words: str, under: list[str] | None = None) -> int:
    """The exit code of s6-ipcserverd on a socket of its own."""
    chain = ["s6-ipcserver-socketbinder", NAME, "s6-ipcserverd", *words]
    said = tools.run(chain[0], *chain[1:], cwd=world.top, under=under or [])
    assert said.out == "", said
    assert said.code == 0 or said.err.startswith("s6-ipcserverd: "), said
    return said.code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 100),
        ("-c", 100),
        ("-c x true", 100),
        ("-C x true", 100),
        ("-v x true", 100),
        ("-z true", 100),
    ],
)
def test_wrong_usage(world: World, tools: Programs, words: str, code: int) -> None:
    assert bound(world, tools, *words.split()) == code
    if words.startswith("-v"):
        return  # has no value there
    said = tools.run("s6-ipcserver", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, "")
    assert "s6-ipcserver: usage: " in said.err


def test_wrong_sockets(world: World, tools: Programs) -> None:
    assert bound(world, tools, "") == 100
    assert tools.run("s6-ipcserverd", "true", cwd=world.top).code == 100
    for unusable in ["-b0", *(["-m"] if tools.expects.refuses_sockets_without_clients else [])]:
        chain = ["s6-ipcserver-socketbinder", unusable, NAME, "s6-ipcserverd", "true"]
        said = tools.run(chain[0], *chain[1:], cwd=world.top)
        assert said.code == 111, said
    assert bound(world, tools, "-1", "true", under=["sh", "-c", 'exec "$@" >&-', "-"]) == 100


@pytest.mark.ours_only  # Debian's call each other by their absolute paths
@pytest.mark.parametrize(
    "words",
    [
        "sock prog",
        "-q sock prog a -b",
        "-Q sock prog",
        "-v sock prog",
        "-qv sock prog",
        "-D sock prog",
        "-Dd sock prog",
        "-P sock prog",
        "-Pp sock prog",
        "-1 sock prog",
        "-c 5 -C 3 sock prog",
        "-c 0 -C 0 -b 0 sock prog",
        "-b 17 sock prog",
        "-a 0600 sock prog",
        "-a 777 sock prog",
        "-a 0 sock prog",
        "-u 0 sock prog",
        "-u 5 sock prog",
        "-g 7 sock prog",
        "-u 5 -g 7 -G 1,2,3 sock prog",
        "-G -- sock prog",
        "-U sock prog",
        "-u 5 -U sock prog",
        "-U -u 5 -G 8 sock prog",
        "-- sock -prog",
    ],
)
def test_the_chain(world: World, tools: Programs, words: str) -> None:
    """What s6-ipcserver becomes, word by word."""
    chain = [word if word != "--" or "-G" not in words else "" for word in words.split()]
    made = world.top / "bin"
    made.mkdir()
    witness = made / "s6-ipcserver-socketbinder"
    witness.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
    witness.chmod(0o755)
    said = tools.run("s6-ipcserver", *chain, cwd=world.top, env={"PATH": f"{made}:/usr/bin:/bin"})
    assert (said.code, said.err) == (0, ""), said
    _, *found = said.out.split("\n")[:-1]
    assert " ".join(found) == CHAINS[words]


@pytest.mark.parametrize(
    ("options", "becomes"),
    [
        ("", ""),
        ("-q", "-v0 "),
        ("-v", "-v2 "),
        ("-vQ", ""),
        ("-P -c 5 -C 3", "-P -c 5 -C 3 "),
        ("-c 0 -C 0 -b 0", "-c 1 -C 1 "),
    ],
)
def test_what_serves(world: World, daemons: Programs, options: str, becomes: str) -> None:
    with server(world, daemons, *options.split(), "--", "prog", "-a") as its:
        _, *words = process.argv_of(its.pid)
        verbosity, rest = (becomes[:4], becomes[4:]) if becomes[:2] == "-v" else ("", becomes)
        assert " ".join(words) == f"{verbosity}-1 {rest}-- prog -a"


CHAINS = {
    "sock prog": "-- sock s6-ipcserverd -- prog",
    "-q sock prog a -b": "-- sock s6-ipcserverd -v0 -- prog a -b",
    "-Q sock prog": "-- sock s6-ipcserverd -- prog",
    "-v sock prog": "-- sock s6-ipcserverd -v2 -- prog",
    "-qv sock prog": "-- sock s6-ipcserverd -v2 -- prog",
    "-D sock prog": "-D -- sock s6-ipcserverd -- prog",
    "-Dd sock prog": "-- sock s6-ipcserverd -- prog",
    "-P sock prog": "-- sock s6-ipcserverd -P -- prog",
    "-Pp sock prog": "-- sock s6-ipcserverd -- prog",
    "-1 sock prog": "-- sock s6-ipcserverd -1 -- prog",
    "-c 5 -C 3 sock prog": "-- sock s6-ipcserverd -c 5 -C 3 -- prog",
    "-c 0 -C 0 -b 0 sock prog": "-b 1 -- sock s6-ipcserverd -c 1 -C 1 -- prog",
    "-b 17 sock prog": "-b 17 -- sock s6-ipcserverd -- prog",
    "-a 0600 sock prog": "-a 0600 -- sock s6-ipcserverd -- prog",
    "-a 777 sock prog": "-- sock s6-ipcserverd -- prog",
    "-a 0 sock prog": "-a 00 -- sock s6-ipcserverd -- prog",
    "-u 0 sock prog": "-- sock s6-ipcserverd -- prog",
    "-u 5 sock prog": "-- sock s6-applyuidgid -u 5 -- s6-ipcserverd -- prog",
    "-g 7 sock prog": "-- sock s6-applyuidgid -g 7 -- s6-ipcserverd -- prog",
    "-u 5 -g 7 -G 1,2,3 sock prog": (
        "-- sock s6-applyuidgid -u 5 -g 7 -G 1,2,3 -- s6-ipcserverd -- prog"
    ),
    "-G -- sock prog": "-- sock s6-applyuidgid -G  -- s6-ipcserverd -- prog",
    "-U sock prog": "-- sock s6-applyuidgid -Uz -- s6-ipcserverd -- prog",
    "-u 5 -U sock prog": "-- sock s6-applyuidgid -Uz -- s6-ipcserverd -- prog",
    "-U -u 5 -G 8 sock prog": "-- sock s6-applyuidgid -Uz -u 5 -G 8 -- s6-ipcserverd -- prog",
    "-- sock -prog": "-- sock s6-ipcserverd -- -prog",
}


@pytest.mark.skipif(not ROOT, reason="only root has rights to give up")
@pytest.mark.parametrize("options", ["-u 65534 -g 65534 -G 60 -D", "-U -d"])
def test_rights_are_given_up(world: World, daemons: Programs, options: str) -> None:
    """The socket is bound as root; whoever serves is not."""
    words = ["-a", "0600", *options.split()]
    script = "test ${UID-none} = none && grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status"
    env = {"UID": "65534", "GID": "65534", "GIDLIST": "60"} if "-U" in words else {}
    with server(world, daemons, *words, "--", "sh", "-c", script, env=env) as its:
        fields = dict(line.split(":\t") for line in its.ask().decode().splitlines())
        assert fields["Uid"].split() == ["65534"] * 4
        assert fields["Gid"].split() == ["65534"] * 4
        assert sorted(fields["Groups"].split()) == ["60", "65534"]
        assert int(fields["CapEff"], 16) == 0
        assert its.path.stat().st_uid == 0


def burst(its: Server, count: int) -> list[bytes]:
    """Connect so many clients before any answer is read."""
    clients = []
    with selectors.DefaultSelector() as waiting:
        for _ in range(count):
            client = its.connect()
            clients.append(client)
            waiting.register(client, selectors.EVENT_READ)
        answers = {client: b"" for client in clients}
        while waiting.get_map():
            ready = waiting.select(30)
            assert ready, f"{len(waiting.get_map())} clients have no answer"
            for key, _ in ready:
                answering = key.fileobj
                assert isinstance(answering, socket.socket)
                try:
                    part = answering.recv(99)
                except ConnectionResetError:
                    part = b""
                answers[answering] += part
                if not part:
                    waiting.unregister(answering)
    for client in clients:
        client.close()
    return list(answers.values())


def test_a_burst(world: World, daemons: Programs) -> None:
    """A thousand clients at once: all are served, and nothing is left of them."""
    count = int(os.environ.get("S6X_TEST_CLIENTS", "1000"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count * 2 + 200), hard))
    try:
        with server(world, daemons, "-c", "1000", "-C", "1000", "--", "echo", "hello") as its:
            assert its.ask() == b"hello\n"
            before = process.descriptors_of(its.pid)
            assert burst(its, count) == [b"hello\n"] * count
            its.until_children(0)
            assert process.descriptors_of(its.pid) == before
            assert its.said() == ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_slow_and_rude_clients(world: World, daemons: Programs) -> None:
    """Those who say nothing, go at once, or break off in the middle, harm nobody."""
    with server(world, daemons, "--", "cat") as its:
        idle = [its.connect() for _ in range(5)]
        for _ in range(50):
            its.connect().close()
        with its.connect() as rude:
            rude.send(b"half a li")
        with its.connect() as polite:
            polite.send(b"hello")
            polite.shutdown(socket.SHUT_WR)
            assert everything(polite) == b"hello"
        for client in idle:
            client.close()
        its.until_children(0)
        assert its.said() == ""


@pytest.mark.ours_only
def test_no_room_for_one_more_client(world: World, daemons: Programs) -> None:
    """Without a free descriptor the server rests, rather than spin and fill the log."""
    with server(world, daemons, "--", "echo", "hello") as its:
        assert its.ask() == b"hello\n"
        highest = max(process.descriptors_of(its.pid))
        resource.prlimit(its.pid, resource.RLIMIT_NOFILE, (highest + 1, 4096))
        with its.connect() as client:
            until(lambda: "unable to accept a client" in its.said())
            before = its.said().count("\n")
            assert holds_for(its.running, 0.5)
            assert its.said().count("\n") - before <= 7
            resource.prlimit(its.pid, resource.RLIMIT_NOFILE, (4096, 4096))
            assert everything(client) == b"hello\n"


def test_children_of_a_predecessor(world: World, daemons: Programs) -> None:
    """Whoever was our child before the exec is reaped, and counts for nothing."""
    under = ["sh", "-c", 'sleep 0.1 & exec "$@"', "-"]
    with server(world, daemons, "-v", "--", "echo", "hello", under=under) as its:
        until(lambda: not process.children_of(its.pid), "the predecessor's child is reaped")
        assert its.ask() == b"hello\n"
        assert "status: 0/40" in its.said()


LIMITS = [
    ("PROTO=IPC IPCCONNNUM=1", 0, ""),
    ("PROTO=IPC IPCCONNNUM=1 IPCCONNMAX=1", 0, ""),
    ("PROTO=IPC IPCCONNNUM=2 IPCCONNMAX=1", 1, ""),
    ("PROTO=TCP TCPCONNNUM=9 TCPCONNMAX=10", 0, ""),
    ("PROTO=TCP TCPCONNNUM=9 TCPCONNMAX=8 IPCCONNMAX=9", 1, ""),
    ("PROTO=TCP TCPCONNNUM=0 TCPCONNMAX=0", 0, ""),
    ("PROTO=IPC IPCCONNNUM=4294967295 IPCCONNMAX=4294967294", 1, ""),
    ("IPCCONNNUM=1", 100, "PROTO"),
    ("PROTO= CONNNUM=1", 100, "PROTO"),
    ("PROTO=IPC", 100, "IPCCONNNUM"),
    ("PROTO=IPC IPCCONNNUM=", 100, "IPCCONNNUM"),
    ("PROTO=IPC IPCCONNNUM=x", 100, "IPCCONNNUM"),
    ("PROTO=IPC IPCCONNNUM=-1", 100, "IPCCONNNUM"),
    ("PROTO=IPC IPCCONNNUM=1 IPCCONNMAX=", 100, "IPCCONNMAX"),
    ("PROTO=IPC IPCCONNNUM=1 IPCCONNMAX=9x", 100, "IPCCONNMAX"),
    ("PROTO=IPC IPCCONNNUM=4294967296", 100, "IPCCONNNUM"),
]


@pytest.mark.parametrize(("given", "code", "names"), LIMITS)
def test_connlimit(tools: Programs, given: str, code: int, names: str) -> None:
    env = dict(entry.split("=") for entry in given.split())
    said = tools.run("s6-connlimit", "echo", "-n", "became", env=env)
    assert (said.code, said.out) == (code, "became" if code == 0 else ""), said
    assert names in said.err
    assert (said.err == "") is (code == 0)


@pytest.mark.parametrize(
    ("words", "code"), [("", 0), ("nosuchprogram", 127), ("/", 126), ("-x", 127)]
)
def test_connlimit_and_the_program(tools: Programs, words: str, code: int) -> None:
    env = {"PROTO": "IPC", "IPCCONNNUM": "1"}
    assert tools.run("s6-connlimit", *words.split(), env=env).code == code


def test_connlimit_in_a_server(world: World, daemons: Programs) -> None:
    """`IPCCONNMAX` is how many there may be at a time."""
    chain = ["s6-connlimit", "sh", "-c", "echo hello; exec cat"]
    with (
        server(world, daemons, "--", *chain, env={"IPCCONNMAX": "2"}) as its,
        its.connect() as one,
        its.connect() as two,
    ):
        assert [one.recv(9), two.recv(9)] == [b"hello\n"] * 2
        assert its.ask() == b""
    assert "s6-connlimit: fatal: " in its.said()
