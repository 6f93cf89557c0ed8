"""docs/differences.md is complete, and each of its lines has a test that exists."""

from __future__ import annotations

import dataclasses
import re

import pytest

from world.programs import OURS, REPOSITORY, THEIRS

PAGE = (REPOSITORY / "docs/differences.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
DIFFERENT = [
    field.name
    for field in dataclasses.fields(OURS)
    if getattr(OURS, field.name) != getattr(THEIRS, field.name)
]


@pytest.mark.parametrize("name", DIFFERENT)
def test_every_difference_is_written_down(name: str) -> None:
    assert f"`{name}`" in PAGE, f"Expectations.{name} needs a line in docs/differences.md"


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_every_line_has_its_test(row: str) -> None:
    file = ""
    for word in re.findall(r"`((?:tests/)?[^`]*::[^`]*)`", row.rsplit("|", 2)[1]):
        path, _, test = word.partition("::")
        file = path or file
        text = (REPOSITORY / file).read_text()
        assert f"def {test}(" in text, f"there is no {test} in {file}"


def test_tests_of_the_crates_exist() -> None:
    code = "".join(file.read_text() for file in (REPOSITORY / "rust").rglob("*.rs"))
    named = re.findall(r"`(?:\w+::)*tests::(\w+)`", PAGE)
    assert len(named) > 10
    assert [name for name in named if f"fn {name}(" not in code] == []
