"""Reading below a root as a process inside it would."""

from __future__ import annotations

from pathlib import Path

import pytest

from s6x.overlay.root import Root, fnv1a
from world.tree import FIFO, Link, plant


def test_links_stay_below_the_root(tmp_path: Path) -> None:
    root = Root(
        plant(
            tmp_path,
            {
                "usr/bin/sh": "",
                "bin": Link("usr/bin"),
                "absolute": Link("/usr/bin/sh"),
                "upward": Link("../../../../usr/bin/sh"),
                "chain": Link("absolute"),
                "loop": Link("loop"),
                "nowhere": Link("/none/at/all"),
            },
        )
    )
    there = str(tmp_path / "usr/bin/sh")
    for path in ("/bin/sh", "/absolute", "/upward", "/chain", "/../../bin/./sh"):
        assert root.resolve(path) == there
        assert root.is_file(path)
    assert root.resolve("/chain", last=False) == str(tmp_path / "chain")
    assert root.resolve("/bin/sh", last=False) == there
    assert root.resolve("/nowhere") == str(tmp_path / "none/at/all")
    assert root.status("/loop") is None
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        root.resolve("/loop")


def test_names_are_sorted_bytewise_without_hidden_ones(tmp_path: Path) -> None:
    plant(tmp_path, {"d": {"Zed": "", "a": "", "02-b": "", ".hid": "", "é": ""}})
    assert Root(tmp_path).names("/d") == ["02-b", "Zed", "a", "é"]


@pytest.mark.parametrize(
    ("data", "digest"),
    [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)],
)
def test_the_hash_is_fnv1a(data: bytes, digest: int) -> None:
    assert fnv1a(data) == digest


def test_fingerprints_say_what_kind_of_thing_it_is(tmp_path: Path) -> None:
    root = Root(plant(tmp_path, {"f": "foobar", "d": {"b": "", "a": ""}, "fifo": FIFO}))
    assert root.fingerprint("/f", "f") == "f85944171f73967e8"
    assert root.fingerprint("/d", "d") == f"d{fnv1a(bytes([97, 0, 98, 0])):016x}"
    assert root.fingerprint("/fifo", "f") == "-"
    assert root.fingerprint("/none", "f") == "-"
    assert root.fingerprint("/f", "e") == "e"
    assert root.exists("/f")
    assert root.read_input("/f") == b"foobar"
    assert root.read_input("/d") is None
    assert root.inputs == {"/f": "f85944171f73967e8", "/d": "-"}
