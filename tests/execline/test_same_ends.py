"""How chains end, command by command: the same on both, whether a program is there or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.meaning import meaning
from world.scripts import Case, Commands

BEFORE = [
    *(
        "background { true }",
        "background -d { true }",
        "backtick -n A { echo x }",
        "backtick A { }",
    ),
    *("case a { b { true } }", "case -E a { b { true } }", "cd /", "execline-cd /", "posix-cd /"),
    *("define -N A b", "define -c A b", "elgetopt -D x a", "elgetopt a", "elgetpositionals"),
    *(
        "elgetpositionals -P 2",
        "elglob A x",
        "emptyenv",
        "emptyenv -p",
        "emptyenv -o",
        "emptyenv -P",
    ),
    *("heredoc 0 'A=b' envfile -", "heredoc 0 'A=b' envfile -I -", "envfile -I absent"),
    *("exec", "exec -c", "exec -l", "exec -a x", "export A b", "unexport A", "fdblock 0"),
    *(
        "fdblock -n 0",
        "fdclose 5",
        "fdmove 5 1",
        "fdmove -c 5 1",
        "fdreserve 1",
        "fdmove -c 5 1 fdmove -c 6 2 fdswap 5 6",
    ),
    *("foreground { true }", "getcwd A", "getcwd -e A", "getpid A", "getpid -e A", "getpid -p A"),
    *(
        "heredoc 0 x",
        "heredoc -d 0 x",
        "if { true }",
        "if -t { true }",
        "ifelse { false } { true }",
    ),
    *("ifthenelse { true } { true } { true }", "importas -N A PATH", "importas -i A PATH"),
    *(
        "importas -c A PATH",
        "multidefine a { A }",
        "multidefine -N a { A }",
        "multidefine -c a { A }",
    ),
    *("multisubstitute { define A b }", "pipeline { true }", "pipeline -d { true }", "piperw 7 8"),
    *("posix-umask 022", "umask 022", "execline-umask 022", "redirfd -w 5 f", "redirfd -a 5 f"),
    *("redirfd -u 5 f", "redirfd -x 5 f", "shift", "trap { }", "tryexec { }", "wait { }"),
    *("wait -a { }", "wait -r { }", "wait -t 0 { }", "withstdinas A", "withstdinas -n A"),
    *("withstdinas -i A", "withstdinas -I A", "withstdinas -e A", "withstdinas -D x A"),
    *("ifte { true } { true }", "forx A { a }", "forx -e A { a }"),
    *("forstdin A", "forstdin -e A", "forstdin -n A", "forbacktickx A { echo a }"),
    *("forbacktickx -e A { echo a }", "forbacktickx -p A { echo a }"),
    *("forbacktickx -n A { echo a }", "forbacktickx -c A { echo a }"),
]
"""Each with a program behind it."""

AFTER = ["no-such-program", "/", "true", "sh -c 'exit 3'"]

SCRIPTS = [
    "background { / } true",
    "background { no-such-program } true",
    "backtick A { / } true",
    "backtick -i A { no-such-program } true",
    "case a { a { / } } true",
    "case a { a { no-such-program } } true",
    "foreground { no-such-program } importas ? ? exit $?",
    "if { / } true",
    "if { no-such-program } true",
    "ifelse { true } { / } true",
    "ifelse { / } { true } true",
    "ifte { / } { true } true",
    "ifte { true } { / } false",
    "ifte { true } { no-such-program } false",
    "ifthenelse { true } { / } { true } true",
    "ifthenelse { / } { true } { exit 5 } true",
    "pipeline { / } true",
    "runblock 1",
    "tryexec { / } exit 4",
    "tryexec { no-such-program } exit 4",
    "tryexec -n { / } exit 4",
    "tryexec -n { true } /",
    "trap { TERM { / } } sh -c 'kill $PPID; exit 2'",
    "getcwd",
    "foreground { mkdir d } cd d foreground { rmdir ../d } getcwd A true",
    "foreground { mkdir d } cd d foreground { rmdir ../d } getcwd -E A true",
    "redirfd -r 0 / withstdinas A true",
    "redirfd -r 0 / withstdinas -i A true",
    "redirfd -r 0 / forstdin A true",
    "redirfd -r 0 / envfile - true",
    "fdreserve 100000 true",
    "fdclose 1 posix-umask",
    "fdclose 1 posix-umask -S",
    "redirfd -w 1 /dev/full posix-umask",
    "fdclose 1 dollarat",
    "redirfd -w 1 /dev/full dollarat",
    "dollarat",
    "posix-cd /no/such true",
    "cd /no/such true",
    "elgetopt -D true",
    "elgetopt",
    "exec -a",
    "exec -z true",
    "exit",
    "exit 0",
    "exit 111",
    "exit 256",
    "exit x",
    "homeof no-such-account",
    "homeof",
    "loopwhilex -x 3 sh -c 'exit 3'",
    "background { sleep 5 } wait -t 20 { }",
    "eltest",
    "eltest x",
    "eltest -z x",
    "eltest 1 -eq",
]


@pytest.mark.parametrize("before", BEFORE)
def test_what_comes_next(ours: Commands, theirs: Commands, tmp_path: Path, before: str) -> None:
    for after in AFTER:
        both_do_the_same(ours, theirs, tmp_path, f"{before} {after}")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_end(ours: Commands, theirs: Commands, tmp_path: Path, script: str) -> None:
    both_do_the_same(ours, theirs, tmp_path, script)


def both_do_the_same(ours: Commands, theirs: Commands, top: Path, script: str) -> None:
    env = {"#": "2", "0": "script", "1": "-a", "2": "b"}
    case = Case(script, script.replace("'", '"'), env=env)
    mine, original = ours.run(case, top), theirs.run(case, top)
    assert (mine.exit, mine.stdout) == (original.exit, original.stdout), (script, mine, original)
    # Who says so is not compared: in a loop it is the loop, in the original what it becomes.
    said = [[line[1:] for line in meaning(ran.stderr)] for ran in (mine, original)]
    assert said[0] == said[1], (script, mine.stderr, original.stderr)
