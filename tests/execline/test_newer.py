"""What 2.9.9 has and 2.9.3 has not, and what s6x does better than both."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.scripts import Case, Commands

FILES = "foreground { touch a ab }"

NEWER = [
    # script, environment, stdout, exit code, what the message says
    ("importas -S X echo $X", {"X": "v"}, "v\n", 0, ""),
    ("importas -uSi X importas -D gone Y X echo $X $Y", {"X": "v"}, "v gone\n", 0, ""),
    ("import -i X echo $X", {"X": "v"}, "v\n", 0, ""),
    ("import -i X echo $X", {}, "", 100, "import: fatal: X not set"),
    ('import -D "a b" -s X echo x${X}', {}, "xa xb\n", 0, ""),
    (f'{FILES} elglob -s -d: x "a*" printf "<%s>" $x', {}, "<a:ab:>", 0, ""),
    (f'{FILES} elglob -s -nd: x "a*" printf "<%s>" $x', {}, "<a:ab>", 0, ""),
    (f'{FILES} elglob -s -d "" x "a*" printf "<%s>" $x', {}, "<1:a,2:ab,>", 0, ""),
    ('elglob -0 -n -d: x "a*" printf "<%s>" $x', {}, "<>", 0, ""),
    ("backtick -I v { exit 3 } importas q ? echo $q", {}, "3\n", 0, ""),
    ("backtick -D d v { exit 3 } importas q ? echo $q", {}, "3\n", 0, ""),
    ('backtick -x v { sh -c "kill -9 $$" } importas q ? echo $q', {}, "265\n", 0, ""),
    ("backtick -i v { true } importas -D unset q ? echo $q", {}, "unset\n", 0, ""),
    ("backtick -Ex v { false } echo x $v y", {}, "x $v y\n", 0, ""),
    ("backtick v { echo a }", {}, "", 100, "after the block must not be empty"),
    ("foreground { /etc/passwd } importas q ? echo $q", {}, "126\n", 0,
     "foreground: warning: unable to spawn /etc/passwd: Permission denied"),
    ("ifthenelse { } { /etc/passwd } { } importas q ? echo $q", {}, "126\n", 0,
     "ifthenelse: warning: unable to spawn /etc/passwd: Permission denied"),
    ("pipeline { } cat", {}, "", 100, "pipeline: fatal: empty block"),
    ("background -d { none } echo a", {}, "", 111,
     "background: fatal: unable to spawn none: No such file or directory"),
    ("pipeline -d { none } echo a", {}, "", 111,
     "pipeline: fatal: unable to spawn none: No such file or directory"),
    ('case "a\\nb" { "a.b" { echo nl } } echo d', {}, "nl\n", 0, ""),
    ('case "a\\nb" { "a" { echo line } } echo d', {}, "d\n", 0, ""),
    ('case -N "a\\nb" { "a[^x]b" { echo nl } } echo d', {}, "nl\n", 0, ""),
    ("foreground { echo a", {}, "", 100, "execlineb: fatal: unmatched { in file @SCRIPT@"),
    ("echo a\n  } b", {}, "", 100, "unmatched } in file @SCRIPT@ at line 2, column 3"),
    ('echo "\\08"', {}, "", 100, "syntax error in file @SCRIPT@ at line 1, column 9"),
]  # fmt: skip

BETTER = [
    ("foreground { {\\x } echo", {}, "\n", 0, "unable to spawn {x"),
    ('foreground { printf "<%s>" {\\a }\\\nb } true', {}, "<{a><}\nb>", 0, ""),
    ("echo }\\", {}, "", 100, "syntax error"),
    ("foreground { } importas ? ? echo $?", {}, "0\n", 0, ""),
    ("if { } ifelse { } { echo a } echo b", {}, "a\n", 0, ""),
    ("multisubstitute { multidefine a { } } echo", {}, "", 100,
     "multisubstitute: fatal: empty block"),
    ('case a { "(" { echo } }', {}, "", 100, "unable to compile the regular expression (:"),
    ("shift -b 1 echo", {"#": "1", "1": "a"}, "", 100,
     "unable to shift block 1: too few arguments"),
    ('multidefine -r "a b c" { "" "" } echo x', {}, "x\n", 0, ""),
    ("runblock 1", {"#": "1", "1": ""}, "", 0, ""),
    ("runblock -r 9 echo", {"#": "4000000000"}, "", 100, "1 not set"),
    ("shift -n 4000000 importas n \"#\" echo $n", {"#": "4000000000"}, "3996000000\n", 0, ""),
    ("execlineb -S 4000000000 -c \"echo ${4000000000} x\"", {}, " x\n", 0, "too few arguments"),
    ("backtick -E v { echo a } none $v", {}, "", 127, "backtick: fatal: unable to exec none"),
    ("elgetpositionals -P 4000000000 echo $4000000000 x", {"#": "0", "0": "s"}, " x\n", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("script", "env", "out", "code", "said"), NEWER)
def test_newer(
    script: str, env: dict[str, str], out: str, code: int, said: str, ours: Commands, tmp_path: Path
) -> None:
    ran = ours.run(Case("", script, env=env), tmp_path)
    assert (ran.stdout, ran.exit) == (out, code), ran
    assert said in ran.stderr if said else not ran.stderr


@pytest.mark.parametrize(("script", "env", "out", "code", "said"), BETTER)
def test_better(
    script: str, env: dict[str, str], out: str, code: int, said: str, ours: Commands, tmp_path: Path
) -> None:
    test_newer(script, env, out, code, said, ours, tmp_path)


def test_an_option_that_does_nothing(ours: Commands, tmp_path: Path) -> None:
    ran = ours.run(Case("", "echo a", ("-Pe", "@SCRIPT@")), tmp_path)
    assert (ran.stdout, ran.exit) == ("a\n", 0)
