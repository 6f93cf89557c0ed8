"""Which generation an image is taken for, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s6x.overlay.detect import detect
from s6x.overlay.root import Root
from world.tree import Content, plant


@pytest.mark.parametrize(
    ("files", "generation", "why"),
    [
        ({}, "v2", "the image shows no generation, and this is the newest known one"),
        ({"etc/s6/init/init-stage1!": ""}, "v1", "there is /etc/s6/init"),
        (
            {"etc/s6/init": {}, "usr/bin/justc-envdir!": ""},
            "v2",
            "there is /usr/bin/justc-envdir",
        ),
        (
            {"etc/s6/init": {}, "bin/s6-overlay-preinit!": ""},
            "v2",
            "there is /bin/s6-overlay-preinit",
        ),
        ({"etc/s6x/generation": "v1\n"}, "v1", "/etc/s6x/generation says so"),
        (
            {"etc/s6x/generation": "v2", "etc/s6/init": {}},
            "v2",
            "/etc/s6x/generation says so",
        ),
    ],
)
def test_the_image_shows_it(
    tmp_path: Path, files: dict[str, Content], generation: str, why: str
) -> None:
    its = detect(Root(plant(tmp_path, files)))
    assert (its.generation, its.why, its.finding) == (generation, why, None)


def test_asking_by_name_comes_first(tmp_path: Path) -> None:
    root = Root(plant(tmp_path, {"etc/s6x/generation": "v1\n"}))
    assert detect(root, "v2").generation == "v2"
    assert detect(root, "").generation == "v1"
    assert detect(root, "v2").why == "generation says so"
    assert detect(root, "v2", "--generation").why == "--generation says so"


@pytest.mark.parametrize("sign", ["package/admin/s6-overlay", "etc/s6-overlay/s6-rc.d"])
def test_v3_is_recognised_and_refused_in_words(tmp_path: Path, sign: str) -> None:
    finding = detect(Root(plant(tmp_path, {sign: {}}))).finding
    assert finding is not None
    assert finding.fatal
    assert str(finding) == (
        f"/{sign}: this asks for generation v3 of s6-overlay: this version of s6x knows v1 and v2 "
        "only, v3 is still to come; set S6X_COMPAT=v2 if the image uses only cont-init.d, "
        "services.d and the like"
    )


def test_v3_by_name_is_refused_where_it_was_said(tmp_path: Path) -> None:
    finding = detect(Root(tmp_path), "v3", "S6X_COMPAT").finding
    assert finding is not None
    assert finding.path == "S6X_COMPAT"


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    finding = detect(Root(tmp_path), "v9", "S6X_COMPAT").finding
    assert finding is not None
    assert str(finding) == (
        "S6X_COMPAT: 'v9' is no generation of s6-overlay: this version of s6x knows v1 and v2; "
        "write one of v1, v2 there, or nothing, and the image's files decide"
    )
    odd = detect(Root(plant(tmp_path, {"etc/s6x/generation": b"\xff\n"}))).finding
    assert odd is not None
    assert odd.path == "/etc/s6x/generation"


def test_what_was_looked_at_is_remembered(tmp_path: Path) -> None:
    root = Root(plant(tmp_path, {"etc/s6/init": {}}))
    detect(root)
    assert root.inputs == {
        "/etc/s6x/generation": "-",
        "/package/admin/s6-overlay": "-",
        "/etc/s6-overlay/s6-rc.d": "-",
        "/usr/bin/justc-envdir": "-",
        "/usr/bin/with-contenv-legacy": "-",
        "/bin/s6-overlay-preinit": "-",
        "/etc/s6/init": "e",
    }


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    outside = plant(tmp_path / "outside", {"generation": "v1\n"})
    root = plant(tmp_path / "root", {"etc": {}})
    (root / "etc/s6x").symlink_to(outside)
    assert detect(Root(root)).generation == "v2"
    # The same absolute path inside the root is what the link means there.
    plant(root / os.fspath(outside).lstrip("/"), {"generation": "v1\n"})
    assert detect(Root(root)).generation == "v1"
