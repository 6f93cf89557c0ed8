"""fix-attrs where it is not easy: a read-only disk, few descriptors, unreadable directories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from world.programs import AS_NOBODY, Programs, Result
from world.running import World

OWN = f"{os.geteuid()}:{os.getegid()}"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def fix(s6x: Programs, rules: str, under: Sequence[str | Path] = ()) -> Result:
    done = subprocess.run(
        [*under, s6x.path("fix-attrs")], input=rules, capture_output=True, text=True, timeout=60
    )
    return Result(done.returncode, done.stdout, done.stderr)


def changes(top: Path) -> dict[Path, int]:
    return {path: path.lstat().st_ctime_ns for path in [top, *top.rglob("*")]}


def read_only(top: Path) -> list[str | Path]:
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh", top]


@needs_root
def test_what_is_right_is_not_written(s6x: Programs, world: World) -> None:
    top = world.plant({"data": {"a": "", "sub": {"b": "", "c": {}}}})
    rule = f"{top}/data true {OWN} 0640 0750\n"
    assert fix(s6x, rule) == Result(0, "", "")
    before = changes(top)
    assert fix(s6x, rule) == Result(0, "", "")
    assert changes(top) == before
    assert fix(s6x, rule, under=read_only(top)) == Result(0, "", "")


@needs_root
def test_on_a_read_only_disk_the_first_problems_are_told(s6x: Programs, world: World) -> None:
    top = world.plant({"data": {f"file-{number}": "" for number in range(30)}})
    ended = fix(s6x, f"{top}/data true {OWN} 0604 -\n", under=read_only(top))
    assert ended.code == 0
    *told, last = ended.err.splitlines()
    assert len(told) == 20
    before = f"fix-attrs: warning: unable to change mode of {top}/data/file-"
    assert all(
        line.startswith(before) and line.endswith(": Read-only file system") for line in told
    )
    assert last == f"fix-attrs: warning: {top}/data: 10 more problems like these"


@needs_root
def test_what_may_not_be_read_is_named(s6x: Programs, world: World) -> None:
    top = world.plant({"data": {"shut": {"a": ""}, "b": ""}})
    top.chmod(0o755)
    (top / "data/shut").chmod(0o700)
    ended = fix(s6x, f"{top}/data true 0:0 - -\n", under=AS_NOBODY)
    assert ended == Result(
        0, "", f"fix-attrs: warning: unable to read {top}/data/shut: Permission denied\n"
    )


def test_few_descriptors_are_enough(s6x: Programs, world: World) -> None:
    top = world.plant({"data": {}})
    deep = top / "data"
    for _ in range(100):
        deep = deep / "below"
    deep.mkdir(parents=True)
    (deep / "file").touch(0o644)
    under = ["sh", "-c", 'ulimit -n 12; exec "$@"', "sh"]
    assert fix(s6x, f"{top}/data true {OWN} 0600 -\n", under=under) == Result(0, "", "")
    assert (deep / "file").stat().st_mode & 0o7777 == 0o600
