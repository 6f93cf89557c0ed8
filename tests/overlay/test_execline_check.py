"""Execline scripts with everything wrong or odd about them: where, what, why, what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s6x.overlay.check import check
from s6x.overlay.execline import is_script, script_findings
from s6x.overlay.execline_commands import COMMANDS, DIRECTIVES
from s6x.overlay.root import Root
from world.programs import REPOSITORY
from world.tree import Content, plant

PROGRAMS: dict[str, Content] = {
    f"bin/{name}!": "\x7fELF" for name in ("sh", "echo", "cat", "sleep", "awk", "nginx", "test")
}


def said(tmp_path: Path, script: str, first: str = "#!/command/execlineb -P\n") -> list[str]:
    """Return the findings about a script as `level line:column what`."""
    root = Root(plant(tmp_path, PROGRAMS))
    found = script_findings(root, "run", (first + script).encode())
    return [f"{its.level} {its.path.removeprefix('run:')} {its.what}" for its in found]


GOOD = [
    "echo hello",
    "foreground { echo a } if { test -f x } ifelse { test b } { echo c } echo d",
    "importas -i X Y echo $X ${X}y a${X}${X} \\\\${X}",
    'define A b define C "${A}c" echo $C',
    'define A "${B} ${B}" multidefine "a $C" { B } define C v echo $A',
    "multisubstitute { importas -D d A B define C d elgetpositionals -P 0 } echo $A $C $1 $@",
    "multisubstitute { multidefine ab { X Y } } echo $X $Y",
    "elgetpositionals echo $1 ${@} $#",
    "forx -E i { a b } echo $i",
    "forx i { a b } importas -iu i i echo $i",
    "backtick -E D { echo } cat $D",
    "backtick -in D { echo } importas D D cat $D",
    'forbacktickx -d"\\n" -x 0,1 L { cat } importas -u L L echo $L',
    "pipeline { echo } redirfd -w 2 /dev/null fdmove -c 1 2 cat",
    "trap { TERM { echo bye } default { foreground { echo } } } sleep 9",
    "case -N x { ^a { echo a } b { } } echo none",
    'sh -c "echo $HOME ${X} $1"',
    'awk "{print $1}"',
    'exec -c -a name nginx -g "daemon off;"',
    "s6-setuidgid nobody s6-env A=b B=c fdmove 2 1 cat",
    "with-contenv importas -i N NAME echo $N",
    "wait -r -- { } echo",
    "wait 1 2",
    "export PATH /elsewhere something",
    "importas -i P PROG $P $x",
    "define B { echo if $B",
    "redirfd -r 0 file emptyenv -c export A b exec echo",
    'echo \\$x "\\\\${x}" a$ $ ${ $}',
    "elglob -s F *.c echo $F",
    "cat -x { importas -u U U echo $U } sh $U",  # whatever a program does with a block
    "ifthenelse -s { test b } { exec -c -- s6-envdir /env } { } echo c",
    "loopwhilex -o 1 sleep 1",
    "./relative",
    "s6-sleep 1",
    "if -X -t { test } echo",
    "runblock -r 0",
    "execline-umask 022 umask 022 cd / cat",
    "",
]


@pytest.mark.parametrize("script", GOOD)
def test_good_scripts_have_no_findings(tmp_path: Path, script: str) -> None:
    if "{ echo if" in script:
        script = script.replace("{ echo if", '"{" echo')  # a brace that is a word
    assert said(tmp_path, script + "\n") == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo "a', "error 2:8 syntax error: a quote is never closed"),
        ("if { echo\n", "error 2:4 unmatched {"),
        ("echo\n  }\n", "error 3:"),
        ('echo "\\0400"', "error 2:"),
        ("if test -f x echo", "error 2:4 if wants a block here, not test"),
        ("if {test\n echo", "error 2:4 if wants a block here, not {test"),
        ("if {test } echo", "error 2:10 unmatched }"),
        ("foreground", "error 2:1 foreground has too few blocks"),
        ("ifelse { test } { echo }", None),
        ("ifelse { test }", "error 2:1 ifelse has too few blocks"),
        ("background { } echo", "error 2:1 a block of background is empty"),
        ("foreground { export A } echo", "error 2:14 export has too few arguments"),
        ("export A b", "error 2:1 export is followed by no program"),
        ("importas", "error 2:1 importas has too few arguments"),
        ("importas -z A B echo", "error 2:10 importas has no option -z"),
        ("forx i { a } fdmove -x 1 2 echo", "error 2:21 fdmove has no option -x"),
        ("trap { TERM echo } sleep 1", "error 2:13 TERM wants a block here, not echo"),
        ("case x { a echo } cat", "error 2:12 a wants a block here, not echo"),
        (
            "multisubstitute { foreground A } echo",
            "error 2:19 multisubstitute has no directive foreground",
        ),
        ("nosuch", "warning 2:1 there is no program nosuch in PATH"),
        ("foreground { nosuch }\n/no/such x", "warning 2:14 there is no program nosuch in PATH"),
        ("/no/such x", "warning 2:1 there is no program /no/such"),
        ("s6-nosuch x", "warning 2:1 there is no program s6-nosuch in PATH"),
        ("echo $x", "warning 2:6 nothing substitutes $x"),
        ("echo a${x}b", "warning 2:6 nothing substitutes ${x}"),
        ("importas -i A B echo ${B}", "warning 2:22 nothing substitutes ${B}"),
        ("forx i { a } echo $i", "warning 2:19 nothing substitutes $i"),
        ("echo $1", "warning 2:6 nothing substitutes $1"),
        ("echo $@", "warning 2:6 nothing substitutes $@"),
        ("importas -i A A echo $A/x", "error 2:22 $A/x is not $A and more"),
        ("echo $HOME/x", "warning 2:6 nothing substitutes $HOME"),
        ("foreground { importas -i A A echo $A } echo $A", "warning 2:45 nothing substitutes $A"),
        (
            "foreground { echo ok $A } importas -i A A echo $A",
            "warning 2:22 nothing substitutes $A",
        ),
        ("redirfd -r 0 $F cat", "warning 2:14 nothing substitutes $F"),
        ("echo ${x}${x}", "warning 2:6 nothing substitutes ${x}"),
        ("$prog", "warning 2:1 nothing substitutes $prog"),
    ],
)
def test_what_is_found(tmp_path: Path, script: str, expected: str | None) -> None:
    found = said(tmp_path, script)
    if expected is None:
        assert found == []
    else:
        assert found
        assert found[0].startswith(expected), found


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("#!/command/execlineb -P -W", "error 1:1 more than one option word: -P -W"),
        ("#!/usr/bin/execlineb -P\r", "error 1:1 the first line ends with a carriage return"),
        ("#!/bin/execlineb -Px", "error 1:1 execlineb has no option -x"),
        ("#!/bin/execlineb -S", "error 1:1 -S needs a number, not "),
        ("#!/bin/execlineb -S 1", "error 1:1 more than one option word: -S 1"),
        ("#!/bin/sh", "error 1:1 the first line does not name execlineb"),
        ("#!/bin/execlineb", None),
        ("#! /bin/execlineb -PW ", None),
        ("#!/bin/execlineb -qS0", None),
        ("#!/bin/execlineb -s2", None),
        ("#!/usr/bin/env -S execlineb -P -W", None),
        ("#!/usr/bin/env execlineb", None),
    ],
)
def test_first_lines(tmp_path: Path, first: str, expected: str | None) -> None:
    found = said(tmp_path, "echo\n", first + "\n")
    assert found[:1] == ([] if expected is None else [its for its in found if expected in its][:1])
    assert bool(found) == (expected is not None)


@pytest.mark.parametrize(
    ("first", "good"), [("-S0", True), ("-s1", True), ("-P", False), ("-p", False), ("-PS1", True)]
)
def test_who_substitutes_parameters(tmp_path: Path, first: str, good: bool) -> None:
    found = said(tmp_path, "echo $1 ${@} $#\n", f"#!/command/execlineb {first}\n")
    assert (found == []) == good


@pytest.mark.parametrize(
    ("script", "remedy"),
    [
        ("echo $x", "put importas -i x x before it"),
        ("echo $1", "-P leaves the parameters alone: write -S0 in the first line"),
        ("importas -i A B echo ${B}", "write ${A}, or importas B B"),
        ("forx i { a } echo $i", "or use forx -E"),
        ("importas A A echo $A/x", "write ${A}/x"),
        ("if {test } echo", "put blanks around braces"),
        ("s6-nosuch", "s6x install lays it out"),
    ],
)
def test_the_way_out(tmp_path: Path, script: str, remedy: str) -> None:
    root = Root(plant(tmp_path, PROGRAMS))
    found = script_findings(root, "run", f"#!/bin/execlineb -P\n{script}".encode())
    assert remedy in found[0].remedy
    assert str(found[0]).startswith("run:2:")


def test_scripts_of_an_image(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            **PROGRAMS,
            "init!": "",
            "command/execlineb!": "\x7fELF",
            "etc/services.d/web": {
                "run!": "#!/command/execlineb -P\nif { nginx\n",
                "finish!": "#!/bin/sh\necho $1\n",
            },
            "etc/other": "#!/command/execlineb -P\necho $x\n",
            "opt/tool": "#!/command/execlineb -P\n$not-executable\n",
            "usr/local/bin/tool!": "#!/usr/bin/env execlineb\nnosuch\n",
            "etc/cont-init.d/dos!": "#!/command/execlineb\r\necho $x\r\n",
        },
    )
    found = [str(its).split(": ")[0] for its in check(tmp_path, "v2")]
    assert found == [
        "/etc/cont-init.d/dos",
        "/etc/services.d/web/run:2:4",
        "/etc/other:2:6",
        "/usr/local/bin/tool:2:1",
    ]


def test_deep_scripts(tmp_path: Path) -> None:
    deep = 600
    found = said(tmp_path, "if { " * deep + "echo " + "} " * deep + "echo")
    assert len(found) == 1
    assert "nested very deeply" in found[0]


def test_every_command_of_execline_is_known() -> None:
    """The programs of the table of applets in the section Execline, but for the launcher."""
    listed = (REPOSITORY / "rust/multicall/src/execline").rglob("*.rs")
    names = {name for file in listed for name in re.findall(r'\bname: "([^"]+)"', file.read_text())}
    assert len(names) > 30
    assert names - {"execlineb", "execline"} <= set(COMMANDS)
    assert set(DIRECTIVES) <= set(COMMANDS)


def test_shapes_are_of_known_parts() -> None:
    for name, command in COMMANDS.items():
        assert re.fullmatch(r"[wnkcebdsa]*[.?*]?", command.shape), name
        assert command.options == "-" or re.fullmatch(r"(\w:?)+", command.options), name


@given(text=st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_can_be_checked(text: bytes) -> None:
    found = script_findings(Root("/nonexistent"), "x", b"#!/bin/execlineb -P\n" + text)
    assert all(re.match(r"x:\d+:\d+: ", str(its)) for its in found)


WORDS = st.sampled_from(
    [*sorted(COMMANDS), "{", "}", "$x", "${1}", "-E", "-n", "A", "1", '"', "\\", "\n", "# c\n"]
)


@given(words=st.lists(WORDS, max_size=14))
@settings(max_examples=300, deadline=None)
def test_any_words_can_be_checked(words: list[str]) -> None:
    script = "#!/bin/execlineb -P\n" + " ".join(words)
    found = script_findings(Root("/nonexistent"), "x", script.encode())
    assert all(its.what and its.why and its.remedy for its in found)


def test_what_is_a_script() -> None:
    for first, it_is in (
        (b"#!/command/execlineb -P\n", True),
        (b"#!/package/admin/execline/command/execlineb -S0", True),
        (b"#!/usr/bin/env execlineb\n", True),
        (b"#!/usr/bin/with-contenv execlineb\n", True),
        (b"#!/bin/sh\nexeclineb\n", False),
        (b"#!/bin/sh execlineb\n", False),
        (b"execlineb", False),
        (b"", False),
    ):
        assert is_script(first) == it_is, first
