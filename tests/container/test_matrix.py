"""Everywhere: `/init` boots and stops cleanly, or says in one sentence why it cannot.

{PID 1, a child} x {root, an ordinary user} x {writable, read-only root} x {docker's capabilities,
none} x {kinds of /run} x {prebuilt plan, planner}, under runc with no variable set.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest

from s6x.image.build import build
from s6x.image.bundle import Bundled
from world.containers import Runc, busybox_root
from world.images import Image, Role, needs_runc
from world.tree import Content, plant, script
from world.waiting import until

USER = (12345, 12345)

RUNS: dict[str, tuple[int, str]] = {
    "in the image": (0o755, ""),
    "a tmpfs": (0o755, "nosuid"),
    "a tmpfs, world-writable": (0o1777, "nosuid"),
    "a tmpfs, 0777": (0o777, "nosuid"),
    "a tmpfs, setgid": (0o2775, "gid=12345"),
    "a tmpfs, noexec": (0o1777, "noexec"),
    "absent": (0, ""),
}
"""Kinds of /run: the mode of the directory, and how it is mounted; runc takes the mode over."""

NOWHERE = "init: fatal: unable to find a directory for the state of the container: unable to "
"""How the one sentence begins that says why it cannot be."""


FILES: dict[str, Content] = {
    "etc/cont-init.d/a!": script("echo init"),
    "etc/services.d/web/run!": script("echo web; exec sleep 1000"),
    "etc/services.d/web/finish!": script("echo finished"),
    "etc/cont-finish.d/a!": script("echo finish"),
}


@pytest.fixture(scope="session")
def roots(bundles: dict[str, Bundled], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An image with a plan, and one without a plan but with a private Python."""
    made = {}
    for name in ("prebuilt", "planner"):
        top = tmp_path_factory.mktemp(name)
        top.chmod(0o755)
        root = busybox_root(top / "root")
        for its in bundles.values():
            shutil.unpack_archive(its.path, root)
        plant(root, FILES)
        if name == "prebuilt":
            build(root, "v2")
            shutil.rmtree(root / "package/s6x")
        made[name] = root
    return made


CASES = [
    pytest.param(*case, id=", ".join(case))
    for case in itertools.product(
        ("pid1", "child"),
        ("root", "user"),
        ("writable", "read-only"),
        ("default", "none"),
        RUNS,
        ("prebuilt", "planner"),
    )
]


@needs_runc
@pytest.mark.parametrize(("role", "who", "where", "capabilities", "run", "plan"), CASES)
def test_matrix(
    roots: dict[str, Path],
    role: Role,
    who: str,
    where: str,
    capabilities: str,
    run: str,
    plan: str,
) -> None:
    image = Image(roots[plan], "v2")
    mode, mount = RUNS[run]
    place = image.root / "run"
    shutil.rmtree(place, ignore_errors=True)  # an earlier boot's state
    if mode:
        place.mkdir()
        place.chmod(mode)
    how: dict[str, Any] = {
        "user": USER if who == "user" else (0, 0),
        "read_only": where == "read-only",
        "capabilities": capabilities,
        "tmpfs": {"/run": mount} if mount else {},
    }
    if where == "read-only" and who == "user" and (not mount or mode & 0o022 == 0):
        refused = image.run(role=role, backend=Runc, **how)
        assert refused.code == 111
        assert refused.err.startswith(NOWHERE)
        assert refused.err.endswith("; S6X_RUN can name another place\n")
        assert refused.err.count("\n") == 1
        return
    with image.boot(role=role, backend=Runc, **how) as init:
        init.until_said("web\n")
        until(lambda: not init.container.zombies(), "no zombies", explain=init.ps)
        ended = init.stop()
    said = ended.out.splitlines()
    assert ended.code == 0, ended
    assert said.index("init") < said.index("web") < said.index("finish")
    assert "finished" in said
    assert said[-1] == "[s6-finish] sending all processes the KILL signal and exiting."
