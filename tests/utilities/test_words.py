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


@pytest.mark.parametrize("options", [[], ["-n"]], ids=str)
@pytest.mark.parametrize(
    ("path", "directory", "name"),
    [
        ("", ".", "."),
        ("/", "/", "/"),
        ("a/b//", "a", "b"),
        ("/a", "/", "a"),
        ("a.c", ".", "a.c"),
    ],
)
def test_halves_of_paths(
    run: Utilities, options: list[str], path: str, directory: str, name: str
) -> None:
    end = "" if options else "\n"
    assert run("s6-dirname", *options, path).out.decode() == directory + end
    assert run("s6-basename", *options, "--", path).out.decode() == name + end


@pytest.mark.parametrize(
    ("name", "suffix", "out"),
    [
        ("a.c", ".c", "a"),
        (".c", ".c", ".c"),
        ("d/a.c/", "c", "a."),
        ("a", "", "a"),
        ("a", "b", "a"),
    ],
)
def test_suffixes(run: Utilities, name: str, suffix: str, out: str) -> None:
    assert run("s6-basename", name, suffix).out.decode() == f"{out}\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["3"], "1\n2\n3\n"),
        (["0", "2"], "0\n1\n2\n"),
        (["0", "5", "12"], "0\n5\n10\n"),
        (["3", "2"], ""),
        (["0"], ""),
        (["-s", ", ", "8", "10"], "8, 9, 10, "),
        (["-s", "", "2"], "1\x002\x00"),
        (["-w", "8", "10"], "08\n09\n10\n"),
        (["-w", "1", "50", "100"], "01\n51\n"),
        (["-w", "1", "0", "0"], ""),
        (["4294967294", "4294967295"], "4294967294\n4294967295\n"),
    ],
)
def test_seq(run: Utilities, words: list[str], out: str) -> None:
    done = run("s6-seq", *words)
    assert (done.code, done.out.decode(), done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["s6-seq"], "no last number given"),
        (["s6-seq", "1", "2", "3", "4"], "too many numbers"),
        (["s6-seq", "-1"], "unknown option -1"),
        (["s6-seq", "x"], '"x" is not a number'),
        (["s6-seq", "4294967296"], '"4294967296" is not a number'),
        (["s6-basename"], "no file given"),
        (["s6-dirname", "-z", "x"], "unknown option -z"),
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
    ["s6-basename", "x"],
    ["s6-dirname", "x"],
    ["s6-ls", "/"],
    ["s6-linkname", "-f", "."],
    ["s6-seq", "2"],
    ["s6-cat"],
    ["s6-cut", "-b1"],
    ["s6-grep", "x"],
    ["s6-grep", "-c", "x"],
    ["s6-head"],
    ["s6-head", "-c1"],
    ["s6-sort"],
    ["s6-tail"],
    ["s6-tail", "-c", "+1"],
    ["s6-uniquename", "x"],
]


@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_nobody_takes_the_output(run: Utilities, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(*words, text=b"x", stdout=full)
    message = f"{words[0]}: fatal: unable to write to stdout: No space left on device\n"
    assert (done.code, done.err) == (111, message)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = run(*words, under=["env", "--ignore-signal=PIPE"], stdout=pipe, text=b"x")
        assert (done.code, done.err) == (
            111,
            message.replace("No space left on device", "Broken pipe"),
        )
        assert run(*words, stdout=pipe, text=b"x").code == -13, "SIGPIPE, as for any other program"
