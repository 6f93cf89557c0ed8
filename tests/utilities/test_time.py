"""s6-sleep, s6-maximumtime, s6-clock, s6-tai64ndiff (contract execline §5.1)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import pytest

from world import process
from world.programs import AS_NOBODY
from world.running import World
from world.waiting import PATIENCE_S, until

from .conftest import Utilities


@pytest.mark.parametrize("words", [["-m", "30"], ["-m", "30", "s6-true"], ["0"], ["0", "s6-true"]])
def test_sleep(run: Utilities, words: list[str]) -> None:
    before = time.monotonic()
    done = run("s6-sleep", *words, env={"PATH": f"{run.programs.directory}"})
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert time.monotonic() - before >= (0.03 if words[0] == "-m" else 0)


def test_sleep_becomes_the_program(run: Utilities) -> None:
    assert run("s6-sleep", "-m", "1", "echo", "-n", "a  b").out == b"a  b"
    assert run("s6-sleep", "0", "sh", "-c", "exit 7").code == 7
    done = run("s6-sleep", "0", "no-such-program")
    assert (done.code, done.err) == (
        127,
        "s6-sleep: fatal: unable to exec no-such-program: No such file or directory\n",
    )


def test_stopping_does_not_shorten_a_sleep(run: Utilities) -> None:
    before = time.monotonic()
    with subprocess.Popen([run.programs.path("s6-sleep"), "-m", "200"]) as popen:
        popen.send_signal(signal.SIGSTOP)
        until(lambda: process.look(popen.pid).state == "T")
        popen.send_signal(signal.SIGCONT)
        assert popen.wait(PATIENCE_S) == 0
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize(
    "words",
    [
        ["s6-sleep"],
        ["s6-sleep", ""],
        ["s6-sleep", "-1"],
        ["s6-sleep", "1s"],
        ["s6-sleep", "0.5"],
        ["s6-sleep", "4294967296"],
        ["s6-maximumtime"],
        ["s6-maximumtime", "5"],
        ["s6-maximumtime", "-t", "x", "true"],
        ["s6-maximumtime", "-9", "5", "true"],
        ["s6-clock", "@4000"],
        ["s6-clock", "@000000000000000000000000"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Utilities, words: list[str]) -> None:
    done = run(*words)
    assert (done.code, done.out) == (100, b"")
    assert done.err.startswith(f"{words[0]}: usage: {words[0]} ")


@pytest.mark.parametrize("limit", ["0", "60000"])
@pytest.mark.parametrize("code", [0, 1, 99, 127, 128, 200, 255])
def test_the_programs_own_code(run: Utilities, limit: str, code: int) -> None:
    done = run("s6-maximumtime", limit, "sh", "-c", f"echo out; exit {code}")
    assert (done.code, done.out, done.err) == (code, b"out\n", "")


SIGNALS = {
    "a": signal.SIGALRM,
    "b": signal.SIGABRT,
    "i": signal.SIGINT,
    "q": signal.SIGQUIT,
    "t": signal.SIGTERM,
    "x": signal.SIGXCPU,
    "1": signal.SIGUSR1,
    "2": signal.SIGUSR2,
    "": signal.SIGTERM,
    "kt": signal.SIGTERM,
}


def test_the_signals_when_the_time_is_over(run: Utilities) -> None:
    """All at once: each takes as long as a shell may need to set its trap."""
    started = {}
    for letters, number in SIGNALS.items():
        name = f"got-{letters}"
        # Without a child of its own, which would not get the signal.
        script = f"trap 'echo >{name}; exit' {int(number)}; while :; do read x; done"
        words = [*([f"-{letters}"] if letters else []), "700", "sh", "-c", script]
        started[name] = subprocess.Popen(
            [run.programs.path("s6-maximumtime"), *words],
            cwd=run.top,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    for name, popen in started.items():
        assert popen.stderr
        assert popen.wait(PATIENCE_S) == 99
        assert b"unable to wait for child process" in popen.stderr.readline()
        until((run.top / name).exists)
        popen.communicate()


QUIETLY = "exec sleep 60 <&- >&- 2>&-"


def end_of(pid: int) -> int:
    """Reap a process that the program left to us, and say what ended it."""
    dead: list[int] = []

    def reaped() -> bool:
        found, status = os.waitpid(pid, os.WNOHANG)
        dead.extend([status] if found else [])
        return bool(found)

    until(reaped)
    status = dead[0]
    return os.waitstatus_to_exitcode(status)


def test_kill_and_nothing_at_all(run: Utilities, world: World) -> None:
    for letter, lives in (("-k", False), ("-0", True)):
        name = f"pid{letter}"
        done = run("s6-maximumtime", letter, "200", "sh", "-c", f"echo $$ >{name}; {QUIETLY}")
        assert done.code == 99
        pid = int((run.top / name).read_text())
        if lives:
            assert process.look(pid).argv == ("sleep", "60")
            os.kill(pid, signal.SIGTERM)
        assert end_of(pid) == -(signal.SIGTERM if lives else signal.SIGKILL)


def test_it_does_not_wait_for_who_takes_long(run: Utilities, world: World) -> None:
    before = time.monotonic()
    script = f"trap '' TERM; echo $$ >pid; {QUIETLY}"
    assert run("s6-maximumtime", "200", "sh", "-c", script).code == 99
    assert time.monotonic() - before < PATIENCE_S
    pid = int((run.top / "pid").read_text())
    assert process.look(pid).ignored == {signal.SIGTERM}
    os.kill(pid, signal.SIGKILL)
    assert end_of(pid) == -signal.SIGKILL


def test_a_crash(run: Utilities) -> None:
    done = run("s6-maximumtime", "60000", "sh", "-c", "kill -KILL $$")
    assert done.code == 111
    assert "child process crashed: SIGKILL ended it" in done.err


@pytest.mark.parametrize("program", ["no-such-program", "", "/", "./plain"])
def test_what_cannot_be_run(run: Utilities, program: str) -> None:
    (run.top / "plain").write_text("no program")
    done = run("s6-maximumtime", "1000", program)
    assert (done.code, done.out) == (111, b"")
    assert done.err.startswith(f"s6-maximumtime: fatal: unable to spawn {program}: ")


def test_what_the_program_gets(run: Utilities) -> None:
    """Our descriptors, an empty signal mask, no handler, and what was ignored before."""
    script = "ls /proc/self/fd; cat /proc/self/status"
    done = run(
        "s6-maximumtime",
        "60000",
        "sh",
        "-c",
        script,
        env={"A": "b"},
        under=["env", "--ignore-signal=PIPE", "--ignore-signal=CHLD", "--block-signal=USR1"],
    )
    fields = dict(re.findall(r"^(\w+):\t(.*)$", done.out.decode(), re.MULTILINE))
    assert done.out.split()[:4] == [b"0", b"1", b"2", b"3"], "3 is that of ls"
    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigIgn"], 16) == 1 << (signal.SIGPIPE - 1)


def test_the_clock(run: Utilities) -> None:
    def label() -> str:
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        return f"@{seconds + 2**62 + 37:016x}{nanoseconds:08x}\n"

    before = label()
    done = run("s6-clock")
    assert done.code == 0
    assert before <= done.out.decode() <= label()


def test_the_clock_is_not_everybodys_to_set(run: Utilities) -> None:
    done = run("s6-clock", "@400000006553f12500000005", under=AS_NOBODY)
    assert (done.code, done.out) == (111, b"")
    assert done.err == "s6-clock: fatal: unable to set the clock: Operation not permitted\n"


STAMPED = b"""@400000006553f12500000005 a
@400000006553f12600000000 b
plain
@400000006553f12600000000
@400000006553f12500000001x
@400000006553f1253b9aca00 a whole second is no label
@400000006553f12500000000 c
@4fffffffffffffff00000000 d
@400000006553f12500000000"""

DIFFERENCES = b"""[          .          ] a
[         0.999999995 ] b
plain
[          .          ]
[        -1.000000001 ]x
@400000006553f1253b9aca00 a whole second is no label
[          .          ] c
[1152921502906846938.000000000 ] d
@400000006553f12500000000"""


def test_differences(run: Utilities) -> None:
    done = run("s6-tai64ndiff", text=STAMPED)
    assert (done.code, done.out, done.err) == (0, DIFFERENCES, "")
    assert run("s6-tai64ndiff", text=b"").out == b""
