"""SIGSTOP to what PID 1 starts, before it is a program: PID 1 does not wait for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from world.images import Image, Role
from world.running import World
from world.tracing import stopping_its_children
from world.tree import FIFO, Content, script

Images = Callable[..., Image]


@pytest.mark.parametrize("what", ["a script", "CMD"])
def test_it_can_be_stopped(image: Images, world: World, role: Role, what: str) -> None:
    files: dict[str, Content] = {
        "tmp/go": FIFO,
        "etc/cont-init.d/a": script("echo up; read x </tmp/go"),
        "etc/cont-finish.d/a": script("echo finishing"),
    }
    if what == "a script":
        files["etc/cont-init.d/b"] = script("echo never")
    its = image("v2", files)
    with its.boot("echo", "never", role=role) as init:
        init.until_said("up\n")
        with stopping_its_children(init.pid, world.top / "trace") as stopped_child:
            (its.root / "tmp/go").write_text("\n")
            stopped_child()
        ended = init.stop()
    assert (ended.code, ended.err) == (0, "")
    assert "finishing\n" in ended.out
    assert "never" not in ended.out
