"""The plans of the two generations, whole: a change to them is seen in review.

A test whose snapshot differs writes the new one and fails.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from s6x.overlay import Plan, encode, plan_for
from s6x.overlay.render import render_text, to_json
from world.tree import Content, plant

SNAPSHOTS = Path(__file__).with_name("snapshots")

SEED: dict[str, Content] = {
    "etc/services.d": {
        "nginx/run!": "#!/usr/bin/with-contenv sh\nexec nginx -g 'daemon off;'\n",
        "cron/run!": "#!/usr/bin/with-contenv sh\nexec cron -f\n",
        "ssh/run!": "#!/usr/bin/with-contenv sh\nexec sshd -D\n",
    },
    "etc/cont-init.d/10-keys!": "#!/bin/sh\n",
    "etc/cont-finish.d/10-clean!": "#!/bin/sh\n",
}
"""The user's own description: three daemons."""


def check_snapshot(name: str, text: str) -> None:
    """Compare with a stored text; where it differs, store the new one and fail with the diff."""
    path = SNAPSHOTS / name
    old = path.read_text() if path.exists() else ""
    if old != text:
        path.write_text(text)
        diff = difflib.unified_diff(
            old.splitlines(), text.splitlines(), "before", "now", lineterm=""
        )
        pytest.fail(f"{name} was rewritten; look at it:\n" + "\n".join(diff))


def _plan(root: Path, generation: str) -> Plan:
    return plan_for(root, generation).replaced(made_by="the snapshot")


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_plan_of_an_empty_image(tmp_path: Path, generation: str) -> None:
    its = _plan(tmp_path, generation)
    check_snapshot(f"empty-{generation}.json", to_json(its))
    check_snapshot(f"empty-{generation}.txt", render_text(its))


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_bytes_of_a_plan(tmp_path: Path, generation: str) -> None:
    """The engine's tests read the same file, so both sides agree on what the bytes mean."""
    path = SNAPSHOTS / f"empty-{generation}.plan"
    data = encode(_plan(tmp_path, generation))
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
        pytest.fail(f"{path.name} was rewritten; the .json beside it shows what changed")


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_services_do_not_change_the_plan(tmp_path: Path, generation: str) -> None:
    """What is in the user's directories is read at boot, so volumes and hooks count."""
    empty = _plan(plant(tmp_path / "empty", {}), generation)
    assert _plan(plant(tmp_path / "seed", SEED), generation) == empty


def test_v2_differs_from_v1_where_the_contract_says(tmp_path: Path) -> None:
    v1, v2 = (json.loads(to_json(_plan(tmp_path, name))) for name in ("v1", "v2"))
    synced = [["equals", "S6_SYNC_DISKS", "1"]]
    assert dict(_differences(v1, v2)) == {
        "generation": ("v1", "v2"),
        "valid-when[0][2]": ("v1", "v2"),
        "valid-when[0][3]": ("v1", "v2"),
        "command.not-found": (111, 127),
        "command.not-executable": (111, 126),
        "signals[2][1]": ("stop", "rescan-and-prune"),
        "boot[10].rules": (
            v1["boot"][10]["rules"],
            v1["boot"][10]["rules"]
            + "{run}/etc/services.d/*/data/check false root,0:0 0755 0755\n",
        ),
        "boot[12].input": ("none", "container"),
        "boot[12].unspawnable": ("abort", "code"),
        "stop[0].wait-when": (None, [["not", "command-ended"]]),
        "stop[3].when": (None, synced),
        "stop[6].when": (None, synced),
    }


def _differences(one: Any, other: Any, at: str = "") -> list[tuple[str, tuple[Any, Any]]]:
    found: list[tuple[str, tuple[Any, Any]]] = []
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            there = f"{at}.{key}" if at else key
            found += _differences(one.get(key), other.get(key), there)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            found += _differences(*pair, f"{at}[{index}]")
    elif one != other:
        found.append((at, (one, other)))
    return found
