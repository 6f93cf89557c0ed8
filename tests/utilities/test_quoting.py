"""s6-quote, s6-unquote, their filters, s6-format-filter (contract execline §5.1)."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from world.waiting import PATIENCE_S

from .conftest import Utilities


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["abc"], b'"abc"\n'),
        ([""], b'""\n'),
        (["-n", 'a"b\\c'], b'"a\\"b\\\\c"'),
        (["-nu", 'a"b'], b'a\\"b'),
        (["-n", b"\x07\b\t\n\v\f\r"], b'"\\a\\b\\t\\n\\v\\f\\r"'),
        (["-n", b"\x01\x1f\x7f\xff ~"], b'"\\0x01\\0x1f\\0x7f\\0xff ~"'),
        (["-n", "-d", "'%", "it's 5%"], b"'it\\'s 5\\%'"),
        (["-nu", "-d", "", 'a"b'], b'a"b'),
    ],
)
def test_quote(run: Utilities, words: list[str | bytes], out: bytes) -> None:
    done = run("s6-quote", *words)
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (['"abc"'], b"abc\n"),
        (["-n", '""'], b""),
        (["-n", r'"a\"b\\c\zd"'], b'a"b\\czd'),
        (["-n", r'"\a\b\t\n\v\f\r\s"'], b"\x07\b\t\n\v\f\r "),
        (["-n", r'"\0x41\0x7f\0\00\0y"'], b"A\x7f\0\x000\0y"),
        (["-n", "-d", "", 'a"b'], b'a"b'),
        (["-n", "-d", "'", r"'a\'b'"], b"a'b"),
        (["-n", "-d", "'%", "'a%"], b"a"),
    ],
)
def test_unquote(run: Utilities, words: list[str], out: bytes) -> None:
    done = run("s6-unquote", *words)
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([""], "the empty string isn't a quoted string"),
        (["abc"], "invalid starting quote character"),
        (['"abc'], "no ending quote character"),
        (['"abc\\'], "unable to unquote at character 5: an escape breaks off"),
        ([r'"a\0xg1"'], "unable to unquote at character 5: \\0x needs two digits"),
        ([r'"a\0x1"'], "unable to unquote at character"),
        ([r'"\0xAB"'], "unable to unquote at character 4"),
        (["-d", "n", "nabcn"], "option -d: n cannot quote"),
        (["-d", "\\", "x"], "cannot quote"),
        ([], "no string given"),
    ],
)
def test_what_is_no_quoted_string(run: Utilities, words: list[str], message: str) -> None:
    done = run("s6-unquote", *words)
    assert (done.code, done.out) == (100, b"")
    assert f"s6-unquote: fatal: {message}" in done.err or message in done.err


def test_what_follows_the_end_is_ignored_with_a_warning(run: Utilities) -> None:
    done = run("s6-unquote", '"ab"cd')
    assert (done.code, done.out) == (0, b"ab\n")
    message = "found ending quote character at position 3/5; ignoring remainder"
    assert done.err == f"s6-unquote: warning: {message}\n"


@pytest.mark.parametrize("words", [["-d", ""], ["-d", "0"], ["-x"]])
def test_nothing_to_quote_with(run: Utilities, words: list[str]) -> None:
    for program in ("s6-quote", "s6-quote-filter"):
        done = run(program, *words, *(["x"] if program == "s6-quote" else []))
        assert (done.code, done.out) == (100, b"")
        assert "fatal: " in done.err


@given(text=st.binary(max_size=30).filter(lambda text: b"\0" not in text))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_unquoting_undoes_quoting(run: Utilities, text: bytes) -> None:
    quoted = run("s6-quote", "-n", "--", text)
    assert quoted.code == 0
    assert run("s6-unquote", "-n", "--", quoted.out).out == text


LINES = b'"a b"\nplain\n\n"open\n"x\\ty"\n"bad \\0x1"\n"more" than\n"last"'
UNQUOTED = b'a b\nplain\n\n"open\nx\ty\n"bad \\0x1"\nmore\nlast'
NOT_QUOTED = [
    "invalid starting quote character",
    "empty line",
    "unable to unquote: no ending quote character",
    "unable to unquote: \\0x needs two digits, 0 to 9 and a to f",
]


@pytest.mark.parametrize("option", ["-q", "-Q", "-v", "-qvQ"])
def test_lines_that_are_not_quoted_stay_as_they_are(run: Utilities, option: str) -> None:
    done = run("s6-unquote-filter", option, text=LINES)
    assert (done.code, done.out) == (0, UNQUOTED)
    said = [line.removeprefix("s6-unquote-filter: warning: ") for line in done.err.splitlines()]
    match option[-1]:
        case "q":
            assert not said
        case "Q":
            assert said == NOT_QUOTED
        case "v":
            assert said[0] == "invalid starting quote character in line: plain"
            assert said[-1].endswith('line: "more" than')
            assert len(said) == 5


def test_the_first_line_that_is_not_quoted_ends_it(run: Utilities) -> None:
    done = run("s6-unquote-filter", "-w", text=LINES)
    assert (done.code, done.out) == (100, b"a b\n")
    assert done.err == "s6-unquote-filter: fatal: invalid starting quote character\n"


def test_without_delimiters_every_line_is_unquoted(run: Utilities) -> None:
    done = run("s6-unquote-filter", "-d", "", text=b'a\\tb\n"c"\n')
    assert (done.code, done.out, done.err) == (0, b'a\tb\n"c"\n', "")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ([], b'"a\\"b"\n""\n"\\0x00c"'),
        (["-u"], b'a\\"b\n\n\\0x00c'),
        (["-d'"], b"'a\"b'\n''\n'\\0x00c'"),
    ],
)
def test_quote_filter(run: Utilities, words: list[str], out: bytes) -> None:
    done = run("s6-quote-filter", *words, text=b'a"b\n\n\0c')
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["<%s>"], b"<one>\n<>\n<last>"),
        (["--%1%%%0", "x y"], b"--x y%s6-format-filter\n" * 2 + b"--x y%s6-format-filter"),
        (["%s%s%9", *"abcdefghij"], b"oneonei\ni\nlastlasti"),
        ([""], b"\n\n"),
    ],
)
def test_format(run: Utilities, words: list[str], out: bytes) -> None:
    done = run("s6-format-filter", *words, text=b"one\n\nlast")
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 100, "no format given"),
        (["%"], 111, "unable to compile format: it ends with a single %"),
        (["%x"], 111, "unable to compile format: %x means nothing"),
        (["%2", "a"], 111, "unable to compile format: %2 has no argument"),
    ],
)
def test_wrong_formats(run: Utilities, words: list[str], code: int, message: str) -> None:
    done = run("s6-format-filter", *words, text=b"a\n")
    assert (done.code, done.out) == (code, b"")
    assert message in done.err


@pytest.mark.parametrize(
    "words", [["s6-quote-filter"], ["s6-unquote-filter", "-q"], ["s6-format-filter", "%s"]]
)
def test_a_line_is_passed_on_when_it_is_there(run: Utilities, words: list[str]) -> None:
    popen = subprocess.Popen(
        [run.programs.path(words[0]), *words[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with popen:
        assert popen.stdin
        assert popen.stdout
        for line in (b"one\n", b"two\n"):
            popen.stdin.write(line)
            popen.stdin.flush()
            assert popen.stdout.readline().strip(b'"\n') == line.strip()
        popen.stdin.close()
        assert popen.wait(PATIENCE_S) == 0
