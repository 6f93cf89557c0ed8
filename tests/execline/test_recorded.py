"""What Debian's execline 2.9.3 was recorded doing (``record.py``): s6x does the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from world.meaning import meaning
from world.scripts import Case, Commands, Ran

ROWS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("recorded.json").read_text())


def case_of(row: dict[str, Any]) -> Case:
    return Case("", row["script"], tuple(row["args"]), row["env"], row["stdin"])


def seen(ran: Ran) -> dict[str, Any]:
    return {
        "exit": ran.exit,
        "stdout": ran.stdout,
        "said": [list(line) for line in meaning(ran.stderr)],
    }


def test_enough_is_recorded() -> None:
    assert len(ROWS) > 900


@pytest.mark.parametrize("nth", range(len(ROWS)))
def test_recorded(nth: int, ours: Commands, tmp_path: Path) -> None:
    row = ROWS[nth]
    expected = {field: row[field] for field in ("exit", "stdout", "said")}
    assert seen(ours.run(case_of(row), tmp_path)) == expected, row
