"""The prebuilt plan: what is written, and when it no longer counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from s6x.image import build, install, is_stale, stale_because
from s6x.overlay import PlanError, decode, plan_for
from world.tree import Link, plant

RULES = "etc/s6/init/init-stage2-fixattrs.txt"


def test_the_plan_is_written_into_the_image(tmp_path: Path, executable: Path) -> None:
    install(tmp_path, "v1", executable)
    built = build(tmp_path)
    data = (tmp_path / "etc/s6x/plan").read_bytes()
    assert decode(data) == built.plan == plan_for(tmp_path)
    assert (built.path, built.size, built.changed) == ("/etc/s6x/plan", len(data), True)
    assert built.findings == ()
    assert not is_stale(tmp_path)


def test_building_again_writes_nothing(tmp_path: Path) -> None:
    build(tmp_path, "v2")
    before = (tmp_path / "etc/s6x/plan").stat()
    assert not build(tmp_path, "v2").changed
    assert (tmp_path / "etc/s6x/plan").stat() == before


def test_findings_are_reported_but_do_not_stop_it(tmp_path: Path) -> None:
    plant(tmp_path, {"etc/services.d/web": {}})
    built = build(tmp_path)
    assert [its.path for its in built.findings] == ["/etc/services.d/web/run", "/init"]


def test_no_plan_is_written_when_there_can_be_none(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="'v9' is no generation"):
        build(tmp_path, "v9")
    assert not list(tmp_path.iterdir())


def test_the_plan_goes_where_the_image_would_look(tmp_path: Path) -> None:
    plant(tmp_path, {"etc": Link("/real/etc"), "real/etc": {}})
    build(tmp_path)
    assert (tmp_path / "real/etc/s6x/plan").is_file()
    assert not is_stale(tmp_path)


def test_a_plan_is_stale_when_something_it_rests_on_changes(
    tmp_path: Path, executable: Path
) -> None:
    assert stale_because(tmp_path) == "/etc/s6x/plan: there is none"
    install(tmp_path, "v1", executable)
    build(tmp_path)
    plant(tmp_path, {RULES: "/x false root 0644 0755\n"})
    assert stale_because(tmp_path) == f"/{RULES} is not what it was when the plan was made"
    assert is_stale(tmp_path)
    build(tmp_path)
    assert not is_stale(tmp_path)
    (tmp_path / RULES).unlink()
    assert stale_because(tmp_path) == f"/{RULES} is not what it was when the plan was made"


def test_a_plan_is_stale_when_something_that_was_missing_appears(tmp_path: Path) -> None:
    build(tmp_path)
    plant(tmp_path, {"usr/bin/justc-envdir": ""})
    assert (
        stale_because(tmp_path) == "/usr/bin/justc-envdir is not what it was when the plan was made"
    )


def test_scripts_and_services_do_not_make_it_stale(tmp_path: Path) -> None:
    build(tmp_path)
    plant(tmp_path, {"etc/cont-init.d/a!": "#!/bin/sh\n", "etc/services.d/b/run!": "#!/bin/sh\n"})
    assert not is_stale(tmp_path)


def test_a_damaged_plan_is_stale_and_said_so(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "etc/s6x/plan").write_bytes(b"d6:formate")
    assert stale_because(tmp_path) == ("/etc/s6x/plan: plan: byte 9: no value begins with b'e'")
