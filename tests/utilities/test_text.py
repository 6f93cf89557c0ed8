"""Utilities that pick, sort and cut text, beside coreutils where they mean the same (contract)."""

from __future__ import annotations

import os
import random
import subprocess

import pytest

from .conftest import Utilities

TEXT = b"b c\nA\n\n\tb\na\0x\nB c\n\xff\nlast"
LONG = b"".join(b"%d some words\n" % number for number in range(40_000))


def coreutils(words: list[str], text: bytes) -> bytes:
    """What the usual program of this name makes of a text."""
    done = subprocess.run(
        [words[0].removeprefix("s6-"), *words[1:]],
        input=text,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        timeout=30,
        check=False,
    )
    return done.stdout


def texts(seed: int) -> list[bytes]:
    """Small texts by dice."""
    dice = random.Random(seed)
    return [
        b"".join(dice.choice([b"a", b"B", b":", b" ", b"\n", b"\n\n", b"ab:c\n"]) for _ in range(n))
        for n in (0, 1, 5, 30, 200)
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("s6-sort", "s6-sort -r", "s6-sort -u", "s6-sort -ru"),
        *("s6-head", "s6-head -1", "s6-head -n 0", "s6-head -n3", "s6-head -c 7", "s6-head -c0"),
        *("s6-head -n 100000", "s6-head -n 30000"),
        *("s6-tail", "s6-tail -2", "s6-tail -n 0", "s6-tail -n -3", "s6-tail -n +3"),
        *("s6-tail -n +1", "s6-tail -n +0", "s6-tail -c 7", "s6-tail -c +7", "s6-tail -c 0"),
        *("s6-tail -n 30000", "s6-tail -n 1", "s6-tail -c 100000", "s6-tail -c +100000"),
        *("s6-grep a", "s6-grep -v a", "s6-grep -n ^[aB]", "s6-grep -i b", "s6-grep -c b"),
        *("s6-grep -F .", "s6-grep -F :", "s6-grep -Fi b", "s6-grep -E a|B$", "s6-grep -vn ."),
        *("s6-grep -cv a", "s6-grep a\\(b\\).c", "s6-grep -Fv a"),
    ],
)
def test_like_coreutils(run: Utilities, line: str) -> None:
    words = line.split()
    inputs = [LONG, TEXT.replace(b"\0", b"-"), *texts(sum(line.encode()))]
    for text in inputs:
        own = run(*words, text=text)
        assert own.err == ""
        assert own.out == coreutils(words, text), text[:300]


@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        *("-b 2", "-b 2-", "-b -2", "-c 1,3", "-b 4-5,1-2", "-c 2-3,1-2,3-", "-b 1-100"),
        *("-f 1 -d :", "-f 2 -d :", "-f 2- -d :", "-f 1,3 -d :", "-sf 1 -d :", "-sf 2 -d :"),
        *("-f 1", "-sf 1", "-f 3,1 -d :", "-f -2 -d :", "-f 1 -d a", "-nf 2 -d b"),
    ],
)
def test_cut(run: Utilities, line: str, unfinished: bool) -> None:
    words = ["s6-cut", *line.split()]
    for text in (*texts(len(line)), b"a:b:c\n::\nnone\n\n:x\n", b"x" * 200_000 + b":y\n"):
        whole = text if text.endswith(b"\n") or not text else text + b"\n"
        expected = coreutils(words, whole)
        if unfinished and not whole.endswith(b"\n\n"):
            whole, lost = whole[:-1], expected[-1:]
            suppressed = "s" in words[1] and b":" not in whole.rpartition(b"\n")[2]
            expected = expected if suppressed else expected.removesuffix(lost)
        own = run(*words, text=whole)
        assert (own.code, own.err) == (0, "")
        assert own.out == expected, whole[:300]


def test_cut_takes_files(run: Utilities) -> None:
    (run.top / "one").write_bytes(b"a\tb\n")
    (run.top / "two").write_bytes(b"c\td\n")
    assert run("s6-cut", "-f2", "one", "-", "two", text=b"x\ty\n").out == b"b\ny\nd\n"
    done = run("s6-cut", "-f2", "one", "none")
    message = "s6-cut: fatal: unable to open none: No such file or directory\n"
    assert (done.code, done.out, done.err) == (111, b"b\n", message)


def test_cut_at_nul(run: Utilities) -> None:
    assert run("s6-cut", "-d", "", "-f", "2", text=b"a\0b\0c\n").out == b"b\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-f"], b"A\na\nB\nb\n"),
        (["-fu"], b"A\nB\n"),
        (["-b"], b"A\nB\n a\n\tb\n"),
    ],
)
def test_equal_lines_stay_in_their_order(run: Utilities, words: list[str], out: bytes) -> None:
    text = {"-b": b"\tb\n a\nB\nA\n"}.get(words[0], b"A\nB\na\nb\n")
    assert run("s6-sort", *words, text=text).out == out


def test_sort_of_records(run: Utilities) -> None:
    assert run("s6-sort", "-0", text=b"b\n\0a\0c").out == b"a\0b\n\0c\0"
    assert run("s6-sort", text=b"b\0\nb\nb\0a").out == b"b\nb\0\nb\0a\n"
    assert run("s6-sort", text=b"longer than 8 b\nlonger than 8 a").out.splitlines() == [
        b"longer than 8 a",
        b"longer than 8 b",
    ]


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (["-c"], b"a\nb\nb\n", 0),
        (["-c"], b"", 0),
        (["-c"], b"b\na\n", 1),
        (["-cu"], b"a\nb\nb\n", 1),
        (["-cr"], b"b\na\n", 0),
        (["-cf"], b"a\nB\nc\n", 0),
        (["-cfu"], b"a\nA\n", 1),
    ],
)
def test_sort_only_looks(run: Utilities, words: list[str], text: bytes, code: int) -> None:
    done = run("s6-sort", *words, text=text)
    assert (done.code, done.out, done.err) == (code, b"", "")


@pytest.mark.parametrize(
    ("words", "code", "out"),
    [
        (["-q", "a"], 0, b""),
        (["-qF", "."], 1, b""),
        (["-qvF", "a"], 0, b""),
        (["-q", "zzz"], 1, b""),
        (["x$"], 0, b"a\0x\n"),
        (["^last$"], 0, b"last\n"),
        (["-n", "last"], 0, b"8:last\n"),
        (["-c", "zzz"], 1, b"0\n"),
        (["-qc", "last"], 0, b""),
        (["[[:upper:]]"], 0, b"A\nB c\n"),
    ],
)
def test_grep(run: Utilities, words: list[str], code: int, out: bytes) -> None:
    done = run("s6-grep", *words, text=TEXT)
    assert (done.code, done.out, done.err) == (code, out, "")


def test_grep_reads_all_of_its_input(run: Utilities) -> None:
    script = 'yes | head -c 1000000 && echo "all" >&2'
    done = run("s6-grep", under=["sh", "-c", f'{{ {script}; }} | "$0" -q y'])
    assert (done.code, done.err) == (0, "all\n")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("a(b", "character 2: this parenthesis is never closed"),
        ("(a)\\1", "character 4: references to what a group has matched are not supported"),
    ],
)
def test_a_bad_expression(run: Utilities, expression: str, why: str) -> None:
    done = run("s6-grep", "-E", expression)
    said = f"s6-grep: fatal: unable to compile regular expression: {why}\n"
    assert (done.code, done.err) == (111, said)


def test_head_and_tail_of_files(run: Utilities) -> None:
    (run.top / "one").write_bytes(b"1\n2\n3\n")
    (run.top / "two").write_bytes(b"4\n5")
    assert run("s6-head", "-2", "one").out == b"1\n2\n"
    done = run("s6-head", "-2", "one", "two", "-", text=b"6\n")
    assert done.out == b"==> one <==\n1\n2\n\n==> two <==\n4\n5\n==> - <==\n6\n"
    assert run("s6-tail", "-1", "two").out == b"5"
    done = run("s6-head", "one", "none")
    assert done.code == 111
    assert "s6-head: fatal: unable to open none: No such file" in done.err


@pytest.mark.parametrize("words", [["-S", "-n", "3"], ["-Sn3"], ["-c", "6"], ["-Sc", "6"]])
def test_head_takes_no_more_than_it_prints(run: Utilities, words: list[str]) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"1\n2\n3\n4\n5\n")
    os.close(writer)
    assert run("s6-head", *words, stdin=reader).out == b"1\n2\n3\n"
    with os.fdopen(reader, "rb") as rest:
        assert rest.read() == b"4\n5\n"


def test_short_inputs_are_no_failures(run: Utilities) -> None:
    for words in (["s6-head", "-c", "9"], ["s6-tail", "-c", "9"]):
        done = run(*words, text=b"short")
        assert (done.code, done.out) == (0, b"short")
    assert run("s6-tail", "-c", "+9", text=b"").code == 0


@pytest.mark.parametrize("words", [["s6-cat"], ["s6-cat", "-x", "--", "no such file"]])
def test_cat(run: Utilities, words: list[str]) -> None:
    done = run(*words, text=LONG)
    assert (done.code, done.out, done.err) == (0, LONG, "")


def test_large_inputs_are_not_kept(run: Utilities) -> None:
    """Memory is bounded by what is wanted of the input, not by the input."""
    for words in ("s6-cat", "s6-head -n 9000000", "s6-tail -n 5", "s6-tail -c 5", "s6-cut -b 3",
                  "s6-cut -d: -f 2", "s6-grep -q x"):  # fmt: skip
        line = f'yes a:bc | head -c 16000000 | prlimit --as=14000000 "$0" {words.partition(" ")[2]}'
        done = run(words.split()[0], under=["sh", "-c", f"{line} | tail -c 6"])
        assert done.err == "", words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("s6-sort -z", "unknown option -z"),
        ("s6-grep", "no pattern given"),
        ("s6-head -1 -2", "more than one number of lines or bytes"),
        ("s6-head -n -1", 'option -n: "-1" is not a number'),
        ("s6-tail -n ++1", 'option -n: "++1" is not a number'),
        ("s6-tail -c x", 'option -c: "x" is not a number'),
        ("s6-cut", "one of -b, -c and -f needed"),
        ("s6-cut -b 1 -f 1", "one of -b, -c and -f needed"),
        ("s6-cut -f 0", 'invalid list argument: "0"'),
        ("s6-cut -f 3-2", 'invalid list argument: "3-2"'),
        ("s6-cut -f 1,,2", 'invalid list argument: "1,,2"'),
        ("s6-cut -f x", 'invalid list argument: "x"'),
        ("s6-cut -f 99999999999999999999", "invalid list argument"),
    ],
)
def test_wrong_usage(run: Utilities, line: str, message: str) -> None:
    done = run(*line.split(), text=b"text\n")
    assert (done.code, done.out) == (100, b"")
    assert f"{line.split()[0]}: fatal: {message}" in done.err
