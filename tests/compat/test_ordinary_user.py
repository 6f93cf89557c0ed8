"""A tree that belongs to an ordinary user, commanded by that user, and watched by root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from world import process
from world.programs import AS_NOBODY, Programs
from world.running import World
from world.tree import Content
from world.witness import logger, ready_on, sleeper

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def given_away(top: Path) -> Path:
    """Make everything below `top` the ordinary user's."""
    for path in (top, *top.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    return top


def test_a_whole_day(world: World, daemons: Programs, tools: Programs) -> None:
    content: dict[str, Content] = {"web": {**ready_on(3), "log": logger()}, "plain": sleeper()}
    scandir = given_away(world.plant(content, "scan"))
    scanner = world.scan(daemons, scandir, under=AS_NOBODY)
    pids = scanner.until_up("web", "web/log", "plain")
    assert Path(f"/proc/{pids['web']}").stat().st_uid == NOBODY

    def run(*words: str | Path) -> int:
        return tools.run(str(words[0]), *words[1:], under=AS_NOBODY).code

    web = scandir / "web"
    assert run("s6-svwait", "-t5000", "-U", web) == 0
    assert run("s6-svc", "-wD", "-T5000", "-d", web) == 0
    assert run("s6-svc", "-wU", "-T5000", "-u", web) == 0
    assert run("s6-svc", "-wR", "-T5000", "-r", web) == 0
    for program in ("s6-svstat", "s6-svok"):
        assert run(program, web) == 0
        assert tools.run(program, web).code == 0, "root may look, too"
    service = given_away(world.service(sleeper(), "later"))
    assert run("s6-svlink", "-t5000", scandir, service) == 0
    assert run("s6-svunlink", "-t5000", scandir, "later") == 0
    assert run("s6-svscanctl", "-t", scandir) == 0
    assert scanner.exit_code() == 0
    assert not any(process.alive(pid) for pid in pids.values())


def test_root_waits_for_events_of_an_ordinary_user(
    world: World, daemons: Programs, tools: Programs
) -> None:
    """A supervisor without rights can only write to a fifo that lets it: those of 2.11 do not."""
    servicedir = given_away(world.service({**sleeper(), "down": "", "event": {}}))
    (servicedir / "event").chmod(0o1733)
    supervisor = world.supervise(daemons, servicedir, under=AS_NOBODY)
    reached = tools.expects.subscriber_mode & 0o002
    said = tools.run("s6-svc", "-uwu", "-T1000", servicedir)
    assert said.code == (0 if reached else 99)
    supervisor.until("up")
