"""Loops, waiting and signals: each script on both implementations, with the same result."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.meaning import Meaning, meaning, quoted
from world.scripts import Case, Commands

LOOPS = [
    "forx x { a b c } importas v x echo $v",
    "forx -E x { a b c } echo ${x} p${x}",
    "forx -e x { a } sh -c 'echo $x'",
    "forx -E x { a } sh -c 'echo ${x} $x'",
    "forx x { } echo no",
    "forx x { a b }",
    "forx x { a b } none",
    "forx x { a b } export A b none",
    "forx -E x { echo none } ${x} word",
    "forx -E x { '' } ${x}",
    "forx -E x { 'two words' '' } printf '<%s>' ${x}",
    "forx x { a b",
    "forx x a b",
    "forx x",
    "forx",
    "forx '' { a } echo no",
    "forx a=b { a } echo no",
    "forx -z x { a } echo no",
    "forx --each x { a } echo no",
    "forx -E -x 3 x { 1 3 2 } foreground { echo ${x} } exit ${x}",
    "forx -E -x 3,2 x { 1 2 3 } foreground { echo ${x} } exit ${x}",
    "forx -E -o 0,1 x { 1 0 3 2 } foreground { echo ${x} } exit ${x}",
    "forx -E -o 0 -x 7 x { 1 7 8 } foreground { echo ${x} } exit ${x}",
    "forx -E -x 7 -o 1 x { 1 7 8 } foreground { echo ${x} } exit ${x}",
    "forx -E -x 128 x { 1 200 2 } foreground { echo ${x} } exit ${x}",
    "forx -x 137 x { a b } sh -c 'echo in; kill -9 $$'",
    "forx -E x { 1 2 } exit ${x}",
    "forx -x '' x { a } echo no",
    "forx -x a x { a } echo no",
    "forx -o ,1 x { a } echo no",
    "forx -E -x '1 2:3;4x5' x { 5 4 } foreground { echo ${x} } exit ${x}",
    "forx -p x { a b c } true",
    "forx -p x { a b c } sh -c 'exit 3'",
    "forx -p x { a b } none",
    "background { sh -c 'exit 3' } forx x { a b } echo in",
    "forx x { a } sh -c 'ls /proc/self/fd'",
    "forx x { a b } sh -c 'read l; echo $l'",
    "forx -E x { a b } forx -E y { 1 2 } echo ${x}${y}",
    "export x old forx x { new } sh -c 'echo $x'",
    "export x old forx -E x { new } sh -c 'echo ${x}' '$x'",
    "loopwhilex sh -c 'echo x >> f; test $(wc -l < f) -lt 3'",
    "loopwhilex -n sh -c 'echo x >> f; test $(wc -l < f) -ge 3'",
    "loopwhilex -x 3 sh -c 'echo x >> f; exit $(wc -l < f)'",
    "loopwhilex -x 3,2 sh -c 'echo x >> f; exit $(wc -l < f)'",
    "loopwhilex -o 1,2 sh -c 'echo x >> f; exit $(wc -l < f)'",
    "loopwhilex -n -o 3 sh -c 'echo x >> f; exit $(wc -l < f)'",
    "loopwhilex -nx 1,2 sh -c 'echo x >> f; exit $(wc -l < f)'",
    "loopwhilex sh -c 'kill -9 $$'",
    "loopwhilex -x 137 sh -c 'kill -9 $$'",
    "loopwhilex sh -c 'exit 200'",
    "loopwhilex none",
    "loopwhilex export A b none",
    "loopwhilex { false }",
    "loopwhilex ''",
    "loopwhilex",
    "loopwhilex -x '' false",
    "loopwhilex -o x false",
    "loopwhilex -z false",
    "background { sh -c 'exit 3' } loopwhilex false",
]

STREAMS = [
    # script, standard input
    *[
        (f"forstdin {options} l importas v l printf '<%s>' $v", text)
        for options in ("", "-N", "-C", "-d :", "-d ':,'", "-0", "-N0", "-Nd :", "-n", "-Nn", "-Cc")
        for text in ("", "a\nb\n", "a\nb", "\n\na\n\n\nb\n", "a:b,c:", "a\0b\0", ":", "a:\n")
    ],
    *[
        ("forstdin -E -d '' l printf '<%s>' ${l}", text)
        for text in (
            *("", "1:a,", "1:a,3:b\nc,", "0:,", "1:a", "1:a,2", "a", "1;a,", "1:ab", ":,", "01:a,"),
        )
    ],
    ("forstdin -E l printf '<%s>' ${l}", "a\0b\nc\n"),
    ("forstdin -E l echo ${l} p${l}", "x y\n"),
    ("forstdin l none", "a\nb\n"),
    ("forstdin l", "a\n"),
    ("forstdin", "a\n"),
    ("forstdin '' echo no", "a\n"),
    ("forstdin a=b echo no", "a\n"),
    ("forstdin -z l echo no", "a\n"),
    ("forstdin -P x l echo no", "a\n"),
    ("forstdin -x '' l echo no", "a\n"),
    ("forstdin -E -x 3 l foreground { echo ${l} } exit ${l}", "1\n3\n2\n"),
    ("forstdin -E -o 0,1 l foreground { echo ${l} } exit ${l}", "1\n0\n3\n2\n"),
    ("forstdin -E -o 0 -d : l foreground { echo ${l} } exit ${l}", "0:200:1:"),
    ("forstdin -p l true", "a\nb\n"),
    ("forstdin -px 3 l sh -c 'exit 3'", "a\nb\n"),
    ("forstdin -p l true", ""),
    ("forstdin l sh -c 'cat; echo read'", "a\nb\nc\n"),
    ("forstdin l sh -c 'ls /proc/self/fd'", "a\n"),
    ("fdclose 0 forstdin l echo no", ""),
    ("redirfd -r 0 / forstdin l echo no", ""),
    ("forbacktickx l { printf 'a\\nb\\n' } importas v l echo $v", "in\n"),
    ("forbacktickx -E l { printf 'a\\nb\\n' } echo ${l}", "in\n"),
    ("forbacktickx -E l { cat } echo ${l}", "in\nput\n"),
    ("forbacktickx -E l { echo a } cat", "in\n"),
    ("forbacktickx -E l { echo a } sh -c 'ls /proc/self/fd'", "in\n"),
    ("forbacktickx -E l { sh -c 'ls /proc/self/fd' } echo ${l}", "in\n"),
    ("fdclose 0 forbacktickx -E l { echo a } sh -c 'ls /proc/self/fd'", "in\n"),
    ("fdclose 0 forbacktickx -E l { sh -c 'ls /proc/self/fd' } echo ${l}", "in\n"),
    ("forbacktickx -E l { cat - } foreground { cat } echo ${l}", "in\n"),
    ("forbacktickx l { true } echo no", "in\n"),
    ("forbacktickx l { none } echo no", "in\n"),
    ("forbacktickx l { export A b none } echo no", "in\n"),
    ("forbacktickx l { echo a } none", "in\n"),
    ("forbacktickx l { } echo no", "in\n"),
    ("forbacktickx l echo a", "in\n"),
    ("forbacktickx l", "in\n"),
    ("forbacktickx", "in\n"),
    ("forbacktickx -z l { echo a } echo no", "in\n"),
    ("forbacktickx -x x l { echo a } echo no", "in\n"),
    ("forbacktickx -Ex 4 l { printf '1\\n4\\n2\\n' } foreground { echo ${l} } exit ${l}", ""),
    ("forbacktickx -Eo 1 l { printf '1\\n4\\n2\\n' } foreground { echo ${l} } exit ${l}", ""),
    ("forbacktickx -EN l { printf 'a\\nb' } printf '<%s>' ${l}", ""),
    ("forbacktickx -EC l { printf '\\n\\na\\n' } printf '<%s>' ${l}", ""),
    ("forbacktickx -E0 l { printf 'a\\\\0b\\\\0' } printf '<%s>' ${l}", ""),
    ("forbacktickx -Ed : l { printf 'a:b:c' } printf '<%s>' ${l}", ""),
    ("forbacktickx -Ed '' l { printf '1:a,2:bc,' } printf '<%s>' ${l}", ""),
    ("forbacktickx -Ed '' l { printf '1:a,x' } printf '<%s>' ${l}", ""),
    ("forbacktickx l { echo a } importas -D unset p ! echo $p", ""),
    ("export ! 5 forbacktickx l { echo a } importas -D unset p ! echo $p", ""),
    ("forbacktickx -E l { sh -c 'echo a; exit 3' } echo ${l}", ""),
    ("forbacktickx -E l { yes } exit 7", ""),
    ("forbacktickx -E -x 7 l { yes } exit 7", ""),
]
STREAMS = [
    row
    for row in STREAMS
    if row[0] != "forbacktickx -E l { yes } exit 7"  # it never ends
]

WAITS = [
    "background { sh -c 'exit 7' } importas p ! wait $p",
    "background { sh -c 'exit 7' } importas p ! wait { $p } echo after",
    "background { sh -c 'exit 200' } importas p ! wait $p",
    "background { sh -c 'kill -9 $$' } importas p ! wait $p",
    "background { sh -c 'exit 7' } wait",
    "background { sh -c 'exit 7' } wait { } importas -D unset s ? echo $s",
    "background { sh -c 'exit 7' } wait -o { } importas -D unset s ? echo $s",
    "background { sh -c 'exit 7' } wait -o",
    "background { sh -c 'exit 7' } importas p ! wait -o $p",
    "background { sh -c 'exit 7' } importas -u p ! wait -o { $p } importas q ! eltest $p = $q",
    "background { sh -c 'kill -9 $$' } wait -o { } importas s ? echo $s",
    "wait",
    "wait { }",
    "wait { } echo after",
    "wait 1",
    "wait { 1 } echo after",
    "wait 1 2 3",
    "wait -o",
    "wait -o 1",
    "export ? 5 export ! 6 wait -o { } importas -D unset s ? importas -D unset p ! echo $s $p",
    "export ? 5 export ! 6 wait { } importas -D unset s ? importas -D unset p ! echo $s $p",
    "wait x",
    "wait { x } echo no",
    "wait -t x { } echo no",
    "wait -t",
    "wait 99999999999",
    "wait -1",
    "wait '' x",
    "background { sh -c 'exit 7' } importas p ! wait -t 5000 $p",
    "background { sh -c 'exit 7' } importas p ! wait -t 5000 { $p } echo after",
    "background { sh -c 'exit 7' } wait -t 5000 { } echo after",
    "background { sh -c 'exit 7' } wait -o -t 5000 { } importas s ? echo $s",
    "background { sh -c 'exit 7' } importas p ! wait -i -t 5000 $p",
    "background { sleep 5 } importas -u p ! foreground { wait -t 10 $p } importas s ?"
    " foreground { kill $p } echo $s",
    "background { sleep 5 } importas -u p ! wait -t 10 { } foreground { kill $p } echo after",
    "background { sleep 5 } importas -u p ! wait -o -t 10 { }"
    " importas -D unset s ? foreground { kill $p } echo $s",
    "background { sleep 5 } importas -u p ! wait -r { } foreground { kill $p } echo after",
    "background { sleep 5 } importas -u p ! wait -or { } importas -D unset q !"
    " foreground { kill $p } echo $q",
    "background { sleep 0.1 } wait -i -t 10 { } echo no",
    "background { sleep 0.1 } wait -i -r",
    "background { sleep 0.1 } wait -Ii -r",
    "background { sleep 0.1 } wait -iI -r",
    "wait -t 10 1",
    "wait -t 10 { } echo after",
    "wait -r { } echo after",
    "wait -t 10",
    "wait -i -t 10 { } echo after",
    "background { sh -c 'exit 3' } background { sh -c 'exit 4' } importas p ! wait $p",
    "background { sh -c 'exit 3' } importas -u p ! background { sh -c 'exit 4' } importas -u q !"
    " wait $p $q",
    "background { sh -c 'exit 3' } importas -u p ! background { sh -c 'exit 4' } importas -u q !"
    " wait $q $p",
    "background { sh -c 'exit 3' } importas -u p ! background { sh -c 'exit 4' } importas -u q !"
    " wait $q 1",
    "background { sh -c 'exit 3' } importas -u p ! wait $p $p",
    "background { sh -c 'sleep 0.05; exit 3' } importas -u p ! background { sh -c 'exit 4' }"
    " wait -o { $p } importas s ? echo $s",
    "foreground { background { sh -c 'exit 3' } exit 0 } wait",
    "heredoc 0 text wait { } cat",
    "wait -- { } echo after",
    "wait ' 1' '' echo after",
]

TRAPS = [
    "trap { SIGTERM { echo term } } sh -c 'kill -TERM $PPID; sleep 0.1; exit 3'",
    "trap { TERM { echo term } } sh -c 'kill -TERM $PPID; sleep 0.1; exit 3'",
    "trap { term { echo term } } sh -c 'kill -TERM $PPID; sleep 0.1'",
    "trap { 15 { echo term } } sh -c 'kill -TERM $PPID; sleep 0.1'",
    "trap { SIGTERM { importas s SIGNAL importas p ! echo $s } } sh -c 'kill $PPID; sleep 0.1'",
    "trap { SIGTERM { importas p ! sh -c 'kill $1' sh ${p} } } sh -c 'kill $PPID; exec sleep 5'",
    "trap { SIGTERM { echo t } SIGUSR1 { echo u } }"
    " sh -c 'kill -USR1 $PPID; sleep 0.1; kill $PPID; sleep 0.1'",
    "trap { default { importas s SIGNAL echo $s } } sh -c 'kill -USR2 $PPID; sleep 0.1'",
    "trap { default { echo other } SIGHUP { echo hup } }"
    " sh -c 'kill -HUP $PPID; sleep 0.1; kill $PPID; sleep 0.1'",
    "trap { SIGTERM { } } sh -c 'kill $PPID; sleep 0.1; exit 5'",
    "trap { SIGTERM { echo t } } sh -c 'kill -USR1 $PPID; echo alone'",
    "trap -x { SIGHUP { echo h } }"
    " sh -c 'trap \"echo got; exit 4\" USR1; kill -USR1 $PPID; sleep 0.2'",
    "trap { SIGTERM { echo t } } true",
    "trap { SIGTERM { echo t } } exit 7",
    "trap { SIGTERM { echo t } } sh -c 'kill -9 $$'",
    "trap { SIGTERM { echo t } } sh -c 'exit 200'",
    "trap { SIGTERM { echo t } } none",
    "trap { SIGTERM { echo t } } export A b none",
    "trap { SIGTERM { none } } sh -c 'kill $PPID; sleep 0.1; echo on'",
    "trap { SIGTERM { export A b none } } sh -c 'kill $PPID; sleep 0.1; echo on'",
    "trap { NOSIG { echo no } } true",
    "trap { 99 { echo no } } true",
    "trap { SIGKILL { echo no } } true",
    "trap { STOP { echo no } } true",
    "trap { 9 { echo no } } true",
    "trap { 33 { echo no } } true",
    "trap { 34 { echo rt } } sh -c 'kill -34 $PPID; sleep 0.1'",
    "trap { SIGCHLD { echo no } } true",
    "trap { TERM { echo no } SIGTERM { echo no } } true",
    "trap { default { echo no } default { echo no } } true",
    "trap { SIGTERM } true",
    "trap { SIGTERM echo no } true",
    "trap { } true",
    "trap { SIGTERM { echo no } }",
    "trap SIGTERM",
    "trap",
    "trap -z { SIGTERM { echo no } } true",
    "trap { SIGTERM { echo t } } sh -c 'ls /proc/self/fd'",
    "trap { SIGTERM { sh -c 'ls /proc/self/fd' } } sh -c 'kill $PPID; sleep 0.1'",
    "trap { SIGTERM { echo t } } sh -c 'grep SigBlk /proc/self/status'",
    "trap { SIGTERM { grep SigBlk /proc/self/status } } sh -c 'kill $PPID; sleep 0.1'",
    "background { sh -c 'exit 3' } trap { SIGTERM { echo t } } sh -c 'sleep 0.05; exit 4'",
    "trap { SIGTERM { sh -c 'echo once; sleep 0.2' } }"
    " sh -c 'kill $PPID; sleep 0.1; kill $PPID; sleep 0.2'",
]

SCRIPTS = [
    *((script, "in\nput\n") for script in LOOPS),
    *STREAMS,
    *((script, "") for script in WAITS),
    *((script, "") for script in TRAPS),
]


def escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


@pytest.mark.parametrize(
    ("script", "stdin"),
    SCRIPTS,
    ids=[f"{script} {escaped(stdin)}".strip() for script, stdin in SCRIPTS],
)
def test_both_do_the_same(
    ours: Commands, theirs: Commands, tmp_path: Path, script: str, stdin: str
) -> None:
    case = Case(script, quoted(script), stdin=stdin)
    mine, original = ours.run(case, tmp_path), theirs.run(case, tmp_path)
    assert (mine.exit, mine.stdout) == (original.exit, original.stdout), (mine, original)
    said = meaning(mine.stderr), meaning(original.stderr)
    assert said[0] == [reworded(script, *line) for line in said[1]], (mine.stderr, original.stderr)


def reworded(script: str, who: str, level: str, reason: str) -> Meaning:
    """Return what s6x says instead: what is wrong with a netstring; and a loop is one program."""
    if script.startswith("forbacktickx") or "} forbacktickx" in script:
        who = "forbacktickx" if who in ("pipeline", "forstdin", "fdmove") else who
    if script.startswith("forx -E") and who == "importas":
        who = "forx"
    return who, level, "" if reason in ("Broken pipe", "Protocol error") else reason
