"""eltest against the original: every operator, every mistake, and conditions made by dice."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from world.meaning import meaning
from world.scripts import Commands

ROUNDS = int(os.environ.get("S6X_FUZZ_ROUNDS", "1"))
"""How much longer than usual dice are thrown."""

FILES = ("f", "empty", "d", "link", "dangling", "fifo", "suid", "sgid", "sticky", "gone", "old")
OF_FILES = tuple("efdbcpShLrwxsugkNOUG")
OF_TWO_FILES = ("-nt", "-ot")
NUMBERS = ("0", "1", "-1", "+1", "10", "010", "1x", "x", "", "2147483647", " 1", "-", "1 2")
TEXTS = ("", "a", "b", "ab", "A", "\\a", "\\\\a", "\\-n", "0", "10", "9", "\xe9", " ")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
OF_NUMBERS = ("-eq", "-ne", "-gt", "-ge", "-lt", "-le")
REGEXES = ("a", "^a$", "", "[[:digit:]]+", "a|b", "(", "[", "\\(a\\)", "a{2}", "*", ".", "b$")

CONDITIONS: list[tuple[str, ...]] = [
    (),
    *((f"-{letter}", file) for letter in OF_FILES for file in FILES),
    *((one, operator, two) for operator in OF_TWO_FILES for one in FILES for two in FILES[::3]),
    *((one, "-ef", "f") for one in FILES),
    *((one, operator, two) for operator in COMPARISONS for one in TEXTS for two in TEXTS[::3]),
    *((one, operator, two) for operator in OF_NUMBERS for one in NUMBERS for two in NUMBERS[::4]),
    *((text, "=~", regex) for text in ("a", "ba1", "") for regex in REGEXES),
    *((f"-{letter}", text) for letter in "nzvt" for text in (*TEXTS, "HOME", "1", "99", "1x")),
    *((text,) for text in TEXTS),
    ("!", "a"), ("!",), ("!", "!", "a"), ("(", "a", ")"), ("(", ")"), ("(", "a"), ("a", ")"),
    ("a", "b"), ("-n",), ("-n", "-n"), ("-n", "=", "x"), ("=", "=", "="), ("a", "="),
    ("a", "-a"), ("-a", "a"), ("a", "-a", "-o", "b"), ("a", ")", "-a"), ("a", ")", "b"),
    ("", "-o", "a", "-a", ""), ("a", "-o", "x", "-eq", "y"), ("", "-a", "x", "-eq", "y"),
    ("x", "-eq", "y", "-o", "a"), ("!", "(", "a", "-a", "", ")"), ("a", "-eq", "("),
    ("--", "a"), ("-help",), ("--help",), ("a", "==", "a"), ("a", "!", "=", "a"),
]  # fmt: skip

WORDS = ("!", "(", ")", "-a", "-o", "=", "-eq", "-n", "-z", "a", "", "1", "-e", "gone", "\\(", "=~")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("files")
    (top / "f").write_text("text")
    (top / "old").write_text("text")
    os.utime(top / "f", (1, 2))
    os.utime(top / "old", (1, 1))
    (top / "empty").touch()
    (top / "d").mkdir()
    (top / "link").symlink_to("f")
    (top / "dangling").symlink_to("gone")
    os.mkfifo(top / "fifo", 0o200)
    for name, mode in (("suid", 0o4755), ("sgid", 0o2711), ("sticky", 0o1000)):
        (top / name).touch()
        (top / name).chmod(mode)
    for name in ("empty", "d", "fifo", "suid", "sgid", "sticky"):
        os.utime(top / name, (3, 3))
    return top


def result(commands: Commands, condition: tuple[str, ...], cwd: Path) -> tuple[object, ...]:
    done = subprocess.run(
        [commands.directory / "eltest", *condition],
        env={"HOME": "/root"},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.returncode, done.stdout, meaning(os.fsdecode(done.stderr))


def different(
    ours: Commands, theirs: Commands, conditions: list[tuple[str, ...]], cwd: Path
) -> list[tuple[object, ...]]:
    results = (
        (condition, result(ours, condition, cwd), result(theirs, condition, cwd))
        for condition in conditions
    )
    return [(condition, mine, their) for condition, mine, their in results if mine != their]


@pytest.mark.parametrize("part", range(4))
def test_conditions(ours: Commands, theirs: Commands, directory: Path, part: int) -> None:
    assert not different(ours, theirs, CONDITIONS[part::4], directory)


def test_any_words(ours: Commands, theirs: Commands, directory: Path) -> None:
    """What makes sense and what does not; where two mistakes are in one, which is told is open."""
    dice = random.Random(4)
    conditions = [tuple(dice.choices(WORDS, k=dice.randrange(1, 9))) for _ in range(400 * ROUNDS)]
    assert not different(ours, theirs, conditions, directory)


def test_modified_in_the_same_second(implementation: Commands, tmp_path: Path) -> None:
    for name, ns in (("before", 100_000_000), ("after", 900_000_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ns=(ns, ns))
    is_ours = implementation.name == "ours"
    for condition in (("before", "-ot", "after"), ("after", "-nt", "before")):
        assert result(implementation, condition, tmp_path)[0] == (0 if is_ours else 1)


SENTENCES = [
    # the words, what the message says
    (("a", "b"), "eltest: fatal: parse error at argument 1"),
    (("a", ")"), "eltest: fatal: parse error: bad right parenthesis at argument 2"),
    (("(", "a"), "eltest: fatal: parse error: too many left parentheses"),
    (("a", "-lt", "1"), "eltest: fatal: -lt requires integer arguments"),
    (("-t", "x"), "eltest: fatal: -t requires an integer argument"),
    (("a", "=~", "\\(("), "eltest: fatal: unable to compile (( into a regular expression"),
]


@pytest.mark.parametrize(("words", "message"), SENTENCES)
def test_what_is_said(
    implementation: Commands, directory: Path, words: tuple[str, ...], message: str
) -> None:
    done = subprocess.run(
        [implementation.directory / "eltest", *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (100, "")
    assert message in done.stderr.replace("fatal: : ", "fatal: ")


BETTER = [
    # the words, ours, theirs
    (("3000000000", "-gt", "0"), 0, 1),
    (("-3000000000", "-lt", "0"), 0, 1),
    (("99999999999999999999", "-gt", "1"), 0, None),
    (("gone", "-ef", "f"), 1, 1),
    (("f", "-ef", "gone"), 1, 0),
]


@pytest.mark.parametrize(("words", "mine", "original"), BETTER)
def test_numbers_and_files_that_are_not_there(
    implementation: Commands,
    directory: Path,
    words: tuple[str, ...],
    mine: int,
    original: int | None,
) -> None:
    expected = mine if implementation.name == "ours" else original
    code, _, said = result(implementation, words, directory)
    assert not said
    assert expected in (None, code)
