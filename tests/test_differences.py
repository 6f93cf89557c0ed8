"""Every difference from the originals names a test, and the test exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ROWS = [
    line
    for line in (TOP / "docs/differences.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| subject")
]


def test_there_are_differences() -> None:
    assert len(ROWS) >= 10


RUST = "".join(path.read_text() for path in sorted((TOP / "rust").rglob("*.rs")))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_difference_names_a_test_that_exists(row: str) -> None:
    assert len(row.split(" | ")) >= 4, "subject, the original, s6x, test"
    named = re.findall(r"`([^`]+)`", row.rsplit(" | ", 1)[1])
    assert named, "the last column names a test"
    file = ""
    for name in named:
        # `::test` is in the file named before it.
        file, _, function = name.partition("::") if not name.startswith("::") else (file, "", name)
        if file.endswith(".py"):
            words = function.split("[")[0].strip(":").split("::")
            text = (TOP / file).read_text()
            assert all(re.search(rf"\b(def|class) {word}\b", text) for word in words), name
        else:  # module::tests::name, or a file of Rust
            word = name.rpartition("::")[2]
            assert (TOP / name).exists() or re.search(rf"\bfn {word}\b", RUST), name
