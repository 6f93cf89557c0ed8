"""s6-fdholderd byte by byte: its answers, clients that say something else, and its end."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import signal
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from world.holding import (
    Client,
    Holder,
    ask,
    entry,
    hold,
    opened,
    rules,
    stamp,
    until_descriptors,
)
from world.programs import Programs
from world.running import World
from world.waiting import PATIENCE_S, holds_for

OK = b"\0"


def refused(why: int) -> bytes:
    return bytes([why])


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def test_answers(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons, "-n", "3")
    with holder.connect() as client, opened() as fd:
        assert client.ask(b"L") == OK + number(0)
        assert client.ask(b"?") == OK + number(0) * 2
        assert client.ask(b"S" + entry(b"a"), [fd]) == OK
        assert client.ask(b"S" + entry(b"a"), [fd]) == refused(errno.EBUSY)
        assert client.ask(b"L") == OK + number(1) + b"a\0"
        client.send(b"R\0\x01a\0")
        assert client.receive() == (OK, 1)
        assert client.ask(b"R\0\x01b\0") == refused(errno.ENOENT)
        assert client.ask(b"D\x01b\0") == refused(errno.ENOENT)
        limit = stamp(1000)
        assert client.ask(b"!" + number(2)) == OK + number(1)
        assert client.ask(b"." + entry(b"a", limit), [fd]) == refused(errno.EAGAIN)
        assert client.ask(b"." + entry(b"b", limit), [fd]) == OK
        client.send(b"?")
        assert client.receive() == (OK + number(1) + number(2), 0)
        body, count = client.receive()
        assert count == 2
        assert body in (
            entry(b"a", limit) + entry(b"b", limit),
            entry(b"b", limit) + entry(b"a", limit),
        )
        assert client.ask(b"!" + number(2)) == refused(errno.ENFILE)
        assert client.ask(b"!" + number(2**32 - 1)) == refused(errno.ENFILE)
        assert client.ask(b"S" + entry(b"c"), [fd]) == OK
        assert client.ask(b"S" + entry(b"d"), [fd]) == refused(errno.ENFILE)
        client.send(b"R\xff\x01c\0")
        assert client.receive() == (OK, 1)
        assert client.ask(b"D\x01a\0") == OK
        assert client.ask(b"!" + number(0)) == OK + number(0)
        assert client.ask(b"L") == OK + number(1) + b"b\0"


def test_requests_may_come_in_any_pieces(world: World, daemons: Programs) -> None:
    if not daemons.expects.fdholder_waits_for_the_rest:
        return
    holder = hold(world, daemons)
    request = b"S" + entry(b"name")
    message = struct.pack(">IH", len(request), 1) + request
    with opened() as fd:
        for size in (1, 2, 5, 7, len(message) - 1):
            with holder.connect() as client:
                for at in range(0, len(message), size):
                    client.send_bytes(message[at : at + size], [fd] if at == 0 else [])
                assert client.receive()[0] in (OK, refused(errno.EBUSY))
    with holder.connect() as client:
        assert client.ask(b"L") == OK + number(1) + b"name\0"


def test_many_requests_at_once(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    with holder.connect() as client:
        client.send_bytes((struct.pack(">IH", 1, 0) + b"L") * 300)
        for _ in range(300):
            assert client.receive() == (OK + number(0), 0)


Say = Callable[[Client, int], None]

NONSENSE: dict[str, Say] = {
    "empty": lambda it, fd: it.send(b""),
    "unknown": lambda it, fd: it.send(b"X"),
    "L and more": lambda it, fd: it.send(b"Lx"),
    "L with a descriptor": lambda it, fd: it.send(b"L", [fd]),
    "? and more": lambda it, fd: it.send(b"?x"),
    "! without a number": lambda it, fd: it.send(b"!"),
    "! with a short number": lambda it, fd: it.send(b"!\0\0\1"),
    "! with a descriptor": lambda it, fd: it.send(b"!" + number(1), [fd]),
    "D without a name": lambda it, fd: it.send(b"D"),
    "D with an empty name": lambda it, fd: it.send(b"D\0\0"),
    "D with a long length": lambda it, fd: it.send(b"D\x05ab\0"),
    "D with a short length": lambda it, fd: it.send(b"D\x01ab\0"),
    "D without NUL": lambda it, fd: it.send(b"D\x02abc"),
    "R without a name": lambda it, fd: it.send(b"R\0"),
    "R with a long length": lambda it, fd: it.send(b"R\0\xffab\0"),
    "S without a descriptor": lambda it, fd: it.send(b"S" + entry(b"a")),
    "S with two": lambda it, fd: it.send(b"S" + entry(b"a"), [fd, fd]),
    "S with half a stamp": lambda it, fd: it.send(b"S" + stamp()[:6], [fd]),
    "S without NUL": lambda it, fd: it.send(b"S" + entry(b"a")[:-1] + b"x", [fd]),
    ". unannounced": lambda it, fd: it.send(b"." + entry(b"a"), [fd]),
    ". with too many": lambda it, fd: _dump(it, fd, 1, b"." + entry(b"a") + entry(b"b"), 2),
    ". with too few": lambda it, fd: _dump(it, fd, 3, b"." + entry(b"a") + entry(b"b"), 1),
    ". with nothing": lambda it, fd: _dump(it, fd, 1, b".", 0),
    ". cut": lambda it, fd: _dump(it, fd, 1, b"." + entry(b"a")[:-1], 1),
    "L within a dump": lambda it, fd: _dump(it, fd, 1, b"L", 0),
    "! within a dump": lambda it, fd: _dump(it, fd, 1, b"!" + number(1), 0),
    "more than the protocol's limit": lambda it, fd: it.send_bytes(b"\x10\0\0\1\0\0"),
    "as long as can be said": lambda it, fd: it.send_bytes(b"\xff" * 4 + b"\0\0"),
    "more descriptors than can be": lambda it, fd: it.send_bytes(b"\0\0\0\1\1\0L"),
}


def _dump(client: Client, fd: int, announced: int, body: bytes, count: int) -> None:
    assert client.ask(b"!" + number(announced))[:1] == OK
    client.send(body, [fd] * count)


def test_nonsense_ends_the_connection_and_nothing_else(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.descriptors()
    with holder.connect() as witness, opened() as fd:
        assert witness.ask(b"S" + entry(b"held"), [fd]) == OK
        for name, say in NONSENSE.items():
            with holder.connect() as client:
                with contextlib.suppress(BrokenPipeError):
                    say(client, fd)
                client.connection.settimeout(1)
                assert client.is_closed(), name
        assert witness.ask(b"L") == OK + number(1) + b"held\0"
    until_descriptors(holder, before + 1)


def test_a_client_killed_within_a_message(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.descriptors()
    message = struct.pack(">IH", 16, 1) + b"S" + entry(b"x")
    for cut in (1, 3, 6, 7, 15):
        with holder.connect() as client, opened() as fd:
            client.send_bytes(message[:cut], [fd])
            child = os.fork()
            if child == 0:  # the kernel closes its copy of the connection, and only that
                os.kill(os.getpid(), signal.SIGKILL)
            os.waitpid(child, 0)
            if daemons.expects.fdholder_waits_for_the_rest:
                until_descriptors(holder, before + 2)
            else:
                assert client.is_closed()
        until_descriptors(holder, before)


def test_a_client_killed_before_it_takes_its_answer(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.descriptors()
    with holder.connect() as client, opened() as fd:
        for name in range(50):
            assert client.ask(b"S" + entry(b"%03d" % name), [fd]) == OK
    for _ in range(20):
        with holder.connect() as client:
            client.send(b"?")
    until_descriptors(holder, before + 50)
    with holder.connect() as client:
        client.send(b"?")
        assert client.receive() == (OK + number(1) + number(50), 0)
        assert client.receive()[1] == 50


@pytest.mark.ours_only
def test_who_does_not_read_is_not_read(world: World, daemons: Programs) -> None:
    """A thousand lists of a megabyte are asked for, and none is taken."""
    holder = hold(world, daemons, "-n", "900")
    with holder.connect() as client, opened() as fd:
        for name in range(900):
            assert client.ask(b"S" + entry(b"%0255d" % name), [fd]) == OK
    before = holder.memory_kb()
    with holder.connect() as silent, holder.connect() as other:
        silent.connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            say_for_ever(silent, (struct.pack(">IH", 1, 0) + b"L") * 1000)
        assert other.ask(b"D\x01x\0") == refused(errno.ENOENT), "nobody else has to wait"
        assert holder.memory_kb() - before < 4096


def say_for_ever(client: Client, data: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send until that is an error."""
    while True:
        client.send_bytes(data, descriptors)


@pytest.mark.ours_only
def test_what_is_too_long_is_not_waited_for(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    before = holder.memory_kb()
    with holder.connect() as client:
        client.send_bytes(struct.pack(">IH", 100_000, 0))
        assert client.is_closed()
    with holder.connect() as client, pytest.raises((BrokenPipeError, ConnectionResetError)):
        client.send_bytes(struct.pack(">IH", 1 << 27, 0) + bytes(1 << 22))
    assert holder.memory_kb() - before < 1024


@pytest.mark.ours_only
def test_descriptors_that_belong_to_nothing(world: World, daemons: Programs) -> None:
    """A few bytes at a time, each with as many descriptors as the kernel takes."""
    holder = hold(world, daemons)
    before = holder.descriptors()
    failed = pytest.raises((BrokenPipeError, ConnectionResetError))
    with holder.connect() as client, opened() as fd, failed:
        say_for_ever(client, b"\0", [fd] * 253)
    until_descriptors(holder, before)


@pytest.mark.ours_only
def test_any_bytes(world: World, daemons: Programs) -> None:
    """S6X_FUZZ_ROUNDS: how many connections (200)."""
    rounds = int(os.environ.get("S6X_FUZZ_ROUNDS", "200"))
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    holder = hold(world, daemons, "-n", "100")
    before = holder.descriptors()
    pieces = [b"S", b"D", b"R", b"L", b"?", b"!", b".", b"\0", b"\1", b"\xff", entry(b"a"), stamp()]
    with opened() as fd:
        for _ in range(rounds):
            with holder.connect() as client:
                try:
                    for _ in range(dice.randrange(1, 9)):
                        body = b"".join(dice.choices(pieces, k=dice.randrange(1, 5)))
                        body = bytes(dice.choice((b, b, b, dice.randrange(256))) for b in body)
                        client.send(body, [fd] * dice.randrange(3), count=dice.randrange(3))
                except (BrokenPipeError, ConnectionResetError):
                    pass
    with holder.connect() as client:
        body = client.ask(b"L")
        assert body[:1] == OK, f"seed {seed}"
        held = int.from_bytes(body[1:5], "big")
    until_descriptors(holder, before + held)
    assert holder.end() == (held != 0, ""), f"seed {seed}"


def test_the_time_a_client_has(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons, "-t", "200")
    with holder.connect() as idle, holder.connect() as busy:
        assert busy.ask(b"L") == OK + number(0)
        assert idle.is_closed(), "its first request did not come"
        assert busy.ask(b"L") == OK + number(0), "who has asked once may rest"


@pytest.mark.ours_only
def test_the_time_for_the_rest_of_a_request(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons, "-t", "200")
    with holder.connect() as client:
        assert client.ask(b"L") == OK + number(0)
        client.send_bytes(b"\0\0\0\1")
        assert client.is_closed()


def test_the_end(world: World, daemons: Programs) -> None:
    for held, clients in ((False, False), (True, False), (False, True), (True, True)):
        holder = hold(world, daemons)
        with holder.connect() as client, opened() as fd:
            if held:
                assert client.ask(b"S" + entry(b"a"), [fd]) == OK
            else:
                assert client.ask(b"L") == OK + number(0)
            if not clients:
                before = holder.descriptors()
                client.connection.close()
                until_descriptors(holder, before - 1)
            assert holder.end() == (held | clients << 1, "")


def owe_an_answer(holder: Holder, client: Client) -> None:
    """Have the holder wait for a client that has asked for much, and takes nothing."""
    with opened() as fd:
        for name in range(900):
            assert client.ask(b"S" + entry(b"%0255d" % name), [fd]) == OK
    client.send_bytes((struct.pack(">IH", 1, 0) + b"L") * 3)
    client.connection.recv(1, socket.MSG_PEEK)


def test_the_end_waits_for_answers(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    with holder.connect() as client:
        owe_an_answer(holder, client)
        holder.popen.send_signal(signal.SIGTERM)
        assert holds_for(lambda: holder.popen.poll() is None, 0.1)
        late = world.start(daemons, "s6-fdholder-list", holder.socket)
        assert holds_for(lambda: late.poll() is None, 0.05), "nobody takes it in"
        for _ in range(3):
            assert client.receive()[0][:5] == OK + number(900)
        more = b"".join(iter(lambda: client.connection.recv(1 << 16), b""))
        assert (more != b"") == daemons.expects.fdholder_repeats_answers
        assert holder.popen.wait(PATIENCE_S) == 3
        assert late.wait(PATIENCE_S) == 1


def test_the_end_comes_for_sure(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons, "-T", "100")
    with holder.connect() as client:
        owe_an_answer(holder, client)
        assert holder.terminate() == 3


@pytest.mark.ours_only
def test_the_end_waits_for_the_rest_of_a_request(world: World, daemons: Programs) -> None:
    holder = hold(world, daemons)
    with holder.connect() as client:
        assert client.ask(b"L") == OK + number(0)
        client.send_bytes(b"\0\0\0\1\0")
        holder.popen.send_signal(signal.SIGHUP)
        assert holds_for(lambda: holder.popen.poll() is None, 0.05)
        holder.popen.send_signal(signal.SIGTERM)
        assert holds_for(lambda: holder.popen.poll() is None, 0.1)
        client.send_bytes(b"\0L")
        assert client.receive() == (OK + number(0), 0)
        assert holder.popen.wait(PATIENCE_S) == 2


def hold_as(
    world: World, daemons: Programs, chain: Sequence[str], options: Sequence[str | Path]
) -> Holder:
    """Start s6-fdholder-daemon behind another program, and wait until clients can connect."""
    path = world.top / "socket"
    program, *words = chain
    daemon = daemons.path("s6-fdholder-daemon")
    popen = world.start(daemons, program, *words, daemon, "-1", *options, path)
    assert popen.stdout
    assert popen.stdout.read(1) == "\n"
    return Holder(popen, path)


@pytest.mark.ours_only
def test_no_descriptors_for_clients(world: World, daemons: Programs) -> None:
    """Of 40 descriptors, the clients' are kept free: who holds something can be asked for it."""
    options = ["-c", "8", "-i", str(rules(world.top))]
    holder = hold_as(world, daemons, ["s6-softlimit", "-H", "-o", "40"], options)
    with opened() as fd:
        with holder.connect() as client:
            held = 0
            while (answer := client.ask(b"S" + entry(b"%d" % held), [fd])) == OK:
                held += 1
            assert (held, answer) == (40 - 8 - 6, refused(errno.ENFILE))
        clients = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for each in clients:
            each.connect(str(holder.socket))
        for each in clients:
            each.close()
        with holder.connect() as client:
            assert client.ask(b"D\x010\0") == OK
    assert holder.end()[0] & 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_daemon_gives_up_its_rights(world: World, daemons: Programs) -> None:
    """-U takes them from variables; -v and -b change nothing that a client sees."""
    where = rules(world.top, key=f"uid/{os.geteuid()}").name
    world.top.chmod(0o755)  # above that, nobody may look
    options = ["-U", "-v2", "-b", "3", "-i", where]
    holder = hold_as(world, daemons, ["s6-envuidgid", "nobody"], options)
    with opened() as fd, holder.connect() as client:
        assert client.ask(b"S" + entry(b"x"), [fd]) == OK
    fields = Path(f"/proc/{holder.popen.pid}/status").read_text()
    assert re.search(r"^Uid:(\t65534){4}$", fields, re.MULTILINE)
    assert re.search(r"^Gid:(\t65534){4}$", fields, re.MULTILINE)
    assert holder.end()[0] & 1


def test_too_few_descriptors_for_anything(world: World, daemons: Programs) -> None:
    where = rules(world.top)
    done = daemons.run(
        "s6-fdholder-daemon",
        *("-i", where, world.top / "socket"),
        under=["sh", "-c", 'ulimit -n 6; exec "$@"', "sh"],
    )
    assert done.code == 111


Serve = Callable[[Client], None]

SERVERS: dict[str, tuple[Serve, str]] = {
    "closes": (lambda it: None, "Broken pipe"),
    "closes after half a head": (lambda it: it.send_bytes(b"\0\0"), "Broken pipe"),
    "closes within a message": (lambda it: it.send_bytes(b"\0\0\0\5\0\0\0"), "Broken pipe"),
    "says what is too long": (lambda it: it.send_bytes(b"\xff" * 6), "Protocol error"),
    "has an empty answer": (lambda it: it.send(b""), "Protocol error"),
    "says yes and more": (lambda it: it.send(b"\0\0\0"), "Protocol error"),
    "sends a descriptor": (lambda it: it.send(b"\0\0", [0]), "Protocol error"),
    "does not permit it": (lambda it: it.send(refused(errno.EPERM)), "Operation not permitted"),
}


WORDS: dict[str, list[str]] = {
    **{"store": ["id"], "delete": ["id"], "retrieve": ["id", "true"]},
    **{"list": [], "getdump": ["true"], "setdump": []},
}
"""What each client is given behind the socket."""


@pytest.mark.parametrize(("what", "words"), WORDS.items())
def test_servers_that_are_none(world: World, tools: Programs, what: str, words: list[str]) -> None:
    path = world.top / "server"
    env = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "a"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        for name, (serve, why) in SERVERS.items():
            if name == "has an empty answer" and not tools.expects.fdholder_clients_are_careful:
                continue  # some of them read what is not there
            popen = subprocess.Popen(
                [tools.path(f"s6-fdholder-{what}"), path, *words],
                env={**tools.environment(), **env},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                client = Client(connection)
                client.receive()
                serve(client)
                with contextlib.suppress(OSError):  # it may have gone
                    connection.shutdown(socket.SHUT_WR)
                _, errors = popen.communicate(timeout=PATIENCE_S)
            assert popen.returncode == 1, (name, errors)
            if tools.expects.fdholder_clients_are_careful:
                assert why in errors, name


@pytest.mark.parametrize("what", WORDS)
def test_a_server_that_does_not_answer(world: World, tools: Programs, what: str) -> None:
    path = world.top / "server"
    env = {"S6_FD#": "1", "S6_FD_0": "0", "S6_FDID_0": "a"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        done = ask(tools, path, what, *WORDS[what], options=["-t", "100"], env=env)
        assert done.code == 1
        assert os.strerror(errno.ETIMEDOUT) in done.err


def test_a_server_without_room(world: World, tools: Programs) -> None:
    """The kernel lets nobody connect: whoever has a limit gives up."""
    path = world.top / "server"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        waiting = []
        while True:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            try:
                waiting[-1].connect(str(path))
            except BlockingIOError:
                break
        done = ask(tools, path, "list", options=["-t", "100"])
        assert done.code == 111
        for each in waiting:
            each.close()


def test_readiness_without_stdout(world: World, daemons: Programs) -> None:
    program, where = daemons.path("s6-fdholder-daemon"), rules(world.top)
    done = subprocess.run(
        ["sh", "-c", f"exec {program} -1 -i {where} {world.top}/socket >&-"],
        env=daemons.environment(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 100


def test_stdout_is_put_away(world: World, daemons: Programs) -> None:
    """Whoever reads the readiness sees the end behind it."""
    holder = hold(world, daemons)
    assert holder.popen.stdout
    assert holder.popen.stdout.read() == ""
    assert Path(f"/proc/{holder.pid}").exists()
