"""Scripts by dice, well-formed and malformed, through both implementations: no difference.

A few by default; ``S6X_FUZZ_SCRIPTS=100000`` runs that many.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from execline.dice import Dice
from world.scripts import Case, Commands, Ran

COUNT = int(os.environ.get("S6X_FUZZ_SCRIPTS", "200"))
FIRST = int(os.environ.get("S6X_FUZZ_FIRST", "0"))
SEEDS = range(FIRST, FIRST + COUNT)
CHUNK = 100
"""Scripts a test: one that fails tells its number."""


def meaning(ran: Ran) -> list[str]:
    """Who said what kind of thing; a mistake in the usage is said in one line or in two."""
    said = [line for line in ran.stderr.splitlines() if "warning: ignoring" not in line]
    # With -E, the original becomes importas in between.
    said = [re.sub("^.*: fatal: unable to exec ", "chain: fatal: ", line) for line in said]
    # Not at the beginning of lines alone: two processes of a pipeline may write into one.
    said = re.findall(r"([\w.-]+: (?:fatal|warning|usage)): ", "\n".join(said))
    usages = {line.split(":")[0] for line in said if line.endswith("usage")}
    return sorted(
        line for line in said if not (line.endswith("fatal") and line.split(":")[0] in usages)
    )


def seen(ran: Ran) -> tuple[int, str, list[str]]:
    return ran.exit, ran.stdout, meaning(ran)


def excuse(case: Case, ours: Ran, theirs: Ran) -> str | None:
    """Why this is a difference that docs/differences.md has, or that of a later release."""
    if re.search(r"[{}]\\", case.script):
        return "a brace with a backslash behind it is glued to what follows, or dropped"
    if "execlineb: usage" in theirs.stderr and "execlineb: usage" not in ours.stderr:
        return "option -e is of 2.9.4"
    if theirs.exit in (-11, 139):
        return "crashes"
    same = (theirs.exit, theirs.stdout) == (ours.exit, ours.stdout)
    if same and re.search(r'''multidefine [^{]*-r[^{]*\{[^}]*""''', case.script):
        return "crashes in a block, and nobody sees more of it than a missing message"
    if "pipeline: fatal: empty block" in ours.stderr:
        return "up to 2.9.3, a pipeline could begin with nothing"
    if len(re.findall(r"backtick -[IxD]", case.script)) > case.script.count("} unexport ?"):
        return "since 2.9.5, ? tells how the block of a backtick ended"
    if "backtick: fatal: the command line after" in ours.stderr:
        return "up to 2.9.4, nothing had to follow"
    if "warning: unable to spawn" in ours.stderr and "Permission denied" in ours.stderr:
        return "up to 2.9.4, ? was 127 for whatever could not be run"
    return None


def difference(case: Case, ours: Commands, theirs: Commands, top: Path) -> str | None:
    ran, original = ours.run(case, top), theirs.run(case, top)
    if seen(ran) == seen(original) or excuse(case, ran, original):
        return None
    return f"\n{case}\nours:   {ran}\ntheirs: {original}\n"


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_scripts_by_dice(first: int, ours: Commands, theirs: Commands, tmp_path: Path) -> None:
    cases = [Dice(seed).case_of(seed) for seed in SEEDS if first <= seed < first + CHUNK]
    found = [difference(case, ours, theirs, tmp_path) for case in cases]
    assert not [difference for difference in found if difference]
