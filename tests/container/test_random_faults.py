"""Random images, random faults: always an end within the budget, and nothing left (seeded).

`S6X_FAULT_SEEDS` names seeds and ranges of them, `17 200-400`; what a seed means is in
`world.random_trees` and `world.random_faults`, what may come of it in `world.verdicts`.
"""

from __future__ import annotations

import os
import pprint
from collections.abc import Callable, Iterator

import pytest

from world.images import Image, needs_runc
from world.random_faults import random_faults
from world.random_runs import run
from world.random_trees import random_tree
from world.running import World
from world.verdicts import complaints


def seeds(text: str) -> Iterator[int]:
    for word in text.split():
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)


@needs_runc
@pytest.mark.parametrize("seed", list(seeds(os.environ.get("S6X_FAULT_SEEDS", "0-23"))))
def test_a_defined_end(world: World, image: Callable[..., Image], seed: int) -> None:
    tree = random_tree(seed)
    outside = world.top / "outside"
    outside.mkdir(mode=0o755)
    outcome = run(tree, image, outside)
    wrong = complaints(tree, outcome)
    assert not wrong, (
        f"{wrong}\nagain: S6X_FAULT_SEEDS={seed} pytest tests/container/test_random_faults.py\n"
        f"{pprint.pformat(tree)}\n{pprint.pformat(random_faults(tree))}\n{pprint.pformat(outcome)}"
    )
