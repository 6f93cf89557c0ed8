"""s6-ftrig-notify, s6-ftrig-wait, s6-ftrig-listen1, s6-ftrig-listen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from world.events import Subscriber
from world.programs import Programs
from world.running import World
from world.waiting import until


@pytest.fixture
def fifodir(world: World, tools: Programs) -> Path:
    place = world.top / "fifodir"
    assert tools.run("s6-mkfifodir", place).code == 0
    return place


def subscriptions(fifodir: Path) -> list[Path]:
    return list(fifodir.glob("ftrig1:*"))


@pytest.mark.parametrize("message", ["u", "some words", "abc\n"])
def test_notify(tools: Programs, fifodir: Path, message: str) -> None:
    with Subscriber(fifodir) as one, Subscriber(fifodir) as other:
        said = tools.run("s6-ftrig-notify", fifodir, message)
        assert (said.code, said.out, said.err) == (0, "", "")
        one.expect(message)
        other.expect(message)


def test_notify_nobody(tools: Programs, fifodir: Path) -> None:
    assert tools.run("s6-ftrig-notify", fifodir, "x").code == 0


def test_notify_is_stopped_by_nothing_in_the_directory(tools: Programs, fifodir: Path) -> None:
    (fifodir / "ordinary").write_text("kept")
    (fifodir / "ftrig1:ordinary").write_text("kept")
    with Subscriber(fifodir) as subscriber:
        assert tools.run("s6-ftrig-notify", fifodir, "x").code == 0
        subscriber.expect("x")
    assert (fifodir / "ordinary").read_text() == "kept"
    assert (fifodir / "ftrig1:ordinary").read_text() == "kept"


@pytest.mark.parametrize(
    ("regex", "sent", "last"),
    [("x", "abx", "x"), ("[0-9]", "ab7", "7"), ("ab+c", "abbbc", "c"), ("(u|U)", "dU", "U")],
)
def test_wait(
    world: World, tools: Programs, fifodir: Path, regex: str, sent: str, last: str
) -> None:
    waiting = world.start(tools, "s6-ftrig-wait", "-t", "10000", fifodir, regex)
    until(lambda: subscriptions(fifodir), "the subscription")
    for letter in sent:
        assert waiting.poll() is None
        assert tools.run("s6-ftrig-notify", fifodir, letter).code == 0
    out, errors = waiting.communicate(timeout=10)
    assert (waiting.returncode, out, errors) == (0, f"{last}\n", "")
    assert subscriptions(fifodir) == []


def test_wait_time_is_up(tools: Programs, fifodir: Path) -> None:
    begin = time.monotonic()
    said = tools.run("s6-ftrig-wait", "-t", "500", fifodir, "x")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("s6-ftrig-wait: fatal: ")
    assert time.monotonic() - begin >= 0.5
    assert subscriptions(fifodir) == []


def test_listen1(tools: Programs, fifodir: Path) -> None:
    notify = str(tools.path("s6-ftrig-notify"))
    words = ["-t", "5000", str(fifodir), "b", notify, str(fifodir), "ab"]
    said = tools.run("s6-ftrig-listen1", *words)
    assert (said.code, said.out, said.err) == (0, "b\n", "")
    assert subscriptions(fifodir) == []
    words = ["-t", "500", str(fifodir), "z", notify, str(fifodir), "ab"]
    assert tools.run("s6-ftrig-listen1", *words).code == 1


@pytest.mark.parametrize(("option", "limit", "code"), [("-a", "-t500", 1), ("-o", "-t5000", 0)])
def test_listen_all_or_any(
    world: World, tools: Programs, fifodir: Path, option: str, limit: str, code: int
) -> None:
    second = world.top / "second"
    assert tools.run("s6-mkfifodir", second).code == 0
    notify = str(tools.path("s6-ftrig-notify"))
    block = [str(fifodir), "x", str(second), "y", ""]
    said = tools.run("s6-ftrig-listen", option, limit, *block, notify, str(fifodir), "x")
    assert said.code == code
    both = f"{notify} {fifodir} x && {notify} {second} y"
    said = tools.run("s6-ftrig-listen", option, "-t5000", *block, "sh", "-c", both)
    assert (said.code, said.err) == (0, "")
