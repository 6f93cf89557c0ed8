"""Which way a word goes: to the native executable, to Python, and never in circles."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click import Context

from s6x import __version__, cli, native
from world.programs import Programs, Result
from world.running import World
from world.waiting import until
from world.witness import sleeper

SCRIPT = Path(sysconfig.get_path("scripts")) / "s6x"
"""The console script of the installed package."""

WAYS = {
    "script": [str(SCRIPT)],
    "module": [sys.executable, "-m", "s6x"],
    "executable": [native.EXECUTABLE],
}


@pytest.fixture(params=sorted(WAYS))
def s6x(request: pytest.FixtureRequest) -> list[str]:
    return WAYS[request.param]


def run(s6x: list[str], *words: str | Path, **more: str) -> Result:
    done = subprocess.run(
        [*s6x, *words],
        env={**os.environ, "S6X_PYTHON": sys.executable, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_version(s6x: list[str]) -> None:
    assert run(s6x, "--version") == Result(0, f"s6x {__version__}\n", "")


def test_a_native_word(world: World, daemons: Programs, s6x: list[str]) -> None:
    directory = world.service(sleeper())
    assert run(s6x, "svok", directory).code == 1
    world.supervise(daemons, directory)
    assert run(s6x, "svok", directory) == Result(0, "", "")


def test_a_python_word(world: World, daemons: Programs, s6x: list[str]) -> None:
    directory = world.service(sleeper())
    world.supervise(daemons, directory).until("up")
    said = run(s6x, "status", directory)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].startswith("web      up     ")


@pytest.mark.parametrize("word", ["nonsense", "over/there", "report", "overlay-failures", "", "ä"])
def test_a_word_that_means_nothing(s6x: list[str], word: str) -> None:
    """It is looked up once by each side; modules that only help commands are no commands."""
    said = run(s6x, word)
    assert (said.code, said.out) == (100, "")
    assert said.err == f"s6x {word}: fatal: No such command '{word}'. (s6x --help says more)\n"


def test_a_wrong_option(s6x: list[str]) -> None:
    said = run(s6x, "status", "--sideways")
    assert (said.code, said.out) == (100, "")
    assert said.err.startswith("s6x status: fatal: No such option '--sideways'")
    assert said.err.endswith("(s6x status --help says more)\n")


def test_no_python_to_be_found() -> None:
    said = run([native.EXECUTABLE], "status", S6X_PYTHON="/nothing/python3")
    assert said.code == 127
    assert said.err.startswith('s6x: fatal: "status" needs Python with the package s6x')


@pytest.mark.parametrize("way", ["script", "module"])
def test_help_lists_both_sides(way: str) -> None:
    said = run(WAYS[way], "--help")
    assert (said.code, said.err) == (0, "")
    for word in ("status", "tree", "plan", "svok", "svscan", "supervise"):
        assert f" {word} " in f" {said.out} ".replace("\n", " ")


def test_the_executable_names_the_words_that_need_python() -> None:
    commands = [name for name in cli.commands.list_commands(Context(cli.commands)) if is_word(name)]
    named = run(WAYS["executable"], "--help").out.splitlines()[-1].rstrip(".").partition(": ")[2]
    assert sorted(named.split(", ")) == commands


def is_word(name: str) -> bool:
    return cli.commands.get_command(Context(cli.commands), name) is not None


def test_help_keeps_paragraphs_and_words_together() -> None:
    """Lines that belong as they are stay so, and a word is not cut at its hyphen."""
    assert "\n    1    some are not\n" in run(WAYS["script"], "status", "--help").out
    listed = run(WAYS["script"], "--help").out
    assert not [line for line in listed.splitlines() if line.endswith("-")]


@pytest.mark.parametrize("named", [None, "/some/python3"])
def test_what_a_native_program_gets_from_python(world: World, named: str | None) -> None:
    """No ignored SIGPIPE, which would reach every service; and where to find this interpreter."""
    run = "#!/bin/sh\nenv >environment\ngrep Sig /proc/self/status >masks\nexec sleep 1000\n"
    directory = world.service({"run!": run})
    environment = {name: value for name, value in os.environ.items() if name != "S6X_PYTHON"}
    if named:
        environment["S6X_PYTHON"] = named
    supervisor = subprocess.Popen(
        [*WAYS["module"], "supervise", directory],
        stdin=subprocess.DEVNULL,
        cwd=world.top,
        env=environment,
    )
    try:
        masks = until(lambda: text if "SigIgn" in (text := _text(directory / "masks")) else "")
    finally:
        supervisor.terminate()
        assert supervisor.wait(15) == 0
    assert int(masks.split("SigIgn:")[1].split()[0], 16) == 0
    its = _text(directory / "environment").splitlines()
    assert f"S6X_PYTHON={named or sys.executable}" in its


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_native_words_import_nothing() -> None:
    """Every module costs milliseconds: only what the interpreter loads anyway, and signal."""
    program = (
        "import sys; before = set(sys.modules); import s6x.__main__ as m;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["__future__", "s6x", "s6x.__main__", "s6x.native"]


def test_the_command_line_imports_only_click() -> None:
    program = (
        "import sys, s6x.cli;"
        "heavy = ('s6x._core', 's6x.supervise', 's6x.overlay', 's6x.image', 'asyncio', 'json');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
