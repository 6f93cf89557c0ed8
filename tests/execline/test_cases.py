"""The recorded cases of the contract: the same scripts on ours and on the originals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from world.scripts import Case, Commands, missing

CASES = [
    Case.recorded(fields)
    for fields in json.loads(Path(__file__).with_name("cases.json").read_text())
]


# While commands are still being written: a case is run when all that it calls is there.
RUNNABLE = [case for case in CASES if not missing(case)]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 262
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: case.name)
def test_recorded(case: Case, implementation: Commands, tmp_path: Path) -> None:
    ran = implementation.run(case, tmp_path)
    assert (ran.exit, ran.stdout) == (case.exit, case.stdout), ran.stderr
    assert (case.stderr_contains or "") in ran.stderr
    if case.stderr_contains is None:
        assert not ran.stderr
