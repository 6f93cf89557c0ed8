"""s6-alias-sv: the words of runit's sv (contract 1.9)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from world.programs import Programs, Result
from world.running import Supervisor, World
from world.waiting import until
from world.witness import finish, ready_on, recorder

pytestmark = pytest.mark.ours_only  # Debian builds it out


class Sv:
    """A supervised service, and sv for it."""

    def __init__(self, world: World, daemons: Programs, tools: Programs) -> None:
        self.world, self.tools = world, tools
        content = {**ready_on(3), "finish!": finish()}
        self.supervisor: Supervisor = world.supervise(daemons, world.service(content))
        self.supervisor.events.wait_for("U")
        self.directory = self.supervisor.directory

    def __call__(self, *words: str, **env: str) -> Result:
        scan_dir = {"SVDIR": str(self.directory.parent), **env}
        return self.tools.run("s6-alias-sv", *words, self.directory.name, env=scan_dir)


@pytest.fixture
def sv(world: World, daemons: Programs, tools: Programs) -> Sv:
    return Sv(world, daemons, tools)


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("-v down", "down"),
        ("-v d", "down"),
        ("stop", "down"),
        ("-v up", "up"),
        ("start", "up"),
        ("restart", "up"),
        ("-v t", "up"),
        ("-w 9 try-restart", "up"),
        ("status", "up"),
        ("check", "up"),
        ("-v cont", "up"),
    ],
)
def test_it_waits_and_shows(sv: Sv, words: str, after: str) -> None:
    before = sv.supervisor.status().pid
    said = sv(*words.split())
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{sv.directory}: {after} (")
    now = sv.supervisor.status()
    assert now.up == (after == "up")
    restarts = words.split()[-1] in {"restart", "t", "try-restart"}
    assert (now.pid != before) == (restarts or after == "down")
    assert now.ready


@pytest.mark.parametrize("words", ["exit", "-v x", "shutdown", "E"])
def test_the_supervisor_ends(sv: Sv, words: str) -> None:
    said = sv(*words.split())
    assert said.code == 0
    assert "commands go to a service alone" in said.err
    assert ("timeout-kill" in said.err) == (words == "E")
    assert said.out.startswith(f"{sv.directory}: down (") == (words in {"-v x", "shutdown"})
    assert sv.supervisor.exit_code() == 0


@pytest.mark.parametrize(("word", "after"), [("force-stop", "down"), ("force-restart", "up")])
def test_forced_words(sv: Sv, word: str, after: str) -> None:
    """Done as without force; the service's own timeout-kill is what kills."""
    before = sv.supervisor.status().pid
    said = sv(word)
    assert said.code == 0
    assert "timeout-kill" in said.err
    now = sv.supervisor.status()
    assert now.up == (after == "up")
    assert now.pid != before


def test_once(sv: Sv) -> None:
    assert sv("stop").code == 0
    said = sv("-v", "once")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{sv.directory}: up (")
    now = sv.supervisor.status()
    assert now.up
    assert not now.wanted_up


def test_signals(world: World, daemons: Programs, tools: Programs) -> None:
    supervisor = world.supervise(daemons, world.service(recorder()))
    signals = supervisor.directory / "signals"
    until(lambda: signals.exists() and signals.read_text(), "the service listens")
    names = {"1": "USR1", "2": "USR2", "al": "ALRM", "hup": "HUP", "interr": "INT", "q": "QUIT"}
    for word, name in names.items():
        said = tools.run("s6-alias-sv", word, f"{supervisor.directory}/")
        assert (said.code, said.out, said.err) == (0, "", "")
        until(partial(lambda name: name in signals.read_text(), name), name)
    said = tools.run("s6-alias-sv", "reload", supervisor.directory)
    assert said.code == 0
    assert ": up (" in said.out
    until(lambda: signals.read_text().count("HUP") == 2, "two of them")


def test_a_logger_is_shown_too(sv: Sv, daemons: Programs) -> None:
    log = sv.world.service(ready_on(3), name=f"{sv.directory.name}/log")
    sv.world.supervise(daemons, log).events.wait_for("U")
    said = sv("status")
    assert [line.split(" (")[0] for line in said.out.splitlines()] == [
        f"{sv.directory}: up",
        f"{sv.directory}/log: up",
    ]


def test_what_does_not_come_in_time(sv: Sv) -> None:
    (sv.directory / "run").write_text("#!/bin/sh\nexec sleep 1000\n")
    sv("-v", "d")
    for words, env in ((["-w", "0.1"], {}), (["-w", "1"], {}), ([], {"SVWAIT": "1"})):
        said = sv(*words, "start", **env)
        if words == ["-w", "0.1"]:
            assert (said.code, said.out) == (100, "")
            continue
        assert said.code == 1
        assert "s6-svc" in said.err or "s6-svlisten" in said.err
        assert said.out.startswith(f"{sv.directory}: up (")
    said = sv("status", SVWAIT="x")
    assert (said.code, said.err) == (
        0,
        's6-alias-sv: warning: ignoring SVWAIT="x", which is no number\n',
    )


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("", 100, "usage"),
        ("status", 100, "usage"),
        ("-w x status web", 100, "usage"),
        ("frobnicate web", 100, '"frobnicate" is no command of sv'),
        ("up absent gone", 2, "absent"),
        ("status" + " absent" * 120, 99, "absent"),
        ("check absent", 1, "absent is not supervised"),
        ("status absent", 1, "absent"),
    ],
)
def test_failures(tools: Programs, tmp_path: Path, words: str, code: int, names: str) -> None:
    said = tools.run("s6-alias-sv", *words.split(), cwd=tmp_path, env={"SVDIR": str(tmp_path)})
    assert said.code == code
    assert names in said.err


def test_it_is_what_s6_alias_runs(sv: Sv) -> None:
    said = sv.tools.run("s6-alias", "sv", "status", f"{sv.directory}/")
    assert said.code == 0
    assert said.out.startswith(f"{sv.directory}/: up (")
