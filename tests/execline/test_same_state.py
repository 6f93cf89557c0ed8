"""Commands that change one thing: each script on both implementations, with the same result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from world.meaning import meaning, quoted
from world.scripts import Case, Commands, Ran

FRAME = {"#": "3", "0": "script", "1": "-a", "2": "-bx", "3": "rest"}

DESCRIPTORS = [
    "fdmove -c 2 1 sh -c 'echo err >&2; echo out'",
    "fdmove 5 1 sh -c 'echo to five >&5; echo out'",
    "fdmove 1 9 echo no",
    "fdmove -c 1 9 echo no",
    "fdmove 1 1 echo same",
    "fdmove -c 1 1 echo no",
    "fdmove 9 9 echo closed",
    "fdmove 4294967295 1 echo no",
    "fdmove 1 4294967295 echo no",
    "fdmove 2147483648 1 echo no",
    "fdmove 4294967296 1 echo no",
    "fdmove -1 1 echo no",
    "fdmove -- 5 1 sh -c 'echo five >&5'",
    "fdmove x 1 echo no",
    "fdmove '' 1 echo no",
    "fdmove 1x 1 echo no",
    "fdmove 5 1",
    "fdmove 5",
    "fdmove",
    "fdmove -z 5 1 echo no",
    "fdmove --copy 5 1 echo no",
    "fdmove 03 01 sh -c 'echo three >&3'",
    "fdclose 1 sh -c 'echo out || echo failed >&2'",
    "fdclose 0 sh -c 'read x || echo closed'",
    "fdclose 9 echo open",
    "fdclose 4294967295 echo none",
    "fdclose 4294967296 echo no",
    "fdclose -- echo no",
    "fdclose 1",
    "fdclose",
    "fdclose x echo no",
    "fdclose 0 fdclose 1 fdclose 2 redirfd -w 0 f sh -c 'ls /proc/self/fd >&0'",
    "foreground { fdclose 1 redirfd -w 1 f echo file } cat f",
    "fdswap 1 2 sh -c 'echo err >&2; echo out'",
    "fdswap 1 9 echo no",
    "fdswap 9 1 echo no",
    "fdswap 9 9 echo same",
    "fdswap 1 1 echo same",
    "fdswap 1",
    "fdswap 1 2",
    "fdswap -- 1 2 echo no",
    "fdswap 1 x echo no",
    "fdblock -n 0 sh -c 'echo $(( 0$(grep flags /proc/self/fdinfo/0 | tr -dc 0-7) & 04000 ))'",
    "fdblock -n 0 fdblock 0 sh -c 'grep flags /proc/self/fdinfo/0'",
    "fdblock 9 echo no",
    "fdblock -n 9 echo no",
    "fdblock -x 0 echo no",
    "fdblock 0",
    "fdblock x echo no",
    "fdreserve 0 sh -c 'echo ${FD0-none}'",
    "fdreserve 1 sh -c 'echo $FD0 ${FD1-none}'",
    "fdreserve 4 sh -c 'echo $FD0 $FD1 $FD2 $FD3 ${FD4-none}'",
    "fdclose 0 fdreserve 3 sh -c 'echo $FD0 $FD1 $FD2'",
    "fdmove -c 4 1 fdreserve 3 sh -c 'echo $FD0 $FD1 $FD2; ls /proc/self/fd'",
    "fdreserve 2 fdreserve 3 sh -c 'echo $FD0 $FD1 $FD2'",
    "fdreserve 4000000000 echo no",
    "fdreserve x echo no",
    "fdreserve 1",
    "fdreserve",
    "piperw 3 4 foreground { fdmove -c 1 4 echo hi } fdclose 4 fdmove 0 3 cat",
    "piperw 4 3 foreground { fdmove -c 1 3 echo hi } fdclose 3 fdmove 0 4 cat",
    "piperw 0 1 foreground { echo hi } fdmove -c 1 2 cat /dev/null",
    "piperw 1 0 sh -c 'echo hi >&0; read x <&1; echo $x >&2'",
    "piperw 7 9 sh -c 'ls /proc/self/fd'",
    "fdclose 0 piperw 0 3 sh -c 'ls /proc/self/fd'",
    "fdclose 0 piperw 3 0 sh -c 'ls /proc/self/fd'",
    "piperw 3 3 echo no",
    "piperw 3 4294967295 echo no",
    "piperw 3 4",
    "piperw 3 x echo no",
    "piperw -- 3 4 echo no",
    "fdmove 3 0 fdmove 0 3 cat",
    "fdclose 2 fdmove 2 1 sh -c 'echo err >&2'",
]

FILES = [
    "foreground { redirfd -w 1 f echo hi } redirfd -r 0 f cat",
    "foreground { redirfd -w 1 f echo one } foreground { redirfd -a 1 f echo two } cat f",
    "foreground { redirfd -w 1 f echo long text } foreground { redirfd -w 1 f echo x } cat f",
    "foreground { redirfd -w 1 f echo long } foreground { redirfd -u 1 f echo x } cat f",
    "foreground { redirfd -x 1 f echo new } redirfd -x 1 f echo no",
    "redirfd -u 1 none echo no",
    "redirfd -r 0 none cat",
    "redirfd -w 1 none/f echo no",
    "redirfd -w 1 / echo no",
    "redirfd -w 1 '' echo no",
    "redirfd -r 0 / sh -c 'ls -d /proc/self/fd/0'",
    "redirfd -rw 1 f echo written",
    "redirfd -wr 1 f echo no",
    "redirfd -ar 1 f echo no",
    "foreground { redirfd -w 1 f echo hi } foreground { redirfd -rwa 1 f echo two } cat f",
    "redirfd 1 f echo no",
    "redirfd -n 1 f echo no",
    "redirfd -b 1 f echo no",
    "redirfd -r 0 f",
    "redirfd -r 0",
    "redirfd -r",
    "redirfd",
    "redirfd -r x f echo no",
    "redirfd -r 4294967295 /dev/null echo no",
    "redirfd -r 3 /dev/null sh -c 'ls /proc/self/fd'",
    "redirfd -r 5 /dev/null sh -c 'ls /proc/self/fd'",
    "fdclose 0 redirfd -r 0 /dev/null sh -c 'ls -l /proc/self/fd/0 | grep -o /dev/null'",
    "umask 0 foreground { redirfd -w 1 f true } sh -c 'stat -c %a f'",
    "umask 077 foreground { redirfd -w 1 f true } sh -c 'stat -c %a f'",
    "foreground { mkfifo p } redirfd -rnb 0 p sh -c 'grep flags /proc/self/fdinfo/0'",
    "foreground { mkfifo p } redirfd -rn 0 p sh -c 'grep flags /proc/self/fdinfo/0'",
    "foreground { mkfifo p } redirfd -wn 1 p sh -c 'grep flags /proc/self/fdinfo/1 >&2'",
    "foreground { mkfifo p } redirfd -wnb 1 p sh -c 'grep flags /proc/self/fdinfo/1 >&2'",
    "foreground { mkfifo p } redirfd -rnb 0 p redirfd -w 1 p sh -c 'echo x; read y; echo $y >&2'",
    "redirfd -rb 0 /dev/null sh -c 'grep flags /proc/self/fdinfo/0'",
    "redirfd -rnb 0 /dev/null sh -c 'grep flags /proc/self/fdinfo/0'",
    "redirfd -r -- 0 /dev/null cat",
    "redirfd -r -Z 0 /dev/null cat",
]

DIRECTORIES = [
    "cd / sh -c pwd",
    "execline-cd / sh -c pwd",
    "cd /etc cd .. sh -c pwd",
    "cd / getcwd d importas d d echo $d",
    "cd none echo no",
    "cd '' echo no",
    "cd -- echo no",
    "cd /",
    "cd",
    "foreground { mkdir -m 0 closed } cd closed echo no",
    "cd /etc/passwd echo no",
    "foreground { touch f } cd f echo no",
    "cd / sh -c 'echo $PWD'",
    "posix-cd / sh -c 'echo $PWD; cd -P .; pwd'",
    "posix-cd -L /usr/bin/.. sh -c 'echo $PWD'",
    "posix-cd -P /usr/bin/.. sh -c 'echo $PWD'",
    "posix-cd -LP /usr/bin/.. sh -c 'echo $PWD'",
    "posix-cd -PL /usr/bin/.. sh -c 'echo $PWD'",
    "foreground { mkdir -p a/b } foreground { ln -s a/b l }"
    " posix-cd /proc/self/cwd posix-cd -P l/.. sh -c 'basename $PWD'",
    "foreground { mkdir -p d } export CDPATH /none:/ posix-cd usr sh -c 'echo $PWD'",
    "export CDPATH / posix-cd ./usr echo no",
    "export CDPATH / posix-cd ../usr echo no",
    "export CDPATH // posix-cd usr sh -c 'echo $PWD'",
    "export CDPATH /usr posix-cd /etc sh -c 'echo $PWD'",
    "export CDPATH '' posix-cd usr echo no",
    "export OLDPWD /usr posix-cd - sh -c 'echo $PWD'",
    "unexport OLDPWD posix-cd - echo no",
    "export OLDPWD '' posix-cd - echo no",
    "export HOME /usr posix-cd",
    "unexport HOME posix-cd",
    "posix-cd ''",
    "posix-cd / posix-cd /usr sh -c 'echo $OLDPWD'",
    "posix-cd none",
    "posix-cd /none/..",
    "posix-cd /",
    "posix-cd -x / echo no",
    "posix-cd /etc/passwd",
    "foreground { mkdir gone } cd gone foreground { rmdir ../gone } getcwd x echo no",
]

MASKS = [
    *(f"umask {mask} sh -c umask" for mask in ("0", "022", "0x", "7777", "77777", "1111111111")),
    *(f"umask {mask} sh -c umask" for mask in ("9", "x", "''", "-1")),
    "umask 022",
    "umask",
    "execline-umask 027 sh -c umask",
    "posix-umask",
    "posix-umask -S",
    "umask 0 posix-umask",
    "umask 0 posix-umask -S",
    "umask 777 posix-umask -S",
    "posix-umask -x",
    "posix-umask 027",
    *(
        f"posix-umask '{mask}' sh -c umask"
        for mask in (
            *("0", "022", "77777", "", "o=,u=rwx", "u+w", "=", "a=rwx,g-w", "u=g", "u=gr"),
            *("ug=r+w", "g=u,o=g", "u=X", ",", "u", "r", "+r", "=rx", "u+s", "u=r,", "9", "0x"),
            *("o=r+", "a-x", "ugo+rwx", "u=rwx,g=rx,o=rx", "u=u", "g+u", "o-g", "+x,-w", "x=r"),
            *("u=r=w", "ua=r", "-", "u+t", "0777777777777", "08"),
        )
        if not mask.startswith("o=,")
    ),
]

VARIABLES = [
    "emptyenv /usr/bin/env",
    "export A b emptyenv /usr/bin/env",
    "emptyenv -p /usr/bin/env",
    "emptyenv env",
    "emptyenv export A b env",
    "emptyenv -c /usr/bin/env",
    "emptyenv -P /usr/bin/env",
    "emptyenv -o /usr/bin/env",
    "emptyenv -oP /usr/bin/env",
    "emptyenv -po /usr/bin/env",
    "emptyenv -Pc /usr/bin/env",
    "emptyenv",
    "emptyenv -- /usr/bin/env",
    "getcwd -E d sh -c 'test ${d} = $(pwd) && echo same'",
    "getcwd -Ee d sh -c 'test ${d} = $(pwd) && echo same'",
    "cd / getcwd -E d echo ${d} $d/x p${d}",
    "getcwd '' echo no",
    "getcwd a=b echo no",
    "getcwd d",
    "getcwd",
    "getcwd -x d echo no",
    "getpid p sh -c 'test $p = $$ && echo same'",
    "getpid -P p sh -c 'test $p = $PPID && echo same'",
    "getpid -Pp p sh -c 'test $p = $$ && echo same'",
    "getpid -PE p sh -c 'test ${p} = $PPID && echo same'",
    "getpid '' echo no",
    "getpid a=b echo no",
    "getpid p",
    "homeof root",
    "homeof nosuchuser",
    "homeof",
    "homeof root more",
    "homeof -- root",
]

ARRAYS_AND_ATTEMPTS = [
    "tryexec { echo first } echo second",
    "tryexec { none } echo second",
    "tryexec { none }",
    "tryexec { none } none2",
    "tryexec { exit 3 } echo second",
    "tryexec -n { echo fallback } echo second",
    "tryexec -n { echo fallback } none",
    "tryexec -n { echo fallback }",
    "tryexec -n { none } none2",
    "tryexec { } echo no",
    "tryexec echo no",
    "tryexec",
    "tryexec -c { /usr/bin/env } echo no",
    "export A b tryexec -c { none } sh -c 'echo $A'",
    "tryexec -a name { sh -c 'echo $0' } echo no",
    "tryexec -l { sh -c 'echo $0' } echo no",
    "tryexec -la name { sh -c 'echo $0' } echo no",
    "tryexec -l { none } sh -c 'echo $0'",
    "tryexec -z { echo a } echo b",
    "tryexec { /etc/passwd } echo second",
    "tryexec { '' } echo second",
    "tryexec -a '' { sh -c 'echo $0' } echo no",
    "tryexec { export A b sh -c 'echo $A' } echo no",
    "tryexec { export A b none } echo no",
]

OPTIONS = [
    "elgetopt ab: elgetpositionals importas -D no a ELGETOPT_a importas -D no b ELGETOPT_b"
    " echo $a $b $# $@",
    "elgetopt -D dfl ab: importas -D no a ELGETOPT_a importas -D no b ELGETOPT_b echo $a $b",
    "elgetopt a echo no",
    "elgetopt '' echo no",
    "elgetopt ab: env",
    "export ELGETOPT_z 1 elgetopt ab: env",
    "elgetopt ab:",
    "elgetopt",
    "elgetopt -x ab: echo no",
    "unexport '#' elgetopt ab: echo no",
    "unexport 0 elgetopt ab: echo no",
    "unexport 2 elgetopt ab: echo no",
    "export '#' x elgetopt ab: echo no",
    "export 1 -z elgetopt ab: echo no",
    "export 1 -b export 2 -- export 3 -a elgetopt ab: elgetpositionals echo $# $@",
    "export 1 -- elgetopt ab: elgetpositionals echo $# $@",
    "export 1 - elgetopt ab: elgetpositionals echo $# $@",
    "export 1 --foo elgetopt ab: elgetpositionals echo $# $@",
    "export 3 -b elgetopt ab: echo no",
    "export 1 -aa export 2 -bx export 3 -by elgetopt ab: importas b ELGETOPT_b echo $b",
    "export 1 -ab export 2 -a elgetopt ab: importas b ELGETOPT_b echo $b",
    "export 1 '-b' export 2 '' elgetopt ab: importas b ELGETOPT_b elgetpositionals echo x${b}x $#",
    "export 1 -: elgetopt a: echo no",
]

HEREDOCS = [
    "heredoc 0 'a b' cat",
    "heredoc 0 '' cat",
    "heredoc -d 0 text cat",
    "heredoc 5 text sh -c 'cat <&5'",
    "heredoc 3 text sh -c 'ls /proc/self/fd'",
    "heredoc 0 text wait { } cat",
    "heredoc -d 0 text wait { } cat",
    "heredoc 0 a heredoc 3 b sh -c 'cat; cat <&3'",
    "heredoc x text cat",
    "heredoc 4294967295 text echo no",
    "heredoc 0 text",
    "heredoc 0",
    "heredoc",
    "heredoc -z 0 text cat",
    "fdclose 0 heredoc 0 text cat",
    "fdclose 1 heredoc 1 text sh -c 'cat <&1 >&2'",
    "heredoc 1 text sh -c 'cat <&1 >&2'",
]

INPUTS = [
    # script, standard input
    *[
        (script, text)
        for script in (
            "withstdinas v importas -D unset x v printf '<%s>' $x",
            "withstdinas -E v printf '<%s>' x${v}",
            "withstdinas -N v importas -D unset x v printf '<%s>' $x",
            "withstdinas -D dfl v importas -D unset x v printf '<%s>' $x",
            "withstdinas -I v importas -D unset x v printf '<%s>' $x",
            "withstdinas -i v importas -D unset x v printf '<%s>' $x",
            "withstdinas -iI v importas -D unset x v printf '<%s>' $x",
        )
        for text in ("text\n", "", "\n", "a\n\n", "no newline", "a\0b\n", "\0")
        if text or "v printf" not in script
    ],
    ("withstdinas v sh -c 'read x || echo eof'", "text\n"),
    ("withstdinas v", "text\n"),
    ("withstdinas", "text\n"),
    ("withstdinas ''", "text\n"),
    ("withstdinas a=b echo no", "text\n"),
    ("withstdinas -x v echo no", "text\n"),
    ("fdclose 0 withstdinas v echo no", ""),
    ("envfile -", "A=1\n"),
    ("envfile", ""),
    ("envfile none echo no", ""),
    ("envfile -I none echo no error", ""),
    ("envfile -Ii none echo no", ""),
    ("envfile / echo no", ""),
    ("envfile -I / echo no", ""),
    ("envfile -x f echo no", ""),
    ("envfile -- - sh -c 'echo $A'", "A=1\n"),
    ("envfile - sh -c 'ls /proc/self/fd'", "A=1\n"),
    ("fdclose 0 envfile - echo no", ""),
    ("export A old envfile - sh -c 'echo $A'", "A=1\n"),
]

ENVFILES = [
    "A=b\n", "A = b c \n", "  A=b", "#c\n\nA=1 # x\n", 'A="x"\n', 'A=x"y z"w\n', "A='x'\n",
    'A="a\\tb\\x41\\101\\60\\q"\n', 'A="\\x4g"\n', 'A="\\8"\n', 'A="x\ny"\n', 'A="x\\\ny"\n',
    "A=x\\\ny\n", "A=x\\y\n", 'A=x\\\\y\\"z\\ \n', 'A="unfinished', "A\n", "A B=c\n", "=x\n",
    "A=1\nA=2\n", "A=\nB=\t\n", "A#B=1\n", "A?=1\n", "'A=1\n", "A=b\r\nC=d\r\n", "A=\x0cb\x0c\n",
    "A=1\x00B\n", "A\x00", "\nA=1\nB\n", "A=\\\n\\\n\nB=1\n", "A=\\", 'A="\\', "A=$B ${C}\n",
    'A="x" # y\n', 'A=" " \n', "\x80ÿ=þ\n", 'A="\\1234"\n', 'A="\\377"\n', 'A="\\12\n',
    "export A=1\n", "A==b\n", "A=a=b\n", "A.b-c/d=1\n", 'A=""""\n', 'A=x "y" z \n', 'A=\\"x\n',
]  # fmt: skip

SCRIPTS = [
    *((script, {}, "") for script in (*DESCRIPTORS, *FILES, *DIRECTORIES, *MASKS, *HEREDOCS)),
    *(
        (script, {**FRAME, "1:1": "x", "ELGETOPT_q": "1", "FD0": "7", "!": "1", "?": "2"}, "")
        for script in VARIABLES
        # 2.9.9 removes less
        if script != "emptyenv -c /usr/bin/env" and "-Pc" not in script
    ),
    *((script, {}, "") for script in ARRAYS_AND_ATTEMPTS),
    *((script, FRAME, "") for script in OPTIONS),
    *((script, {}, stdin) for script, stdin in INPUTS),
    *(("envfile - env", {}, text) for text in ENVFILES),
]


def in_order(ran: Ran) -> Ran:
    return replace(ran, stdout="\n".join(sorted(ran.stdout.splitlines())))


def escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


@pytest.mark.parametrize(
    ("script", "env", "stdin"),
    SCRIPTS,
    ids=[f"{script} {escaped(stdin)}".strip() for script, _, stdin in SCRIPTS],
)
def test_both_do_the_same(
    ours: Commands,
    theirs: Commands,
    tmp_path: Path,
    script: str,
    env: dict[str, str],
    stdin: str,
) -> None:
    case = Case(script, quoted(script), env=env, stdin=stdin)
    mine, original = ours.run(case, tmp_path), theirs.run(case, tmp_path)
    if script.endswith("env"):
        # The order of variables is nobody's business.
        mine, original = in_order(mine), in_order(original)
    assert (mine.exit, mine.stdout) == (original.exit, original.stdout), (mine, original)
    assert meaning(mine.stderr) == meaning(original.stderr), (mine.stderr, original.stderr)
