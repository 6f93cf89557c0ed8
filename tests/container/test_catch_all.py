"""The catch-all logger of generations v1 and v2: contract s6-overlay §4, S6_LOGGING; §11, 21."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from world import process
from world.containers import Spec, Unshared
from world.images import Image, Init, Role, needs_root
from world.running import World
from world.tree import Content, script
from world.waiting import until

Images = Callable[..., Image]

LOGS = "var/log/s6-uncaught-logs"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  ")
NOBODY_WAITS = {"S6_SERVICES_GRACETIME": "60000", "S6_KILL_GRACETIME": "60000"}
"""Longer than the test: a stop that waits for the logger in vain is seen."""


FILES: dict[str, Content] = {
    "etc/cont-init.d/a!": script("echo init; echo complaint >&2"),
    "etc/services.d/web/run!": script("echo web; exec sleep 1000"),
    "etc/cont-finish.d/a!": script("echo finish"),
}


def until_logged(what: str) -> str:
    """Commands that wait for a line of the log."""
    return f"until grep -qs {what} /{LOGS}/current; do sleep 0.05; done"


def logged(its: Image, where: str = LOGS) -> list[str]:
    """The lines of the log, each of which must have its stamp."""
    lines = (its.root / where / "current").read_text().splitlines()
    assert all(STAMP.match(line) for line in lines), lines
    return [STAMP.sub("", line) for line in lines]


@pytest.mark.both_roots
@needs_root
@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_only_cmd_is_heard_outside(image: Images, generation: str, role: Role) -> None:
    its = image(generation, FILES)
    ended = its.run(
        "sh",
        "-c",
        f"{until_logged('web')}; echo cmd",
        role=role,
        env={"S6_LOGGING": "1", **NOBODY_WAITS},
    )
    assert (ended.code, ended.out, ended.err) == (0, "cmd\n", "")
    lines = logged(its)
    assert lines[0] == (
        "[s6-init] making user provided files available at /var/run/s6/etc...exited 0."
    )
    for line in ("init", "complaint", "web", "[services.d] done.", "[cmd] sh exited 0", "finish"):
        assert lines.count(line) == 1, (line, lines)
    assert lines[-1] == "[s6-finish] sending all processes the TERM signal."
    directory = (its.root / LOGS).stat()
    assert (directory.st_uid, directory.st_mode & 0o7777) == (65534, 0o2700)
    fifo = (its.root / "run/s6/uncaught-logs-fifo").stat()
    assert fifo.st_mode == 0o010600


@pytest.mark.both_roots
@needs_root
@pytest.mark.parametrize(
    ("generation", "env"), [("v1", {}), ("v2", {}), ("v1", {"S6_KEEP_ENV": "1"})]
)
def test_cmd_as_well(image: Images, generation: str, env: dict[str, str]) -> None:
    """With S6_KEEP_ENV, too, where the original forgets S6_LOGGING on the way."""
    its = image(generation, FILES)
    env = {"S6_LOGGING": "2", **NOBODY_WAITS, **env}
    ended = its.run("sh", "-c", f"{until_logged('web')}; echo cmd; echo bad >&2", env=env)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert {"cmd", "bad", "init", "[cmd] sh exited 0", "finish"} <= set(logged(its))


@needs_root
def test_a_command_that_is_not_there(image: Images) -> None:
    """What init says of it is logged, as all that init says."""
    its = image("v1", {"etc/cont-init.d/a!": script(until_logged("a:.executing"))})
    ended = its.run("/no/such", env={"S6_LOGGING": "1", **NOBODY_WAITS})
    assert (ended.code, ended.out, ended.err) == (111, "", "")
    assert "init: fatal: unable to exec /no/such: No such file or directory" in logged(its)


@needs_root
def test_directives_and_what_was_there(image: Images) -> None:
    """S6_LOGGING_SCRIPT says how; what an earlier boot logged stays (the original wipes it)."""
    its = image("v2", FILES)
    env = {"S6_LOGGING": "1", "S6_LOGGING_SCRIPT": "-finish n3  pX T", **NOBODY_WAITS}
    for _ in range(2):
        assert its.run("true", env=env).code == 0
    lines = logged(its)
    assert lines.count("X init") == 2
    assert not [line for line in lines if "finish" in line]


@needs_root
def test_the_logger_is_killed(image: Images) -> None:
    """Nobody gets SIGPIPE, nobody waits for ever, and what comes later is logged."""
    chatter: dict[str, Content] = {
        "etc/services.d/web/run!": script(
            "trap : USR1; echo ready; while :; do sleep 1000 & wait; echo more; done"
        )
    }
    its = image("v2", chatter)

    def said(what: str) -> int:
        """How often it was logged; a logger that was killed leaves an archive."""
        return sum(file.read_text().count(what) for file in (its.root / LOGS).glob("[@cp]*"))

    def heard(init: Init, count: int) -> bool:
        # A signal that comes just before the shell waits wakes nobody: ask again.
        assert init.run("s6-svc", "-1", "/var/run/s6/services/web").code == 0
        return said("more") >= count

    with its.boot(env={"S6_LOGGING": "1", **NOBODY_WAITS}) as init:

        def logger() -> int | None:
            found = [one.pid for one in init.container.processes() if "s6-log" in one.argv[:1]]
            return found[0] if found else None

        until(lambda: said("ready"), "the first line")
        for count in range(1, 4):
            process.kill(until(logger, "the logger", explain=init.ps))
            until(functools.partial(heard, init, count), f"line {count}")
        ended = init.stop()
    assert (ended.code, ended.out) == (0, "")
    assert said("ready") == 1


@needs_root
@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_a_logger_that_starts_slowly(image: Images, generation: str) -> None:
    """Boot waits until it is ready: one that is told to go before would take unread lines along."""
    its = image(generation, FILES)
    program = its.root / "usr/bin/s6-log"
    program.unlink()
    program.write_text('#!/bin/sh\nsleep 0.3\nexec /command/s6-log "$@"\n')
    program.chmod(0o755)
    ended = its.run("true", env={"S6_LOGGING": "1", **NOBODY_WAITS})
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert {"init", "complaint", "[cmd] true exited 0", "finish"} <= set(logged(its))


@needs_root
def test_without_its_service_there_is_none(image: Images) -> None:
    its = image("v2", FILES)
    shutil.rmtree(its.root / "etc/s6/services/s6-svscan-log")
    ended = its.run("true", env={"S6_LOGGING": "1"})
    assert ended.out.startswith(
        "s6x: warning: S6_LOGGING is set, but there is no catch-all logger: s6-svscan-log/run is "
        "missing in /etc/s6/services."
    )
    assert "\ninit\n" in ended.out
    assert not (its.root / LOGS).exists()


@pytest.mark.both_roots
@needs_root
@pytest.mark.parametrize(
    "who", ["an ordinary user", "an ordinary user without /dev/null", "a read-only root"]
)
def test_where_the_usual_directory_cannot_be_written(image: Images, world: World, who: str) -> None:
    """The original does not start (contract §2.5); here the logs go beside the other state."""
    user = who != "a read-only root"
    how: dict[str, Any] = (
        {"user": (12345, 12345)} if user else {"read_only": True, "tmpfs": {"/run": "mode=755"}}
    )
    if "without" in who:  # some file of root's is there
        how["binds"] = {"/dev/null": str(world.plant({"null": ""}) / "null")}
    its = image("v2", FILES)
    its.root.chmod(0o755)
    run = "/tmp/s6x-12345" if user else "/var/run/s6"
    log = f"{run}/uncaught-logs/current"
    command = f"until grep -qs web {log}; do :; done; cat {log}"
    ended = its.run("sh", "-c", command, env={"S6_LOGGING": "1", **NOBODY_WAITS}, **how)
    # What nobody logs any more goes nowhere; without a /dev/null, to stderr.
    late = "[s6-finish] sending all processes the KILL signal and exiting.\n"
    assert (ended.code, ended.err) == (0, late if "without" in who else ""), ended
    first, rest = ended.out.split("\n", 1)
    assert first == (
        f"s6x: warning: /{LOGS} cannot be written to: what no logger takes is logged in "
        f"{run}/uncaught-logs"
    )
    assert {"init", "web"} <= {STAMP.sub("", line) for line in rest.splitlines()}


@needs_root
def test_a_missing_dev_null_is_not_made(image: Images) -> None:
    """Who opens it to be rid of output must not leave a file that grows, or denies others."""
    its = image("v2", FILES)
    env = {"S6_LOGGING": "1", **NOBODY_WAITS}
    script = "umount /dev/null; rm /dev/null; /init true; echo $?; ls /dev/null"
    with Unshared(Spec(its.root, ["/bin/sh", "-c", script], env=env)) as container:
        ended = container.wait()
    assert ended.out == "0\n"
    assert "/dev/null: No such file or directory" in ended.err
    assert "finish" in logged(its)


def test_a_fifo_without_logger_does_not_hold_the_container_up(image: Images) -> None:
    """s6-log is not there: its supervisor says so outside, and the stop still comes to its end."""
    its = image("v2", FILES)
    for link in ("bin/s6-log", "usr/bin/s6-log"):
        Path(its.root / link).unlink()
    env = {"S6_LOGGING": "1", "S6_KILL_GRACETIME": "500", "S6_SERVICES_GRACETIME": "500"}
    ended = its.run("true", env=env)
    assert ended.code == 0
    assert "logutil-service: fatal: unable to exec s6-log" in ended.err
