"""The recorded cases of the contract: the same scripts on ours and on the originals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from world.scripts import COMMANDS, Case, Commands

CASES = [
    Case.recorded(fields)
    for fields in json.loads(Path(__file__).with_name("cases.json").read_text())
]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 262
    assert len({case.name for case in CASES}) == len(CASES)


def test_all_commands_are_there(ours: Commands) -> None:
    assert not COMMANDS - ours.names


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recorded(case: Case, implementation: Commands, tmp_path: Path) -> None:
    ran = implementation.run(case, tmp_path)
    assert (ran.exit, ran.stdout) == (case.exit, case.stdout), ran.stderr
    assert (case.stderr_contains or "") in ran.stderr
    if case.stderr_contains is None:
        assert not ran.stderr
