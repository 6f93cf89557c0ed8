"""Exit codes of every program for missing and odd arguments, and what a complaint looks like."""

from __future__ import annotations

import re

import pytest

from world.programs import APPLETS, Programs
from world.running import World
from world.witness import sleeper

FILTERS = ("s6-tai64n", "s6-tai64nlocal", "ucspilogd")
NEED_NO_ARGUMENTS = (
    *("s6-svscan", "s6-ftrigrd", "s6-socklog", "s6-ioconnect", "s6-sudoc", "s6-sudod"),
    *FILTERS,
)
TELL_WHAT_ELSE_IS_MISSING = ("s6-connlimit", "s6-fdholderd", "s6-fdholder-daemon")
"""A variable, or access rules: no usage would say that."""
TAKE_ANY_WORD_AS_DIRECTORY = (
    *("s6-supervise", "s6-svok", "s6-svdt-clear", "s6-cleanfifodir", "s6-ftrig-notify"),
    *("s6-fghack", "s6-setuidgid", "s6-softlimit"),
    *("s6-permafailon", "s6-svscan", "s6-ftrigrd", "s6-tai64n", "s6-connlimit"),
    *("s6-accessrules-cdb-from-fs", "s6-accessrules-fs-from-cdb"),
)

CASES = [
    # what is said, exit code, what the message must name
    ("s6-supervise {absent}", 111, "absent"),
    ("s6-supervise {file}", 111, "file"),
    ("s6-svscan {absent}", 111, ""),
    ("s6-svscan -t x {dir}", 100, ""),
    ("s6-svscan -c x {dir}", 100, ""),
    ("s6-svscan -d 2 {dir}", 100, ""),
    ("s6-svscan -d 999 {dir}", 100, ""),
    ("s6-svscan -X 999 {dir}", 100, ""),
    ("s6-svc {absent}", 111, "absent"),
    ("s6-svc -T x -u {dir}", 100, ""),
    ("s6-svc -wz {dir}", 100, ""),
    ("s6-svscanctl {absent}", 111, "absent"),
    ("s6-svscanctl -y {dir}", 100, ""),
    ("s6-svstat {absent}", 1, "absent"),
    ("s6-svstat -o nonsense {dir}", 100, "nonsense"),
    ("s6-svok {absent}", 1, None),
    ("s6-svwait -t x {dir}", 100, ""),
    ("s6-svwait {absent}", 111, "absent"),
    ("s6-svlisten {absent} x y", 100, ""),
    ("s6-svlisten1 {dir}", 100, ""),
    ("s6-svlisten1 {absent} true", 111, "absent"),
    ("s6-svdt {absent}", 111, "absent"),
    ("s6-svdt -n x {dir}", 100, ""),
    ("s6-svdt-clear {absent}", 111, "absent"),
    ("s6-permafailon 0 0 1 true", 100, ""),
    ("s6-permafailon x 1 1 true", 100, ""),
    ("s6-permafailon 1 x 1 true", 100, ""),
    ("s6-permafailon 1 1 FOO true", 100, ""),
    ("s6-permafailon 1 1 256 true", 100, ""),
    ("s6-permafailon 1 1 SIGKILL,1-5 true", 0, ""),
    ("s6-permafailon 1 1 1 {absent}", 127, "absent"),
    ("s6-permafailon 1 1 1 {dir}", 126, "dir"),
    ("s6-svperms {absent}", 1, "absent"),
    ("s6-svperms -z {dir}", 100, ""),
    ("s6-svperms -g nosuchgroup {dir}", 100, "nosuchgroup"),
    ("s6-svlink {absent} {dir} name", 111, "absent"),
    ("s6-svlink -t x {dir} {dir} name", 100, ""),
    ("s6-svunlink {dir} .name", 100, ""),
    ("s6-svunlink {dir} /name", 100, ""),
    ("s6-mkfifodir -g x {absent}", 100, ""),
    ("s6-mkfifodir {absent}/deep", 111, "absent"),
    ("s6-cleanfifodir {absent}", 111, "absent"),
    ("s6-ftrig-notify {absent} x", 111, "absent"),
    ("s6-ftrig-wait -t x {dir} y", 100, ""),
    ("s6-ftrig-wait {absent} y", 111, "absent"),
    ("s6-ftrig-wait {dir} (", 111, "("),
    ("s6-ftrig-listen1 {dir} y {absent}", 111, "absent"),
    ("s6-ftrig-listen {dir} x y", 100, ""),
    ("s6-notifyoncheck -n x true", 100, ""),
    ("s6-notifyoncheck true", 100, ""),
]


@pytest.mark.parametrize("program", sorted(set(APPLETS) - set(NEED_NO_ARGUMENTS)))
def test_without_arguments(tools: Programs, program: str) -> None:
    said = tools.run(program)
    expected = 0 if program == "s6-svwait" and tools.expects.svwait_of_nothing_is_fine else 100
    assert said.code == expected
    if expected:
        assert said.err.startswith(f"{program}: ")
        assert "usage: " in said.err or program in TELL_WHAT_ELSE_IS_MISSING
    assert said.out == ""


@pytest.mark.parametrize("program", sorted(set(APPLETS) - set(TAKE_ANY_WORD_AS_DIRECTORY)))
def test_unknown_option(tools: Programs, program: str) -> None:
    said = tools.run(program, "-:", "x", "y", "z")
    assert said.code == 100
    assert said.err.startswith(f"{program}: ")
    assert "usage: " in said.err
    assert said.out == ""


@pytest.mark.parametrize(("line", "code", "names"), CASES, ids=[case[0] for case in CASES])
def test_odd_arguments(
    world: World, tools: Programs, line: str, code: int, names: str | None
) -> None:
    places = {"dir": world.plant({}, "dir"), "absent": world.top / "absent"}
    places["file"] = world.plant({"file": "text\n"}, "more") / "file"
    program, *words = (word.format(**places) for word in line.split(" "))
    said = tools.run(program, *words, cwd=world.top)
    assert said.code == code, said
    assert said.out == ""
    if names is None:
        assert said.err == ""
    else:
        kind = "usage" if code == 100 and "usage: " in said.err else "(fatal|warning)"
        assert re.match(rf"{program}: {kind}: ", said.err), said.err
        assert names in said.err or "usage: " in said.err


def test_short_option_forms(world: World, daemons: Programs, tools: Programs) -> None:
    """Options cluster, take their value attached or as the next word, and end at `--`."""
    supervisor = world.supervise(daemons, world.service(sleeper()))
    supervisor.until("up")
    directory = supervisor.directory
    for words in (["-uwT5000"], ["-u", "-t", "5000"], ["-ut5000"], ["-ut", "5000", "--"]):
        program = "s6-svwait"
        if words == ["-uwT5000"]:
            program, words = "s6-svc", ["-uwuT5000"]
        said = tools.run(program, *words, directory)
        assert (said.code, said.err) == (0, ""), words
