"""s6-socklog: datagrams in, lines out (contract 1.4)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from world.logs import content
from world.programs import Programs
from world.running import World
from world.waiting import PATIENCE_S, holds_for, until

MESSAGES = {
    b"<13>hello": b"user.notice: hello",
    b"<30>two newlines\n\n": b"daemon.info: two newlines",
    b"plain": b"plain",
    b"<13>a\nb\0c\0\n": b"user.notice: a~b~c",
    b"\n\n": b"",
    b"<13>": b"user.notice: ",
    b"<13": b"<13",
    b"<>x": b"<>x",
    b"<x>y": b"<x>y",
    b"<99999999999>big": b"<99999999999>big",
    b"<199>mark": b"mark.debug: mark",
    b"\xff\xfe": b"\xff\xfe",
    b"x" * 100: b"x" * 100,
    b"y" * 101: b"y" * 101 + b"...",
    b"z" * 999: b"z" * 101 + b"...",
    b"<13>" + b"q" * 96 + b"\n\n": b"user.notice: " + b"q" * 96 + b"...",
    b"<13>" + b"q" * 99: b"user.notice: " + b"q" * 97 + b"...",
}


class Syslog:
    """A running s6-socklog."""

    def __init__(self, tools: Programs, words: Sequence[str], env: dict[str, str]) -> None:
        ready, notify = os.pipe()
        self.popen = subprocess.Popen(
            [tools.path("s6-socklog"), f"-d{notify}", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**tools.environment(), **env},
            pass_fds=[notify],
        )
        os.close(notify)
        with os.fdopen(ready, "rb") as pipe:
            self.ready = pipe.read() == b"\n"

    def line(self) -> bytes:
        assert self.popen.stdout
        return self.popen.stdout.readline()

    def end(self) -> tuple[int, bytes]:
        self.popen.terminate()
        out, _ = self.popen.communicate(timeout=PATIENCE_S)
        return self.popen.returncode, out


@contextmanager
def syslog(tools: Programs, *words: str, **env: str) -> Iterator[Syslog]:
    its = Syslog(tools, words, env)
    try:
        yield its
    finally:
        its.popen.kill()
        its.popen.communicate()


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.connect(str(path))
        yield own


@pytest.mark.parametrize("raw", [False, True])
def test_messages(world: World, tools: Programs, raw: bool) -> None:
    path = world.top / "log"
    with syslog(tools, "-l100", f"-x{path}", *(["-r"] if raw else [])) as its:
        assert its.ready
        assert path.stat().st_mode & 0o777 == 0o777
        with client(path) as own:
            for message, line in MESSAGES.items():
                if message == b"<13" and not tools.expects.socklog_is_careful:
                    continue
                own.send(message)
                if raw:
                    cut = message[:101].rstrip(b"\n\0").replace(b"\n", b"~").replace(b"\0", b"~")
                    line = cut + (b"..." if len(message) > 100 else b"")
                assert its.line() == line + b"\n"
        assert its.end() == (0, b"")


@pytest.mark.parametrize(
    ("limit", "longest"), [(None, 1024), ("1", 76), ("5000", 5000), ("99999999", 1 << 20)]
)
def test_lengths(world: World, tools: Programs, limit: str | None, longest: int) -> None:
    path = world.top / "log"
    words = [] if limit is None else [f"-l{limit}"]
    with syslog(tools, *words, f"-x{path}") as its, client(path) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        for length in (longest, longest + 1):
            text = b"x" * min(length, 100_000)  # more, the kernel may not take
            own.send(text)
            assert its.line() == text + (b"...\n" if len(text) > longest else b"\n")


def test_an_empty_datagram(world: World, tools: Programs) -> None:
    path = world.top / "log"
    with syslog(tools, f"-x{path}") as its, client(path) as own:
        own.send(b"")
        if tools.expects.socklog_is_careful:
            own.send(b"next")
            assert its.line() == b"next\n"
        else:
            assert its.popen.wait(PATIENCE_S) == 111


@pytest.mark.parametrize(
    ("word", "family", "ip"),
    [
        ("127.0.0.1_{}", socket.AF_INET, "127.0.0.1"),
        ("127.0.0.1:{}", socket.AF_INET, "127.0.0.1"),
        ("::1_{}", socket.AF_INET6, "::1"),
    ],
)
def test_udp(
    world: World, tools: Programs, word: str, family: socket.AddressFamily, ip: str
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as other:
        other.bind((ip, 0))
        port = other.getsockname()[1]
    with (
        syslog(tools, "-i", word.format(port)) as its,
        socket.socket(family, socket.SOCK_DGRAM) as own,
    ):
        own.connect((ip, port))
        own.send(b"<13>hello\n")
        line = its.line()
        assert line.endswith(b": user.notice: hello\n")
        if tools.expects.socklog_is_careful:
            assert line == b"%s_%d: user.notice: hello\n" % (ip.encode(), own.getsockname()[1])


def test_a_socket_that_was_left_is_replaced(world: World, tools: Programs) -> None:
    path = world.top / "log"
    with syslog(tools, f"-x{path}") as its:
        its.popen.kill()
        its.popen.wait()
    with syslog(tools, f"-x{path}") as its, client(path) as own:
        own.send(b"a")
        assert its.line() == b"a\n"


def test_a_second_one_stays_out(world: World, daemons: Programs, tools: Programs) -> None:
    path = world.top / "log"
    with syslog(daemons, f"-x{path}") as its, client(path) as own:
        with syslog(tools, f"-x{path}") as second:
            assert second.popen.wait(PATIENCE_S) == 111
            assert not second.ready
            assert second.popen.stderr
            assert str(path).encode() in second.popen.stderr.read()
        own.send(b"a")
        assert its.line() == b"a\n"


def test_something_else_is_not_replaced(world: World, tools: Programs) -> None:
    path = world.top / "log"
    path.write_bytes(b"mine")
    with syslog(tools, f"-x{path}") as its:
        if tools.expects.socklog_is_careful:
            assert its.popen.wait(PATIENCE_S) == 111
            assert path.read_bytes() == b"mine"
        else:
            assert its.ready


@pytest.mark.parametrize(
    "words",
    [
        *(["-q"], ["-d2"], ["-d77"], ["-lx"], ["-tx"], ["-ux"], ["-Gx"], ["-U"], ["-x"]),
        *(["-inonsense"], ["-i127.0.0.1_x"], ["-i127.0.0.1_65536"]),
    ],
    ids=lambda words: words[0],
)
def test_mistakes(world: World, tools: Programs, words: list[str]) -> None:
    where = [] if words[0].startswith("-i") else [f"-x{world.top}/log"]
    done = subprocess.run(
        [tools.path("s6-socklog"), *where, *words], capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (100, b"")
    assert done.stderr
    assert not (world.top / "log").exists()


def test_rights_are_given_up(world: World, tools: Programs) -> None:
    """The socket is made before: only then can it be in /dev."""
    words = [f"-x{world.top}/log", "-U", "-g7"]
    with syslog(tools, *words, UID="32760", GID="32760", GIDLIST="5,6") as its:
        assert its.ready
        text = Path(f"/proc/{its.popen.pid}/status").read_text()
        status = dict(line.split(":", 1) for line in text.splitlines())
        assert status["Uid"].split() == ["32760"] * 4
        assert status["Gid"].split() == ["7"] * 4
        assert {"5", "6"} <= set(status["Groups"].split())
        with client(world.top / "log") as own:
            own.send(b"a")
        assert its.line() == b"a\n"


def test_a_reader_that_does_not_read(world: World, tools: Programs) -> None:
    """Senders wait; nothing is lost; SIGTERM waits as long as -t says."""
    path = world.top / "log"
    with syslog(tools, "-t100", f"-x{path}") as its, client(path) as own:
        own.settimeout(0.3)
        sent = 0
        with suppress(TimeoutError):
            while sent < 10_000:
                own.send(b"%06d " % sent + b"x" * 1000)
                sent += 1
        assert 60 <= sent < 1000, "what pipe, program and socket hold"
        its.popen.send_signal(signal.SIGTERM)
        assert its.popen.wait(PATIENCE_S) == 99
        assert its.popen.stdout
        lines = its.popen.stdout.read().splitlines()
        assert [int(line[:6]) for line in lines[:-1]] == list(range(len(lines) - 1))


def test_what_has_been_read_is_flushed(world: World, tools: Programs) -> None:
    path = world.top / "log"
    with syslog(tools, f"-x{path}") as its, client(path) as own:
        own.settimeout(0.3)
        with suppress(TimeoutError):
            for _ in range(10_000):
                own.send(b"x" * 1000)
        its.popen.send_signal(signal.SIGTERM)
        assert holds_for(lambda: its.popen.poll() is None, 0.1)
        code, out = its.end()
        assert code == 0
        assert len(out) > 60_000
        assert len(out) % 1001 == 0, "whole lines"


def test_the_reader_has_gone(world: World, tools: Programs) -> None:
    path = world.top / "log"
    with syslog(tools, f"-x{path}") as its, client(path) as own:
        assert its.popen.stdout
        its.popen.stdout.close()
        own.send(b"x")
        assert its.popen.wait(PATIENCE_S) == 111
        assert its.popen.stderr
        assert b"stdout" in its.popen.stderr.read()


RULES = [
    *("-", "+^auth\\.", "+^authpriv\\.", "./secure"),
    *("-", "+^cron\\.", "./cron", "-", "+^daemon\\.", "./daemon"),
    *("-", "+^[[:alnum:]]*\\.debug:", "./debug"),
    *("-", "+^[[:alnum:]]*\\.(err|error|emerg|alert|crit):", "./errors"),
    *("-", "+^kern\\.", "./kernel", "-", "+mail\\.", "./mail", "-", "+user\\.", "./user"),
    *("-", "+^[[:alnum:]]*\\.(info|notice|warn)", "-^auth\\.", "-^authpriv\\.", "-^cron\\."),
    *("-daemon\\.", "-mail\\.", "./messages"),
    *("+", "-^auth\\.", "-^authpriv\\.", "./everything"),
]
"""How s6-overlay's syslogd sorts (contract s6-overlay 9.1)."""

SORTED = {
    b"<38>auth.info": {"secure"},
    b"<80>authpriv.emerg": {"secure", "errors"},
    b"<78>cron.info": {"cron", "everything"},
    b"<27>daemon.err": {"daemon", "errors", "everything"},
    b"<15>user.debug": {"debug", "user", "everything"},
    b"<6>kern.info": {"kernel", "messages", "everything"},
    b"<22>mail.info": {"mail", "everything"},
    b"<13>user.notice": {"user", "messages", "everything"},
    b"<132>local0.warning": {"messages", "everything"},
    b"<131>local0.err": {"errors", "everything"},
    b"no priority": {"everything"},
}


def test_with_the_rules_of_s6_overlay(world: World, daemons: Programs, tools: Programs) -> None:
    """A whole syslogd: s6-socklog, and s6-log that sorts."""
    path = world.top / "log"
    with syslog(daemons, f"-x{path}") as its, client(path) as own:
        assert its.popen.stdout
        words = [str(tools.path("s6-log")), "--", *RULES]
        logger = subprocess.Popen(words, stdin=its.popen.stdout, cwd=world.top)
        for message in SORTED:
            own.send(message)
        last = next(reversed(SORTED))
        everything = world.top / "everything"
        until(
            lambda: everything.exists() and content(everything).endswith(last + b"\n"),
            "the last message",
        )
        its.popen.terminate()
        assert its.popen.wait(PATIENCE_S) == 0
        its.popen.stdout.close()
        assert logger.wait(PATIENCE_S) == 0
    places = {name[2:] for name in RULES if name.startswith("./")}
    for message, where in SORTED.items():
        found = {name for name in places if message.split(b">")[-1] in content(world.top / name)}
        assert found == where, message
