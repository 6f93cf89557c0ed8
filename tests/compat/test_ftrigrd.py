"""s6-ftrigrd: the helper of the originals' listeners (contract 5.6.4).

First the protocol itself, spoken by an independent client to both helpers; then the originals'
own programs, which start our helper because it is mounted over theirs.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from world.programs import Programs, our_executable
from world.running import World
from world.status import status
from world.waiting import PATIENCE_S, until
from world.witness import ready_on, sleeper

GREETING, REPLY = b"ftrigr v1.0 (b)\n", b"ftrigr v1.0 (a)\n"
EINVAL, ENOENT, EPROTO = b"\x16", b"\x02", b"\x47"


def packed(message: bytes) -> bytes:
    return len(message).to_bytes(4) + message


class Client:
    """A client of one helper; `answer` and `news` wait for a message."""

    def __init__(self, helper: Path, cwd: Path, *, greet: bool = True) -> None:
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        env = {"PATH": "/usr/bin:/bin", "SKALIBS_CHILD_SPAWN_FDS": str(writer)}
        self.popen = subprocess.Popen(
            [helper],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(writer,),
            env=env,
            cwd=cwd,
            bufsize=0,
        )
        os.close(writer)
        assert self.popen.stdin
        assert self.popen.stdout
        self._answers, self._news = self.popen.stdout.fileno(), reader
        self._requests = self.popen.stdin
        if greet:
            self.say(packed(GREETING))
            assert self.news() == REPLY
            assert self.answer() == REPLY

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()
        os.close(self._news)

    def say(self, raw: bytes) -> None:
        self._requests.write(raw)

    def ask(self, message: bytes) -> bytes:
        self.say(packed(message))
        return self.answer()

    def subscribe(self, number: int, path: str, expression: str, *, repeat: bool = False) -> bytes:
        texts = [path.encode(), expression.encode()]
        lengths = b"".join(len(text).to_bytes(4) for text in texts)
        head = number.to_bytes(2) + b"L" + int(repeat).to_bytes(4) + lengths
        return self.ask(head + texts[0] + b"\0" + texts[1] + b"\0")

    def unsubscribe(self, number: int) -> bytes:
        return self.ask(number.to_bytes(2) + b"U")

    def answer(self) -> bytes:
        return self._message(self._answers)

    def news(self) -> bytes:
        return self._message(self._news)

    def has_news(self, timeout_s: float) -> bool:
        return bool(select.select([self._news], [], [], timeout_s)[0])

    def _message(self, descriptor: int) -> bytes:
        return self._bytes(descriptor, int.from_bytes(self._bytes(descriptor, 4)))

    def _bytes(self, descriptor: int, count: int) -> bytes:
        got = b""
        while len(got) < count:
            assert select.select([descriptor], [], [], PATIENCE_S)[0], f"only {got!r}"
            piece = os.read(descriptor, count - len(got))
            assert piece, f"closed after {got!r}"
            got += piece
        return got

    def ended(self) -> tuple[int, str]:
        """Close our end; return the helper's exit code and what it said."""
        _, errors = self.popen.communicate(timeout=PATIENCE_S)
        return self.popen.returncode, errors.decode()


@pytest.fixture
def events(world: World) -> Path:
    path = world.plant({"events": {}}) / "events"
    path.chmod(0o1733)
    return path


@pytest.fixture
def client(tools: Programs, world: World) -> Iterator[Client]:
    with Client(tools.path("s6-ftrigrd"), world.top) as its:
        yield its


def notify(tools: Programs, events: Path, text: str) -> None:
    assert tools.run("s6-ftrig-notify", events, text).code == 0


def subscribers(events: Path) -> int:
    return len([path for path in events.iterdir() if path.name.startswith("ftrig1:")])


def test_a_match_ends_a_subscription(client: Client, tools: Programs, events: Path) -> None:
    assert client.subscribe(7, "events", "b|x") == b"\0"
    assert subscribers(events) == 1
    notify(tools, events, "a")
    assert not client.has_news(0.1)
    notify(tools, events, "bcx")
    assert client.news() == b"\0\x07!b"
    until(lambda: subscribers(events) == 0, "no subscriber")
    assert client.unsubscribe(7) == EINVAL
    assert client.ended() == (0, "")


def test_every_match_of_a_lasting_subscription(
    client: Client, tools: Programs, events: Path
) -> None:
    assert client.subscribe(258, str(events), "u+d", repeat=True) == b"\0"
    notify(tools, events, "uuduuxud")
    assert [client.news(), client.news()] == [b"\x01\x02!d"] * 2
    notify(tools, events, "u")
    notify(tools, events, "d")
    assert client.news() == b"\x01\x02!d"
    assert client.unsubscribe(258) == b"\0"
    assert subscribers(events) == 0
    assert client.ended() == (0, "")


def test_many_subscriptions(client: Client, tools: Programs, events: Path) -> None:
    for number in range(50):
        assert client.subscribe(number, str(events), "ab"[number % 2]) == b"\0"
    notify(tools, events, "a")
    assert sorted(client.news() for _ in range(25)) == [
        bytes([0, number]) + b"!a" for number in range(0, 50, 2)
    ]
    until(lambda: subscribers(events) == 25, "half of them left")
    assert client.ended() == (0, "")
    assert subscribers(events) == 0, "all fifos are removed at the end"


def test_news_that_nobody_reads_block_nothing(
    client: Client, tools: Programs, events: Path
) -> None:
    """The client reads answers first: news must wait without holding them up."""
    assert client.subscribe(1, str(events), "n", repeat=True) == b"\0"
    for _ in range(12):
        notify(tools, events, "n" * 1000)
    assert client.subscribe(2, str(events), "x") == b"\0"
    assert client.unsubscribe(2) == b"\0"
    assert {client.news() for _ in range(12000)} == {b"\0\x01!n"}


def test_anchors_and_matches_of_nothing(client: Client, tools: Programs, events: Path) -> None:
    """An anchor never matches in 2.11; matching nothing is not tried there, it reads wildly."""
    assert client.subscribe(1, str(events), "^b") == b"\0"
    if tools.name == "ours":
        assert client.subscribe(2, str(events), "x*", repeat=True) == b"\0"
    notify(tools, events, "b")
    assert client.has_news(0.2) == (tools.name == "ours")
    if tools.name == "ours":
        assert client.news() == b"\0\x01!b"
        assert not client.has_news(0.2)
    assert client.ended() == (0, "")


NULS = [
    # an expression, what comes, what comes later; whether ours matches at once, and then
    ("b", b"a\0b", b"", True, False),
    ("[^x]b", b"\0b", b"", True, False),
    ("ab", b"ab\0", b"", True, False),
    ("a.b", b"a\0b", b"acb", False, True),
    ("b", b"\0", b"b", False, True),
    ("a\0b", b"a\0b", b"", True, False),
    ("a\0b", b"ab", b"", False, False),
]
"""Theirs sees nothing behind a NUL, of an expression and of all that ever comes."""


@pytest.mark.parametrize(("expression", "first", "later", "at_once", "then"), NULS)
def test_a_nul_is_a_byte(
    client: Client,
    tools: Programs,
    events: Path,
    expression: str,
    first: bytes,
    later: bytes,
    at_once: bool,
    then: bool,
) -> None:
    """Not for a dot, though: as in the C library, that stands for anything else."""
    assert client.subscribe(1, "events", expression) == b"\0"
    if tools.name == "theirs":
        visible = expression.partition("\0")[0]
        at_once, then = visible in first.partition(b"\0")[0].decode(), False
    for text, matches in ((first, at_once), (later, then)):
        with contextlib.ExitStack() as fifos:
            for path in events.iterdir():
                fifos.enter_context(path.open("wb", buffering=0)).write(text)
        assert client.has_news(PATIENCE_S if matches else 0.1) == matches
        if matches:
            assert client.news()[:3] == b"\0\x01!"
    assert client.ended() == (0, "")


def test_a_nul_in_a_path(client: Client, events: Path) -> None:
    """Theirs looks for what is before it; no directory is called that."""
    assert events.exists()
    assert client.subscribe(1, "no\0such", "a") in (ENOENT, EINVAL)
    assert client.subscribe(1, "events", "a") == b"\0"


def test_requests_in_pieces(client: Client, events: Path) -> None:
    assert events.exists()
    message = packed(b"\0\x01L" + bytes(7) + b"\x06" + bytes(3) + b"\x01events\0a\0")
    for byte in message:
        client.say(bytes([byte]))
    assert client.answer() == b"\0"


def test_refused(client: Client) -> None:
    assert client.subscribe(1, "/no/such", "a") == ENOENT
    assert client.subscribe(1, "/", "(") == EINVAL
    assert client.unsubscribe(1) == EINVAL
    assert client.ask(b"\0\x01L") == EPROTO
    assert client.ask(b"\0\x01L" + bytes(7) + b"\x09" + bytes(3) + b"\x01events\0a\0") == EPROTO
    assert client.ended() == (0, "")


@pytest.mark.parametrize("message", [b"\0\x01X", b"\0", b""])
def test_nonsense_ends_it(client: Client, message: bytes) -> None:
    client.say(packed(message))
    assert client.popen.wait(PATIENCE_S) == 100
    _, said = client.ended()
    assert said.startswith("s6-ftrigrd: fatal: ")


def test_another_version(tools: Programs, world: World) -> None:
    with Client(tools.path("s6-ftrigrd"), world.top, greet=False) as client:
        client.say(packed(b"ftrigr v2.0 (b)\n"))
        code, said = client.ended()
    assert code == (100 if tools.name == "ours" else 111)
    assert said.startswith("s6-ftrigrd: fatal: unable to ")
    if tools.name == "ours":
        assert said.endswith(r'greets with "ftrigr v2.0 (b)\n", not with "ftrigr v1.0 (b)\n"' "\n")


def test_not_for_people(tools: Programs) -> None:
    said = tools.run("s6-ftrigrd")
    assert said.code == (100 if tools.name == "ours" else 111)
    assert said.err.startswith("s6-ftrigrd: fatal: ")
    if tools.name == "ours":
        assert "SKALIBS_CHILD_SPAWN_FDS; this is not for people" in said.err


WITH_OURS = 'mount --bind "$1" /usr/bin/s6-ftrigrd && shift && exec "$@"'

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def under_ours() -> list[str]:
    """Put before one of the originals, makes our helper the one that its library starts."""
    return ["unshare", "--mount", "sh", "-c", WITH_OURS, "sh", str(our_executable())]


@needs_root
def test_their_ftrig_listeners(world: World, events: Path) -> None:
    their = Path("/usr/bin")
    notify_it = [str(their / "s6-ftrig-notify"), str(events), "abc"]
    cases: list[tuple[list[str | Path], str]] = [
        ([their / "s6-ftrig-listen1", events, "b", *notify_it], "b\n"),
        ([their / "s6-ftrig-listen", events, "c", "", *notify_it], ""),
    ]
    for words, out in cases:
        said = subprocess.run(
            [*under_ours(), *words], capture_output=True, text=True, check=False, timeout=30
        )
        assert (said.returncode, said.stdout, said.stderr) == (0, out, "")
    assert subscribers(events) == 0


@needs_root
def test_their_ftrig_wait(world: World, tools: Programs, events: Path) -> None:
    waiting = subprocess.Popen(
        [*under_ours(), "/usr/bin/s6-ftrig-wait", "-t10000", events, "a.c"],
        stdout=subprocess.PIPE,
    )
    until(lambda: subscribers(events) == 1, "the subscription")
    notify(tools, events, "ab")
    assert waiting.poll() is None
    notify(tools, events, "c")
    assert waiting.communicate(timeout=PATIENCE_S)[0] == b"c\n"
    assert waiting.returncode == 0
    late = [*under_ours(), "/usr/bin/s6-ftrig-wait", "-t500", str(events), "x"]
    assert subprocess.run(late, check=False, timeout=30).returncode == 1
    assert subscribers(events) == 0


@needs_root
def test_their_svwait_and_svlink(world: World, daemons: Programs) -> None:
    servicedir = world.service({**ready_on(3), "down": ""})
    scanner = world.scan(daemons, world.plant({}, "scan"))
    env = {"PATH": "/usr/bin:/bin"}

    def run(*words: str | Path) -> int:
        command = [*under_ours(), *words]
        return subprocess.run(command, env=env, check=False, timeout=30).returncode

    assert run("s6-svlink", "-t5000", scanner.directory, servicedir) == 0
    assert run("s6-svc", "-u", "-wU", "-T5000", servicedir) == 0
    assert status(servicedir).ready
    assert run("s6-svwait", "-d", "-t500", servicedir) == 99
    assert run("s6-svlisten1", "-D", "-t5000", servicedir, "s6-svc", "-d", servicedir) == 0
    assert status(servicedir).down
    assert run("s6-svlisten", "-U", "-t5000", servicedir, "", "s6-svc", "-u", servicedir) == 0
    assert run("s6-svwait", "-u", "-o", "-t5000", servicedir) == 0
    assert run("s6-svc", "-r", "-wR", "-T5000", servicedir) == 0
    assert status(servicedir).ready
    assert run("s6-svunlink", "-t5000", scanner.directory, "web") == 0


@needs_root
def test_their_notifyoncheck(world: World, daemons: Programs) -> None:
    words = " ".join([*under_ours()[:4], f"'{WITH_OURS}'", "sh", str(our_executable())])
    content = {
        **sleeper(),
        "run!": f"#!/bin/sh\nexec {words} s6-notifyoncheck sleep 1000\n",
        "data/check!": "#!/bin/sh\ntrue\n",
        "notification-fd": "3\n",
    }
    supervisor = world.supervise(daemons, world.service(content), env={"PATH": "/usr/bin:/bin"})
    supervisor.events.expect("suU")
