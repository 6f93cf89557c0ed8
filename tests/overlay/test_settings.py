"""Every variable of v1 and v2 is in the table, and in the plans where the contract says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from s6x.overlay import encode
from s6x.overlay.generations import v1, v2
from s6x.overlay.generations.legacy import plan_of
from s6x.overlay.render import to_json
from s6x.overlay.settings import SETTINGS, table

# Name → default where it is a number, per the contract's table of environment variables.
NUMBERS = {
    "S6_KILL_FINISH_MAXTIME": 5000,
    "S6_SERVICES_GRACETIME": 3000,
    "S6_KILL_GRACETIME": 3000,
    "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": 5000,
    "S6_BEHAVIOUR_IF_STAGE2_FAILS": 0,
}
OTHERS = {
    "S6_KEEP_ENV",
    "S6_LOGGING",
    "S6_CMD_ARG0",
    "S6_CMD_WAIT_FOR_SERVICES",
    "S6_FIX_ATTRS_HIDDEN",
    "S6_READ_ONLY_ROOT",
    "S6_RUNTIME_PROFILE",
}
OURS = {"S6X_COMPAT", "S6X_RUN", "S6X_STOP_TIMEOUT", "S6X_CONT_INIT_MAXTIME"}
NOT_IN_PLANS = {"S6_LOGGING_SCRIPT"}
"""Read by logutil-service alone."""

PLANS = {its.name: plan_of(its) for its in (v1.GENERATION, v2.GENERATION)}


def _variables(generation: str) -> set[str]:
    names = re.findall(r"\bS6X?_[A-Z0-9_]+", to_json(PLANS[generation]))
    return set(names) - {"S6_STAGE2_EXITED"}  # which is the exit file


def test_plans_name_exactly_the_variables_of_their_generation() -> None:
    common = {*NUMBERS, *OTHERS, *OURS}
    assert _variables("v1") == common
    assert _variables("v2") == common | {"S6_SYNC_DISKS"}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_the_table_holds_what_the_plans_name(generation: str) -> None:
    named = {its.name for its in SETTINGS if generation in its.generations}
    assert named == _variables(generation) | NOT_IN_PLANS


@pytest.mark.parametrize("generation", ["v1", "v2"])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_have_the_defaults_of_the_contract(generation: str, name: str) -> None:
    wire = b"d7:defaulti%de3:env%d:%be" % (NUMBERS[name], len(name), name.encode())
    assert wire in encode(PLANS[generation])


def test_the_guide_is_made_from_the_table() -> None:
    guide = Path(__file__).parents[2] / "docs/guides/variables.md"
    old = guide.read_text()
    before, mark, _ = old.partition("<!-- made from python/s6x/overlay/settings.py -->\n")
    now = f"{before}{mark}\n{table('v2')}"
    if now != old:
        guide.write_text(now)
        pytest.fail("docs/guides/variables.md was rewritten; look at it")
    assert mark


def test_the_guide_lists_each_variable_once() -> None:
    rows = [line.split("|")[1].strip(" `") for line in table("v2").splitlines()[2:]]
    assert rows == [its.name for its in SETTINGS]
    assert "S6_SYNC_DISKS" not in table("v1")
