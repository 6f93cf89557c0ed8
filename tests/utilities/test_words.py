"""Utilities that print their arguments, or what is made of them (contract execline §5.1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Utilities


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ([], b"\n"),
        (["a", "b c", ""], b"a b c \n"),
        (["-n", "a"], b"a"),
        (["-n"], b""),
        (["-s:-", "a", "b"], b"a:b\n"),
        (["-s", ":", "a", "b", "c"], b"a:b:c\n"),
        (["-s", "", "a", "b"], b"a\0b\n"),
        (["-ns,", "a", "b"], b"a,b"),
        (["--", "-n"], b"-n\n"),
        (["-", "-n"], b"- -n\n"),
        (["a\\n", "%s", b"\xff\x01"], b"a\\n %s \xff\x01\n"),
    ],
)
def test_echo(run: Utilities, words: list[str | bytes], out: bytes) -> None:
    done = run("s6-echo", *words)
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["s6-echo", "-x"], "unknown option -x"),
        (["s6-echo", "--long"], "unknown option --long"),
        (["s6-echo", "-s"], "option -s needs a value"),
    ],
)
def test_wrong_usage(run: Utilities, words: list[str], message: str) -> None:
    done = run(*words)
    assert (done.code, done.out) == (100, b"")
    assert done.err.startswith(f"{words[0]}: usage: {words[0]} ")
    assert f"{words[0]}: fatal: " in done.err
    assert message in done.err


WRITERS = [
    ["s6-echo", "x"],
]


@pytest.mark.parametrize("words", WRITERS, ids=lambda words: str(words[0]))
def test_nobody_takes_the_output(run: Utilities, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*words, stdout=full)
    message = f"{words[0]}: fatal: unable to write to stdout: No space left on device\n"
    assert (done.code, done.err) == (111, message)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = run(*words, under=["env", "--ignore-signal=PIPE"], stdout=pipe)
        assert (done.code, done.err) == (
            111,
            message.replace("No space left on device", "Broken pipe"),
        )
        assert run(*words, stdout=pipe).code == -13, "SIGPIPE, as for any other program"
