"""Commands that change one thing: what 2.9.9 has and 2.9.3 has not, and what s6x does better."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from world.meaning import quoted
from world.scripts import Case, Commands

NEWER = [
    # script, environment, stdout, exit code, what the message says
    ("export-array v { a b 'c d' } importas x v printf '<%s>' $x", {}, "<1:a,1:b,3:c d,>", 0, ""),
    ("export-array -d: v { a b 'c d' } importas x v printf '<%s>' $x", {}, "<a:b:c d:>", 0, ""),
    ("export-array -d '' v { a '' } importas x v printf '<%s>' $x", {}, "<1:a,0:,>", 0, ""),
    ("export-array -d ab v { x y } importas x v printf '<%s>' $x", {}, "<xaya>", 0, ""),
    ("export-array '' { x } env", {}, "=1:x,\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("export-array v { } echo a", {}, "", 100, "export-array: fatal: empty block"),
    ("export-array v x y", {}, "", 100, "export-array: fatal: unterminated block"),
    ("export-array v { x }", {}, "", 100, "export-array: usage:"),
    ("export-array v", {}, "", 100, "export-array: usage:"),
    ("export-array a=b { x } echo no", {}, "", 100, "export-array: fatal: invalid variable name"),
    ("export-array -x v { x } echo no", {}, "", 100, "export-array: usage:"),
    ("emptyenv -p -l env", {"A": "b", "LD_LIBRARY_PATH": "/x"},
     "LD_LIBRARY_PATH=/x\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv --keep-path --keep-ld-library-path env", {"A": "b", "LD_LIBRARY_PATH": "/x"},
     "LD_LIBRARY_PATH=/x\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv -l /usr/bin/env", {"A": "b"}, "", 0, ""),
    ("emptyenv -c env",
     {"A": "b", "#": "1", "0": "z", "1": "q", "!": "5", "?": "4", "ELGETOPT_a": "1",
      "EXECLINE_STRICT": "0", "EXECLINE_FOO": "x", "FD0": "4", "FDX": "t", "1x": "v",
      "1:1": "w", "FD": "f", "12": "x", "FD3x": "y"},
     "1:1=w\n1x=v\nA=b\nEXECLINE_FOO=x\nFD3x=y\nFD=f\nFDX=t\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv --cleanup env", {"1": "q", "01": "r", "1x": "s"},
     "1x=s\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv -cpo env", {"1": "q", "B": "c"}, "B=c\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv --pop-elgetopt env", {"ELGETOPT_a": "1"}, "PATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv --pop-execline env", {"1": "q", "1:1": "r"},
     "1=r\nPATH=@BIN@:/usr/bin:/bin\n", 0, ""),
    ("emptyenv -z env", {}, "", 100, "emptyenv: fatal: unrecognized short option: z"),
    ("emptyenv --zap env", {}, "", 100, "emptyenv: fatal: unrecognized boolean option: --zap"),
    ("emptyenv --zap=1 env", {}, "", 100,
     "emptyenv: fatal: unrecognized option with argument: --zap=1"),
    ("emptyenv --=1 env", {}, "", 100, "emptyenv: fatal: invalid option: --=1"),
    ("redirfd -rfE fd /dev/null sh -c 'echo ${fd}'", {}, "3\n", 0, ""),
    ("redirfd -rf fd /dev/null env", {}, "PATH=@BIN@:/usr/bin:/bin\nfd=3\n", 0, ""),
    ("redirfd -rf fd /dev/null sh -c 'ls -l /proc/self/fd/$fd | grep -o /dev/null'", {},
     "/dev/null\n", 0, ""),
    ("redirfd -rfEe fd /dev/null env", {}, "PATH=@BIN@:/usr/bin:/bin\nfd=3\n", 0, ""),
    ("redirfd -rfE '' /dev/null echo no", {}, "", 111, "bad substitution key"),
    ("redirfd -rf a=b /dev/null echo no", {}, "", 100, "invalid variable name: a=b"),
    ("fdclose 0 redirfd -rfE fd /dev/null sh -c 'echo ${fd}'", {}, "0\n", 0, ""),
    ("redirfd -rfE a /dev/null redirfd -rfE b /dev/null echo ${a} ${b}", {}, "3 4\n", 0, ""),
    ("redirfd --read --write --create -f fd f env", {},
     "PATH=@BIN@:/usr/bin:/bin\nfd=3\n", 0, ""),
    ("redirfd -w --no-trunc 1 f true", {}, "", 0, ""),
    ("foreground { redirfd -w 1 f printf long } foreground { redirfd -w --no-trunc 1 f printf x }"
     " cat f", {}, "xong", 0, ""),
    ("foreground { redirfd -w 1 f printf a } foreground { redirfd --write --append 1 f printf b }"
     " cat f", {}, "ab", 0, ""),
    ("redirfd -w --no-create 1 f true", {}, "", 111, "unable to open f: No such file"),
    ("foreground { touch f } redirfd --write --create --excl 1 f echo no", {}, "", 111,
     "unable to open f: File exists"),
    ("foreground { touch f } redirfd -x --no-excl 1 f true", {}, "", 0, ""),
    ("redirfd -r --no-read 0 f true", {}, "", 100, "redirfd: usage:"),
    ("redirfd --foo 1 f env", {}, "", 100, "redirfd: fatal: unrecognized boolean option: --foo"),
    ("redirfd -rnN 0 /dev/null sh -c 'grep flags /proc/self/fdinfo/0 | grep -o 0$'", {},
     "0\n", 0, ""),
    ("foreground { mkfifo p } redirfd --read --write -nb 0 p sh -c 'echo x >&0; read x; echo $x'",
     {}, "x\n", 0, ""),
    ("s6-test a = a", {}, "", 0, ""),
    ("s6-test a b", {}, "", 100, "eltest: fatal: parse error at argument 1"),
]  # fmt: skip

BETTER = [
    # script, standard input, stdout, exit code, what the message says
    ("posix-umask o= sh -c umask", "", "0027\n", 0, ""),
    ("posix-umask o=,u=rwx sh -c umask", "", "0027\n", 0, ""),
    ("posix-umask u== sh -c umask", "", "0722\n", 0, ""),
    ("envfile - env", 'A="\\0"\n', "", 1, "envfile: fatal: in standard input: syntax error line 1"),
    ("envfile - env", 'A=1\nB="\\x00"\n', "", 1, "syntax error line 2"),
    ("unexport PWD cd /usr posix-cd bin importas p PWD echo $p", "", "/usr/bin\n", 0, ""),
    ("export PWD here cd /usr posix-cd bin importas p PWD echo $p", "", "/usr/bin\n", 0, ""),
]


def in_order(text: str) -> list[str]:
    return sorted(text.splitlines())


@pytest.mark.parametrize(("script", "env", "stdout", "code", "message"), NEWER)
def test_newer(
    ours: Commands,
    tmp_path: Path,
    script: str,
    env: dict[str, str],
    stdout: str,
    code: int,
    message: str,
) -> None:
    ran = ours.run(Case(script, quoted(script), env=env), tmp_path)
    assert (ran.exit, in_order(ran.stdout)) == (code, in_order(stdout)), ran.stderr
    assert message in ran.stderr
    assert message or not ran.stderr


@pytest.mark.parametrize(("script", "stdin", "stdout", "code", "message"), BETTER)
def test_better(
    ours: Commands, tmp_path: Path, script: str, stdin: str, stdout: str, code: int, message: str
) -> None:
    ran = ours.run(Case(script, quoted(script), stdin=stdin), tmp_path)
    assert (ran.exit, ran.stdout) == (code, stdout), ran.stderr
    assert message in ran.stderr
    assert message or not ran.stderr


@pytest.mark.parametrize("command", ["withstdinas", "envfile"])
def test_input_without_end(ours: Commands, command: str) -> None:
    """What no program could be given is not kept in memory."""
    endless = "yes A=0123456789012345678901234567890123456789"
    words = {"withstdinas": "withstdinas v true", "envfile": "envfile - true"}[command]
    done = subprocess.run(
        ["sh", "-c", f"ulimit -v 200000; {endless} | {ours.directory}/{words}"],
        env={"PATH": f"{ours.directory}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 111
    assert "Argument list too long" in done.stderr


def test_a_hundred_thousand_words_of_a_condition(ours: Commands) -> None:
    words = [*["!"] * 40_000, *["("] * 20_000, "x", *[")"] * 20_000]
    done = subprocess.run(
        [ours.directory / "eltest", *words],
        env={},
        stderr=subprocess.PIPE,
        timeout=20,
        check=False,
    )
    assert (done.returncode, os.fsdecode(done.stderr)) == (0, "")
