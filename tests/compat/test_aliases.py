"""s6-alias and s6-alias-chpst: words of daemontools and runit (contract 1.9)."""

from __future__ import annotations

import fcntl
import os
import resource
from pathlib import Path

import pytest

from world.becoming import become
from world.programs import Programs
from world.running import World

pytestmark = pytest.mark.ours_only  # Debian builds them out
ROOT = os.geteuid() == 0


@pytest.mark.parametrize(
    ("words", "becomes"),
    [
        ("setlock -n lock echo hi", "hi\n"),
        ("envdir env printenv A", "value\n"),
        ("pgrphack echo hi", "hi\n"),
        ("softlimit -o 50 sh -c ulimit\xa0-n", "50\n"),
        ("chpst -o 50 sh -c ulimit\xa0-n", "50\n"),
        ("fghack echo hi", "hi\n"),
    ],
)
def test_what_programs_become(world: World, tools: Programs, words: str, becomes: str) -> None:
    world.plant({"env/A": "value\n"})
    given = [word.replace("\xa0", " ") for word in words.split(" ")]
    said = tools.run("s6-alias", *given, cwd=world.top)
    assert (said.code, said.out, said.err) == (0, becomes, "")
    said = tools.run("s6-alias", "-v", *given, cwd=world.top)
    assert (said.code, said.out) == (0, becomes)
    assert said.err.startswith(f"s6-alias: info: {given[0]} is s6-")


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("", 100, "usage"),
        ("-z svc", 100, "usage"),
        ("nosuch", 100, '"nosuch"'),
        ("svlogd dir", 100, "s6-log"),
        ("runit", 100, "/init"),
        ("readproctitle", 100, "s6-svscanboot"),
        ("svok absent", 1, ""),
        ("svstat absent", 1, "s6-svstat: fatal: "),
        ("supervise absent", 111, "s6-supervise: fatal: "),
    ],
)
def test_aliases_fail(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    said = tools.run("s6-alias", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, "")
    assert names in said.err


def test_chpst_without_options(tools: Programs) -> None:
    plain = become(tools, "s6-setuidgid", "")
    seen = become(tools, "s6-alias-chpst")
    assert (seen.uids, seen.gids, seen.limits) == (plain.uids, plain.gids, plain.limits)
    assert set(seen.descriptors) == set(plain.descriptors)


def test_chpst_state(world: World, tools: Programs) -> None:
    world.plant({"env/A": "value\n", "env/GONE": ""})
    words = ["-P", "-e", "env", "-l", "lock", "-o", "60", "-c", "0", "-n", "3"]
    seen = become(tools, "s6-alias-chpst", *words, cwd=world.top, env={"GONE": "x"})
    assert seen.variables("A", "GONE") == {"A": "value"}
    assert seen.sid == seen.pid
    assert seen.limits["open files"][0] == "60"
    assert seen.limits["core file size"][0] == "0"
    assert str(world.top / "lock") in seen.descriptors.values()
    said = tools.run("s6-alias-chpst", "-n", "3", "nice", cwd=world.top)
    assert int(said.out) == os.getpriority(os.PRIO_PROCESS, 0) + 3
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft != 60, "ours is as before"


def test_chpst_limits_and_a_lock_of_somebody_else(world: World, tools: Programs) -> None:
    amounts = {"d": 7340032, "f": 7340032, "p": 4000}
    words = [word for letter, amount in amounts.items() for word in (f"-{letter}", str(amount))]
    limits = become(tools, "s6-alias-chpst", *words).limits
    names = ("data size", "file size", "processes")
    assert [limits[name][0] for name in names] == [str(amount) for amount in amounts.values()]
    with (world.top / "lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        said = tools.run("s6-alias-chpst", "-L", "lock", "echo", "no", cwd=world.top)
    assert (said.code, said.out) == (1, "")
    assert tools.run("s6-alias-chpst", "-L", "lock", "true", cwd=world.top).code == 0


def test_chpst_names_and_descriptors(world: World, tools: Programs) -> None:
    show = Path("/proc/self/cmdline")
    said = tools.run("s6-alias-chpst", "-b", "other", "cat", str(show))
    assert said.out.split("\0")[0] == "other"
    closed = ["sh", "-c", "for n in 0 1 2; do test -e /proc/$$/fd/$n && touch $n; done; :"]
    assert tools.run("s6-alias-chpst", "-0", "-1", *closed, cwd=world.top).code == 0
    assert [path.name for path in world.top.iterdir()] == ["2"]
    (world.top / "2").unlink()
    assert tools.run("s6-alias-chpst", "-2", *closed, cwd=world.top).code == 0
    assert sorted(path.name for path in world.top.iterdir()) == ["0", "1"]


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("options", "uid", "gid", "groups"),
    [
        ("-u nobody", 65534, 65534, [65534]),
        ("-u nobody:daemon", 65534, 1, [1]),
        ("-u nobody:daemon:mail", 65534, 1, [1, 8]),
        ("-u :77:78:79", 77, 78, [78, 79]),
        ("-u :65534", 65534, 65534, [65534]),
    ],
)
def test_chpst_rights(tools: Programs, options: str, uid: int, gid: int, groups: list[int]) -> None:
    seen = become(tools, "s6-alias-chpst", *options.split(), cwd=Path("/"))
    assert seen.uids == (uid,) * 4
    assert seen.gids == (gid,) * 4
    assert sorted(seen.groups) == groups
    assert set(seen.capabilities.values()) == {0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-U nobody", {"UID": "65534", "GID": "65534"}),
        ("-U :7:8", {"UID": "7", "GID": "8"}),
    ],
)
def test_chpst_variables(tools: Programs, options: str, expected: dict[str, str]) -> None:
    seen = become(tools, "s6-alias-chpst", *options.split())
    assert seen.variables("UID", "GID") == expected
    assert seen.uids == (os.geteuid(),) * 4


@pytest.mark.parametrize(
    ("words", "code", "names"),
    [
        ("", 100, "usage"),
        ("-u nobody", 100, "usage"),
        ("-z true", 100, "usage"),
        ("-u nosuch true", 100, "no user"),
        ("-u nobody:nosuch true", 100, "no group"),
        ("-u :54321 true", 100, "54321 has no account"),
        ("-u :x true", 100, "usage"),
        ("-n x true", 100, "usage"),
        ("-m x true", 100, "usage"),
        ("-u nobody -/ / true", 100, "-u goes not with -/"),
        ("-/ absent true", 111, "absent"),
        ("-e absent true", 111, "absent"),
        ("-P nosuchprogram", 127, "nosuchprogram"),
    ],
)
def test_chpst_fails(world: World, tools: Programs, words: str, code: int, names: str) -> None:
    said = tools.run("s6-alias-chpst", *words.split(), cwd=world.top)
    assert (said.code, said.out) == (code, ""), said
    assert names in said.err


def test_chpst_shows_its_chain(tools: Programs) -> None:
    said = tools.run("s6-alias-chpst", "-vP", "-o", "60", "echo", "a b")
    shown = 's6-alias-chpst: info: this becomes "s6-setsid" "--" "s6-softlimit" "-o" "60" "--"'
    assert (said.code, said.out) == (0, "a b\n")
    assert said.err == f'{shown} "echo" "a b"\n'
