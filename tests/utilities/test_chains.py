"""Utilities that run a program: s6-env, s6-nice, seekablepipe; s6-printenv, s6-pause."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from world import process
from world.programs import AS_NOBODY
from world.waiting import PATIENCE_S, until

from .conftest import Utilities


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-i", "A=b", "C=d"], b"A=b\nC=d\n"),
        (["-i", "A=b", "A=c=d"], b"A=c=d\n"),
        (["-i", "A=", "=x"], b"A=\n=x\n"),
        (["-i"], b""),
        (["PATH=/x", "A=b"], b"PATH=/x\nA=b\n"),
        (["-i", "A=b", "/usr/bin/env"], b"A=b\n"),
        (["-i", "env", "C=d"], b"C=d\n"),
        (["-i", "PATH=/nowhere", "env"], b"PATH=/nowhere\n"),
        (["-i", "A=b", "--", "C=d"], None),
    ],
)
def test_env(run: Utilities, words: list[str], out: bytes | None) -> None:
    done = run("s6-env", *words)
    if out is None:
        assert done.code == 127, "the word after the assignments is the program"
    else:
        assert (done.code, done.out, done.err) == (0, out, "")


def test_env_of_a_missing_program(run: Utilities) -> None:
    done = run("s6-env", "A=b", "no-such-program")
    assert (done.code, done.out) == (127, b"")
    assert "s6-env: fatal: unable to exec no-such-program: No such file" in done.err
    (run.top / "plain").write_text("")
    assert run("s6-env", "A=b", "./plain").code == 126


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ([], b"PATH=/usr/bin:/bin\nA=b c\n"),
        (["-n"], b"PATH=/usr/bin:/bin\nA=b c"),
        (["-0"], b"PATH=/usr/bin:/bin\0A=b c\0"),
        (["-n0d,"], b"PATH=/usr/bin:/bin\0A=b c\0"[:-1]),
        (["-d", ",;"], b"PATH=/usr/bin:/bin,A=b c,"),
        (["-nd", ""], b"18:PATH=/usr/bin:/bin,5:A=b c,"),
    ],
)
def test_printenv(run: Utilities, words: list[str], out: bytes) -> None:
    done = run("s6-printenv", *words, env={"A": "b c"})
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "nice"),
    [([], "10"), (["-n", "3"], "3"), (["-n", "+3"], "3"), (["-n", "0"], "0"), (["-n99"], "19")],
)
def test_nice(run: Utilities, words: list[str], nice: str) -> None:
    done = run("s6-nice", *words, "nice", under=["nice", "-n", str(-os.nice(0))])
    assert (done.code, done.out.decode().strip(), done.err) == (0, nice, "")


def test_nobody_may_be_less_nice(run: Utilities) -> None:
    message = "unable to nice by -4: Operation not permitted\n"
    done = run("s6-nice", "-n", "-4", "echo", "ran", under=AS_NOBODY)
    assert (done.code, done.out, done.err) == (0, b"ran\n", f"s6-nice: warning: {message}")
    done = run("s6-nice", "-I", "-i", "-n", "-4", "echo", "ran", under=AS_NOBODY)
    assert (done.code, done.out, done.err) == (111, b"", f"s6-nice: fatal: {message}")
    done = run("s6-nice", "-i", "-I", "-n", "-4", "echo", "ran", under=AS_NOBODY)
    assert (done.code, done.out) == (0, b"ran\n")


@pytest.mark.parametrize(
    "words",
    [
        ["s6-nice"],
        ["s6-nice", "-n", "x", "true"],
        ["s6-nice", "-n", "", "true"],
        ["s6-nice", "-z", "true"],
        ["s6-env", "-z"],
        ["s6-printenv", "-x"],
        ["seekablepipe"],
        ["seekablepipe", "file"],
        ["s6-pause", "-p", ""],
        ["s6-pause", "-p", "TERM"],
        ["s6-pause", "-p", "1,99"],
        ["s6-pause", "-z"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Utilities, words: list[str]) -> None:
    done = run(*words)
    assert (done.code, done.out) == (100, b"")
    assert done.err.startswith(f"{words[0]}: usage: {words[0]} ")
    assert not (run.top / "file").exists()


def test_a_pipe_becomes_seekable(run: Utilities) -> None:
    text = bytes(range(256)) * 1000
    script = "ls -l /proc/self/fd/0 >&2; ls; cat; exec 0</proc/self/fd/0; wc -c"
    done = run("seekablepipe", "temporary", "sh", "-c", script, text=text)
    assert done.code == 0
    assert done.out == text + b"%d\n" % len(text)
    assert done.err.strip().endswith("temporary (deleted)")


def test_descriptors_of_a_seekable_pipe(run: Utilities) -> None:
    done = run("seekablepipe", "temporary", "ls", "/proc/self/fd")
    assert done.out.split() == [b"0", b"1", b"2", b"3"], "3 is that of ls"


def test_a_seekable_pipe_without_a_place(run: Utilities) -> None:
    done = run("seekablepipe", "no/such", "cat")
    assert (done.code, done.out) == (111, b"")
    assert done.err.startswith("seekablepipe: fatal: unable to create no/such: No such file")


PAUSES: list[tuple[list[str], set[signal.Signals]]] = [
    ([], set()),
    (["-thaqbi"], {signal.Signals(number) for number in (15, 1, 14, 3, 6, 2)}),
    (["-p", "10,12;15", "-h"], {signal.Signals(number) for number in (10, 12, 15, 1)}),
]


@pytest.mark.parametrize(("words", "ignored"), PAUSES)
def test_pause(run: Utilities, words: list[str], ignored: set[signal.Signals]) -> None:
    with subprocess.Popen([run.programs.path("s6-pause"), *words]) as popen:
        until(lambda: process.look(popen.pid).ignored == ignored)
        for number in ignored:
            popen.send_signal(number)
        popen.send_signal(signal.SIGSTOP)
        popen.send_signal(signal.SIGCONT)
        assert popen.poll() is None
        popen.send_signal(signal.SIGTERM if signal.SIGTERM not in ignored else signal.SIGKILL)
        assert popen.wait(PATIENCE_S) in (-signal.SIGTERM, -signal.SIGKILL)


def test_nobody_ignores_sigkill(run: Utilities) -> None:
    with subprocess.Popen(
        [run.programs.path("s6-pause"), "-p", "9,1"], stderr=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stderr
        said = popen.stderr.readline()
        assert said == "s6-pause: warning: unable to ignore SIGKILL: Invalid argument\n"
        until(lambda: process.look(popen.pid).ignored == {signal.SIGHUP})
        popen.kill()
