"""s6-log's script: what happens to which lines (matrix row 21, contract 1.10)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from world.logs import DATE, LABEL, content, log, logger
from world.programs import Programs
from world.running import World
from world.waiting import until

TEXT = b"apple\nbanana\0cherry\n\napple pie\n  fig\nAPPLE\nline with \xff bytes\n"

SCRIPTS = [
    ["1"],
    ["-", "1"],
    ["-", "+apple", "1"],
    ["-an", "1"],
    ["-a", "+pie", "1"],
    ["-", "+^apple$", "1"],
    ["+apple", "1"],
    ["-apple", "1", "f", "1"],
    ["-apple", "1", "f", "-pie", "1", "f", "1"],
    ["-apple", "1", "+pie", "1"],
    ["-(apple|fig)+", "1"],
    ["-^ {2}[a-z]*", "1"],
    ["-a.*e", "1", "p", "2"],
    ["pone", "1", "ptwo words", "1", "p", "1"],
    ["-", "+ap{2}", "1", "-pie", "2"],
    ["E3", "2", "E0", "2", "E2", "2"],
    ["E5", "-", "+line", "pP", "2"],
    ["1", "1", "n5", "1"],
    ["-", "1"],
    ["-\\.", "1"],
    ["-.", "1"],
    ["-$", "1"],
    ["-^$", "1"],
    ["-[[:upper:]]", "1"],
    ["-b|", "1"],
    ["+x", "-y", "1", "-", "1"],
    ["s4096", "l2048", "1"],
    ["1", "-dangling"],
]


def rid(words: list[str]) -> str:
    return " ".join(words)


@pytest.mark.parametrize("words", SCRIPTS, ids=rid)
def test_lines_go_where_the_script_says(
    world: World, daemons: Programs, tools: Programs, words: list[str]
) -> None:
    ours, theirs = (
        log(programs, "--", *words, text=TEXT, cwd=world.top) for programs in (daemons, tools)
    )
    assert (ours.code, ours.out) == (theirs.code, theirs.out) == (0, ours.out)
    alerts = [
        [line for line in done.err.splitlines() if line.startswith("s6-log: alert: ")]
        for done in (ours, theirs)
    ]
    assert alerts[0] == alerts[1]


def test_a_line_is_chosen_once(world: World, tools: Programs) -> None:
    words = ["-", "+apple", "1", "f", "pother", "1"]
    done = log(tools, "--", *words, text=b"apple\npear\n", cwd=world.top)
    assert done.out == b"apple\nother pear\n"


WRONG = [
    [],
    ["n5"],
    ["-x"],
    [""],
    ["x", "1"],
    ["f1", "1"],
    ["t1", "1"],
    ["T1", "1"],
    ["11"],
    ["21"],
    ["=", "1"],
    ["n", "1"],
    ["nx", "1"],
    ["n-1", "1"],
    ["n4294967296", "1"],
    ["s", "1"],
    ["S18446744073709551616", "1"],
    ["lx", "1"],
    ["s8000", "l4001", "1"],
    ["r", "1"],
    ["E", "1"],
    ["^", "1"],
    ["+(", "1"],
    ["-[", "1"],
    ["-a{2", "1"],
]


@pytest.mark.parametrize("words", WRONG, ids=rid)
def test_mistakes(world: World, tools: Programs, words: list[str]) -> None:
    done = log(tools, "--", *words, text=b"kept\n", cwd=world.top)
    assert (done.code, done.out) == (100, b"")
    assert done.err.startswith("s6-log: ")
    if tools.name == "ours" and words and words != ["n5"] and words != ["-x"]:
        wrong = next(word for word in words if word != "s8000")
        assert wrong[1:] in done.err, "the message names the directive"


@pytest.mark.ours_only
def test_a_wrong_script_touches_nothing(world: World, tools: Programs) -> None:
    for last in ("+(", "nx"):
        done = log(tools, "--", "./logs", last, "1", text=b"kept\n", cwd=world.top)
        assert done.code == 100
        assert not (world.top / "logs").exists()


HOSTILE = [
    ("a(b", "character 2: this parenthesis is never closed"),
    ("(a)\\1", "character 4: references to what a group has matched are not supported"),
    ("x" + "(" * 150 + "a" + "){99}" * 150, "the expression is too large"),
    ("(" * 5000, "too many parentheses inside each other"),
]
"""Some take the original tens of gigabytes, or its stack."""


@pytest.mark.ours_only
@pytest.mark.parametrize(("expression", "why"), HOSTILE, ids=rid)
def test_hostile_expressions(world: World, tools: Programs, expression: str, why: str) -> None:
    words = [str(tools.path("s6-log")), "--", f"-{expression}", "./logs"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -v 65536; exec "$@"', "sh", *words],
        input="kept\n",
        capture_output=True,
        text=True,
        cwd=world.top,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (100, "")
    assert "unable to use the expression" in done.stderr
    assert why in done.stderr
    assert not (world.top / "logs").exists()


@pytest.mark.ours_only
def test_expressions_that_try_everything_elsewhere(world: World, tools: Programs) -> None:
    """A line of 8000 bytes takes a moment with any expression; each line goes where it belongs."""
    slow = ["-^(a*)*b$", "-(a|aa)*c", "-(a|b)*a(a|b){500}c", "-(x+x+)+y", "+(.*)(.*)(.*)[^a]"]
    text = b"a" * 8000 + b"\n" + b"ab" * 3000 + b"c\n" + b"d\n"
    done = log(tools, "--", *slow, "1", text=text, cwd=world.top)
    assert (done.code, done.err) == (0, "")
    assert done.out == text


@pytest.mark.parametrize(
    "words", [["-x"], ["-l"], ["-lx", "1"], ["-d2", "1"], ["-d77", "1"]], ids=rid
)
def test_wrong_options(world: World, tools: Programs, words: list[str]) -> None:
    done = log(tools, *words, text=b"", cwd=world.top)
    assert done.code == 100
    assert done.err.startswith("s6-log: ")


LONG = b"x" * 47 + b"48" + b"y" * 47 + b"97\n" + b"a" * 48 + b"\n" + b"b" * 49 + b"\n"


@pytest.mark.parametrize("limit", ["1", "47", "48", "49", "97", "98", "99", "0"])
def test_long_lines(world: World, daemons: Programs, tools: Programs, limit: str) -> None:
    ours, theirs = (
        log(programs, f"-l{limit}", "1", text=LONG, cwd=world.top) for programs in (daemons, tools)
    )
    assert ours == theirs
    assert ours.out.replace(b"\n", b"") == LONG.replace(b"\n", b"")


def test_lines_longer_than_a_read(world: World, tools: Programs) -> None:
    text = b"z" * 200_000 + b"\nshort\n"
    assert log(tools, "-l0", "1", text=text, cwd=world.top).out == text
    cut = log(tools, "1", text=text, cwd=world.top).out.splitlines()
    assert [len(line) for line in cut] == [8192] * 24 + [200_000 - 24 * 8192, 5]


def test_the_last_line(world: World, tools: Programs) -> None:
    """A last line without newline is written, with one."""
    done = log(tools, "1", "./logs", text=b"first\nlast", cwd=world.top)
    kept = b"first\nlast\n" if tools.expects.log_keeps_last_line else b"first\n"
    assert (done.code, done.out) == (0, kept)
    assert content(world.top / "logs") == kept


def test_stamps(world: World, tools: Programs) -> None:
    words = ["t", "1", "T", "1", "T", "t", "pP", "1", "p", "1", "t", "T", "2"]
    done = log(tools, *words, text=b"a\n", cwd=world.top, TZ="EST5")
    label, date, both, plain = done.out.splitlines()
    assert LABEL.sub(b"", label) == b"a"
    assert DATE.fullmatch(date[:-1])
    assert LABEL.match(both)
    assert DATE.match(both, 26)
    assert both[26 + 31 :] == b"P a"
    assert plain == b"a"
    assert both[26:57] in (date[:-1], both[26:57])
    alert = done.err.encode().splitlines()[0].removeprefix(b"s6-log: alert: ")
    assert DATE.match(alert, 26)
    assert alert[57:] == b"a"


def test_both_stamps_are_the_same_time(world: World, tools: Programs) -> None:
    done = log(tools, "t", "T", "1", text=b"a\nb\n", cwd=world.top, TZ="CET-1")
    for line in done.out.splitlines():
        unix = int(line[1:17], 16) - (1 << 62) - 37 + 3600
        nanoseconds = int(line[17:25], 16)
        hours, minutes, seconds = int(line[37:39]), int(line[40:42]), int(line[43:45])
        assert unix % 86400 == hours * 3600 + minutes * 60 + seconds
        assert int(line[46:55]) == nanoseconds


@pytest.mark.parametrize("size", ["0", "1", "5", "6", "7", "100", "2000"])
def test_status_files(world: World, daemons: Programs, tools: Programs, size: str) -> None:
    found = []
    for name, programs in (("a", daemons), ("b", tools)):
        file = world.top / name
        done = log(
            programs,
            f"^{size}",
            "pP",
            f"={file}",
            "-",
            f"={file}.none",
            text=b"one\ntwo\n",
            cwd=world.top,
        )
        assert done.code == 0
        assert not Path(f"{file}.new").exists()
        assert not Path(f"{file}.none").exists()
        found.append((file.read_bytes(), file.stat().st_mode & 0o777))
    assert found[0] == found[1]
    expected = b"P two\n"
    assert found[0][0] == (
        expected if size == "0" else expected.ljust(int(size), b"\n")[: int(size)]
    )


def test_a_status_file_that_cannot_be_written(world: World, tools: Programs) -> None:
    done = log(tools, "=absent/file", "1", text=b"a\n", cwd=world.top)
    assert (done.code, done.out) == (0, b"a\n")
    assert "absent/file" in done.err
    assert log(tools, "-q", "=absent/file", "1", text=b"a\n", cwd=world.top).err == ""


def test_readiness_and_order_of_writes(world: World, tools: Programs) -> None:
    with logger(tools, "./logs", "1", cwd=world.top) as its:
        assert its.ready
        assert (world.top / "logs/current").exists()
        its.write(b"a\nb\npart")
        until(lambda: its.output.read_bytes() == b"a\nb\n", "both lines")
        assert content(world.top / "logs") == b"a\nb\n"
        its.write(b"ial\n")
        until(lambda: its.output.read_bytes() == b"a\nb\npartial\n", "the third line")
        assert its.end() == 0


def test_nobody_reads_stdout(world: World, tools: Programs) -> None:
    """Stdout is given up, the logdir goes on."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as broken:
        done = subprocess.run(
            [tools.path("s6-log"), "1", "./logs"],
            input=b"a\nb\n",
            stdout=broken,
            stderr=subprocess.PIPE,
            cwd=world.top,
            timeout=30,
            check=False,
        )
    assert done.returncode == 0
    assert b"stdout" in done.stderr
    assert content(world.top / "logs") == b"a\nb\n"
