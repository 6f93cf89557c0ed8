"""s6-tai64n, s6-tai64nlocal, ucspilogd (contract 1.4)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from world.logs import LABEL, filtered
from world.programs import Programs, our_executable
from world.running import World
from world.waiting import PATIENCE_S

LABELS = b"""@400000006553f12500000005 x
@400000006553F1253b9ac9ff x
@400000006553f12500000005
@400000006553f12500000005x
@400000006553f1250000000 short
@400000006553f1250000000g x
 @400000006553f12500000005 x
@3fffffffffffffff00000000 before
@400000000000000a00000000 1970
@400000000000000000000000 too early
@7fffffffffffffff00000000 too late
@400000005868469a00000000 before the last leap second
@400000005868469c00000000 after it

plain"""

READABLE = b"""2023-11-14 22:13:20.000000005 x
2023-11-14 22:13:20.999999999 x
2023-11-14 22:13:20.000000005
2023-11-14 22:13:20.000000005x
@400000006553f1250000000 short
@400000006553f1250000000g x
 @400000006553f12500000005 x
@3fffffffffffffff00000000 before
1970-01-01 00:00:00.000000000 1970
@400000000000000000000000 too early
@7fffffffffffffff00000000 too late
2016-12-31 23:59:50.000000000 before the last leap second
2016-12-31 23:59:52.000000000 after it

plain"""


def test_tai64n(world: World, tools: Programs) -> None:
    done = filtered(tools, "s6-tai64n", text=b"a\n\nb\0c\nlast", cwd=world.top)
    assert (done.code, done.err) == (0, "")
    lines = done.out.split(b"\n")
    assert [LABEL.sub(b"", line, count=1) for line in lines] == [b"a", b"", b"b\0c", b"last", b""]
    assert all(LABEL.match(line) for line in lines[:-1])
    assert lines[:-1] == sorted(lines[:-1])
    assert filtered(tools, "s6-tai64n", text=b"", cwd=world.top).out == b""


def test_a_line_is_passed_on_when_it_is_there(world: World, tools: Programs) -> None:
    popen = subprocess.Popen(
        [tools.path("s6-tai64n")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=world.top
    )
    with popen:
        assert popen.stdin
        assert popen.stdout
        for line in (b"one\n", b"two\n"):
            popen.stdin.write(line)
            popen.stdin.flush()
            assert popen.stdout.readline()[26:] == line
        popen.stdin.close()
        assert popen.wait(PATIENCE_S) == 0


def test_greenwich(world: World, tools: Programs) -> None:
    done = filtered(tools, "s6-tai64nlocal", "-g", text=LABELS, cwd=world.top)
    assert done.code == 0
    assert done.out == READABLE


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC0", b"12:00:00", b"12:00:00"),
        ("EST5", b"07:00:00", b"07:00:00"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", b"13:00:00", b"14:00:00"),
        ("<+0545>-5:45", b"17:45:00", b"17:45:00"),
    ],
)
def test_local_time(world: World, tools: Programs, zone: str, winter: bytes, summer: bytes) -> None:
    noon = 1_736_856_000 + 37  # on 14 January 2025; the label counts leap seconds
    july = noon + 181 * 86400
    text = b"@%016x00000000 x\n@%016x00000000 x\n" % ((1 << 62) + noon, (1 << 62) + july)
    done = filtered(tools, "s6-tai64nlocal", text=text, cwd=world.top, env={"TZ": zone})
    assert [line[11:19] for line in done.out.splitlines()] == [winter, summer]


ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    ":Asia/Kathmandu",
    "Pacific/Apia",
    "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
    "AAA0BBB-3,59/0:30:10,300/23",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "",
    ":",
    "Nowhere/Town",
    "EST",
    "/etc/passwd",
)
"""Files, rules, and what is neither."""


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_show_what_the_library_says(world: World, tools: Programs, zone: str) -> None:
    """tzset(3), asked by Python, for times from 1972, when leap seconds began, to 2100."""
    moments = range(63_072_000, 4_102_444_800, 86_400 * 91 + 3601)
    text = b"".join(b"@%016x00000000 x\n" % ((1 << 62) + moment) for moment in moments)
    greenwich = filtered(tools, "s6-tai64nlocal", "-g", text=text, cwd=world.top)
    local = filtered(tools, "s6-tai64nlocal", text=text, cwd=world.top, env={"TZ": zone})
    script = (
        "import calendar, sys, time\n"
        "form = '%Y-%m-%d %H:%M:%S'\n"
        "for line in sys.stdin:\n"
        "    moment = calendar.timegm(time.strptime(line[:19], form))\n"
        "    print(time.strftime(form, time.localtime(moment)) + line[19:], end='')\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script],
        input=greenwich.out,
        env={"TZ": zone},
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert len(local.out.splitlines()) == len(moments)
    assert local.out == asked.stdout


@pytest.mark.ours_only
def test_a_rule_without_days_follows_the_law_of_today(world: World, tools: Programs) -> None:
    march_1980 = b"@%016x00000000 x\n" % ((1 << 62) + 322_348_524 + 19)
    done = filtered(tools, "s6-tai64nlocal", text=march_1980, cwd=world.top, env={"TZ": "EST5EDT4"})
    assert done.out.startswith(b"1980-03-19 17:15:24.")


@pytest.mark.ours_only
def test_the_zone_is_that_of_the_chain(world: World, tools: Programs) -> None:
    """A chain goes on in one process, whose own environment stays what it was."""
    done = subprocess.run(
        [tools.path("export"), "TZ", "EST5", tools.path("s6-tai64nlocal")],
        input=LABELS.splitlines()[0],
        env={"TZ": "UTC0"},
        cwd=world.top,
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout == b"2023-11-14 17:13:20.000000005 x"


@pytest.mark.ours_only
def test_a_label_that_is_no_time(world: World, tools: Programs) -> None:
    text = b"@400000006553f1253b9aca00 a whole second\n"
    assert filtered(tools, "s6-tai64nlocal", text=text, cwd=world.top).out == text


def test_what_is_wrong_with_the_options(world: World, tools: Programs) -> None:
    for program in ("s6-tai64nlocal", "ucspilogd"):
        done = filtered(tools, program, "-x", text=b"kept\n", cwd=world.top)
        assert (done.code, done.out) == (100, b"")
        assert "usage" in done.err


@pytest.mark.parametrize("program", ["s6-tai64n", "s6-tai64nlocal", "ucspilogd"])
def test_nobody_reads(world: World, tools: Programs, program: str) -> None:
    """A filter does not go on without a reader, and says so or dies by SIGPIPE."""
    done = subprocess.run(
        ["sh", "-c", f"{{ yes | {tools.path(program)}; echo $? >&2; }} | :"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=world.top,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.stderr.splitlines()[-1] in ("141", "111")


SYSLOG = b"""<0>a
<30> b
<191>c
<96>no such facility
<192>mark
<4294967295>large
<99999999999>too large
<>empty
<x>no number
<5
plain
@400000006553f12500000005 <13>labelled
@400000006553f12500000005<13>not labelled
\0<3>d\0e

last"""


@pytest.mark.parametrize("words", [(), ("A", "B"), ("-D", "none", "B"), ("-D", "", "B", "A")])
def test_ucspilogd(
    world: World, daemons: Programs, tools: Programs, words: tuple[str, ...]
) -> None:
    env = {"A": "one"}
    ours, theirs = (
        filtered(programs, "ucspilogd", *words, text=SYSLOG, cwd=world.top, env=env)
        for programs in (daemons, tools)
    )
    assert ours == theirs
    assert b"kern.emerg: a\n" in ours.out


@settings(max_examples=60, deadline=None)
@given(text=st.lists(st.sampled_from([b"@", b"4", b"0", b"\n", b"<", b"13", b">", b"\0", b" "])))
def test_any_text(text: list[bytes]) -> None:
    """Whatever comes in: the programs end well, and lines without label or number are unchanged."""
    executable = our_executable()
    assert executable
    whole = b"".join(text)
    for program in ("s6-tai64nlocal", "ucspilogd"):
        done = subprocess.run(
            [executable, program], input=whole, capture_output=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
        if program == "s6-tai64nlocal":
            assert done.stdout == whole
