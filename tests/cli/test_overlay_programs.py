"""with-contenv, printcontenv, justc-envdir, fix-attrs, with-retries: what scripts rely on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from world.programs import Programs, Result
from world.running import World
from world.tree import Content
from world.waiting import lines_of

LONG = "x" * 6000


def run(
    s6x: Programs, *words: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> Result:
    done = subprocess.run(
        [s6x.path(words[0]), *words[1:]],
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def state(world: World) -> dict[str, str]:
    """Return the environment that leads to a runtime directory with these variables in it."""
    content: dict[str, Content] = {
        "A": "b c",
        "EMPTY": "",
        "NL": "one\ntwo\n",
        "NUL": b"cut\0off",
        "LONG": LONG,
        "PATH": "/usr/bin:/bin",
        ".hidden": "x",
        "odd=name": "x",
        "subdirectory": {},
    }
    return {"S6X_RUN": str(world.plant({"container_environment": content}, "run"))}


def test_with_contenv_gives_exactly_the_files(s6x: Programs, state: dict[str, str]) -> None:
    ended = run(s6x, "with-contenv", "env", "-0", env={**state, "OWN": "1"})
    assert (ended.code, ended.err) == (0, "")
    assert sorted(ended.out.rstrip("\0").split("\0")) == [
        *("A=b c", "EMPTY=", f"LONG={LONG}", "NL=one\ntwo\n", "NUL=cut", "PATH=/usr/bin:/bin")
    ]


def test_with_contenv_keeps_the_environment_when_told(s6x: Programs, state: dict[str, str]) -> None:
    ended = run(s6x, "with-contenv", "env", env={**state, "S6_KEEP_ENV": "1", "OWN": "1"})
    assert "OWN=1\n" in ended.out
    assert "LONG=" not in ended.out


def test_the_legacy_form_cuts(s6x: Programs, state: dict[str, str]) -> None:
    ended = run(s6x, "with-contenv-legacy", "env", env=state)
    assert f"LONG={'x' * 4095}\n" in ended.out
    assert "EMPTY" not in ended.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["with-contenv"], 100, "with-contenv: fatal: no program given\n"),
        (["with-contenv", "no-such"], 127, "unable to exec no-such: No such file or directory"),
        (["with-contenv", "/etc/passwd"], 126, "unable to exec /etc/passwd: Permission denied"),
        (["justc-envdir"], 100, "justc-envdir: fatal: no directory given\n"),
        (["justc-envdir", "/no/such", "true"], 111, "unable to read /no/such: No such file"),
        (["with-retries"], 100, "with-retries: fatal: no program given\n"),
        (["logutil-service"], 100, "logutil-service: fatal: no log directory given\n"),
        (["logutil-newfifo"], 100, "logutil-newfifo: fatal: no fifo given\n"),
        (["with-retries", "-n", "few", "true"], 100, 'option -n: "few" is not a number'),
    ],
)
def test_mistakes_are_named(
    s6x: Programs, state: dict[str, str], words: list[str], code: int, message: str
) -> None:
    ended = run(s6x, *words, env=state)
    assert ended.code == code
    assert message in ended.err
    assert ended.out == ""


def test_outside_of_a_container(s6x: Programs, world: World) -> None:
    ended = run(s6x, "with-contenv", "true", env={"S6X_RUN": str(world.top / "nowhere")})
    assert ended.code == 111
    assert ended.err == (
        f"with-contenv: fatal: there is no environment of a container at {world.top}/nowhere/"
        "container_environment; $S6X_RUN can name another runtime directory\n"
    )


def test_printcontenv(s6x: Programs, state: dict[str, str]) -> None:
    assert run(s6x, "printcontenv", "A", env=state) == Result(0, "b c\n", "")
    assert run(s6x, "printcontenv", "EMPTY", env=state) == Result(0, "\n", "")
    assert run(s6x, "printcontenv", "NO", env=state) == Result(1, "", "")
    assert run(s6x, "printcontenv", env=state) == Result(1, "", "")
    files = Path(state["S6X_RUN"]) / "container_environment"
    (files / "LINE").write_text("a\n")
    (files / "directory").mkdir()
    assert run(s6x, "printcontenv", "LINE", env=state) == Result(0, "a\n", "")
    keeping = {**state, "S6_KEEP_ENV": "1", "A": "own"}
    assert run(s6x, "printcontenv", "A", env=keeping) == Result(0, "own", "")
    assert run(s6x, "printcontenv", "NO", env=keeping) == Result(100, "", "")


def test_justc_envdir_merges(s6x: Programs, state: dict[str, str]) -> None:
    directory = f"{state['S6X_RUN']}/container_environment"
    ended = run(s6x, "justc-envdir", directory, "env", env={"OWN": "1", "A": "old"})
    assert "OWN=1\n" in ended.out
    assert "A=b c\n" in ended.out
    assert "EMPTY=\n" in ended.out


def test_retries_until_it_succeeds(s6x: Programs, world: World) -> None:
    log = world.top / "log"
    script = f"echo try >>{log}; test $(wc -l <{log}) -ge 3"
    assert run(s6x, "with-retries", "-n", "5", "sh", "-c", script).code == 0
    assert len(lines_of(log)) == 3
    assert run(s6x, "with-retries", "sh", "-c", f"echo try >>{log}; false").code == 1
    assert len(lines_of(log)) == 6


def test_retries_have_a_limit_each(s6x: Programs, world: World) -> None:
    log = world.top / "log"
    script = f'trap "" TERM; echo try >>{log}; exec sleep 1000'
    began = time.monotonic()
    assert run(s6x, "with-retries", "-n", "2", "-t", "100", "sh", "-c", script).code == 1
    assert time.monotonic() - began < 5
    assert len(lines_of(log)) == 2


def test_retries_of_what_is_not_there(s6x: Programs) -> None:
    ended = run(s6x, "with-retries", "-n", "2", "no-such")
    assert ended.code == 1
    warning = "with-retries: warning: unable to exec no-such: No such file or directory\n"
    assert ended.err == warning * 2


def test_fix_attrs_is_a_filter(s6x: Programs, world: World) -> None:
    top = world.plant({"data": {"file": "", ".hidden": "", "sub": {"below": ""}}})
    owner = f"{top.stat().st_uid}:{top.stat().st_gid}"
    rules = f"# rules\n{top}/data true {owner} 0600 0710\nbad\n{top}/no* true {owner} 0 0\n"
    ended = run(s6x, "fix-attrs", stdin=rules)
    assert ended.code == 0
    assert ended.out == ""
    assert ended.err == (
        "fix-attrs: warning: stdin: line 3: 1 fields, "
        "but a rule is: path recurse account fmode dmode\n"
    )

    def mode(name: str) -> int:
        return (Path(top) / "data" / name).stat().st_mode & 0o7777

    assert [mode(name) for name in ("", "file", "sub", "sub/below", ".hidden")] == [
        *(0o710, 0o600, 0o710, 0o600, 0o644)
    ]
    run(s6x, "fix-attrs", stdin=rules, env={"S6_FIX_ATTRS_HIDDEN": "1"})
    assert mode(".hidden") == 0o600
