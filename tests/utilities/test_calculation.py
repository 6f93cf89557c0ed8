"""s6-expr (contract execline §5.1), s6-true, s6-false."""

from __future__ import annotations

import pytest

from .conftest import Utilities


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("7", 7),
        ("-7", -7),
        ("2 + 3 * 4", 14),
        ("( 2 + 3 ) * 4", 20),
        ("10 - 3 - 2", 5),
        ("100 / 7 % 5", 4),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("1 < 2", 1),
        ("2 <= 1", 0),
        ("2 > 1", 1),
        ("1 >= 2", 0),
        ("3 = 3", 1),
        ("3 != 3", 0),
        ("5 & 0 | 7", 7),
        ("5 & 6", 5),
        ("0 | 0", 0),
        ("1 | 1 / 0", 1),
        ("0 & 5 % 0", 0),
        ("1 + 1 = 2 & 3", 1),
        ("( ( ( 4 ) ) )", 4),
        ("9223372036854775807 - 1", 9223372036854775806),
        ("3abc + 1", 4),
    ],
)
def test_results(run: Utilities, expression: str, result: int) -> None:
    done = run("s6-expr", *expression.split())
    assert (done.code, done.out, done.err) == (int(result == 0), b"%d\n" % result, "")


@pytest.mark.parametrize(
    "expression",
    ["", "+", "1 +", "1 2", "( 1", "1 )", "( )", "x", "1 + -", "* 2", "1 ( 2 )", "--help", ") ("],
)
def test_what_is_no_expression(run: Utilities, expression: str) -> None:
    done = run("s6-expr", *expression.split())
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("s6-expr: fatal: invalid expression: ")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1 & 1 / 0", "division by zero"),
        ("-9223372036854775808 / -1", "a result is too large"),
        ("9223372036854775807 + 1", "a result is too large"),
        ("9223372036854775808", "is too large"),
    ],
)
def test_no_result(run: Utilities, expression: str, message: str) -> None:
    done = run("s6-expr", *expression.split())
    assert (done.code, done.out) == (2, b"")
    assert message in done.err


def test_many_parentheses(run: Utilities) -> None:
    done = run("s6-expr", *["("] * 50_000, "1", *[")"] * 50_000)
    assert (done.code, done.out) == (0, b"1\n")


@pytest.mark.parametrize("words", [[], ["-x"], ["--help"], ["a", "b"]])
def test_verdicts(run: Utilities, words: list[str]) -> None:
    for program, code in (("s6-true", 0), ("s6-false", 1)):
        done = run(program, *words)
        assert (done.code, done.out, done.err) == (code, b"", "")
