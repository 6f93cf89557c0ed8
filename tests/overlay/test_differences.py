"""Every difference from the originals names a test, and the test exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ROWS = [
    line
    for line in (TOP / "docs/differences.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| subject")
]


def test_there_are_differences() -> None:
    assert len(ROWS) >= 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_difference_names_a_test_that_exists(row: str) -> None:
    assert len(row.split(" | ")) == 4, "subject, the original, s6x, test"
    named = re.findall(r"`((?:tests|rust)/[^`]+)`", row.rsplit(" | ", 1)[1])
    assert named, "the last column names a test"
    for name in named:
        file, _, function = name.partition("::")
        text = (TOP / file).read_text()
        words = function.split("[")[0].split("::")
        assert all(re.search(rf"\b(def|fn|class|mod) {word}\b", text) for word in words if word)
