"""The containers the tests are run in, tested themselves."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from world.containers import Container, Runc, Spec, Unshared, busybox_root
from world.running import World
from world.waiting import until

ROOT = os.geteuid() == 0

BACKENDS: list[type[Container]] = [Unshared, *([Runc] if ROOT and shutil.which("runc") else [])]

SHELL = "trap 'echo term; exit 3' TERM; echo up; echo oops >&2; while :; do sleep 0.05; done"


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.__name__)
def backend(request: pytest.FixtureRequest) -> type[Container]:
    chosen: type[Container] = request.param
    return chosen


@pytest.fixture
def root(world: World) -> Path:
    return busybox_root(world.top / "root")


def test_runs_signals_and_ends(root: Path, backend: type[Container]) -> None:
    with backend(Spec(root, ["/bin/sh", "-c", SHELL])) as container:
        container.until_said("up")
        assert container.processes()[0].pid == container.pid
        assert container.processes()[0].argv[:2] == ("/bin/sh", "-c")
        container.signal(signal.SIGTERM)
        ended = container.wait()
    assert (ended.code, ended.out, ended.err) == (3, "up\nterm\n", "oops\n")


def test_environment_and_working_directory(root: Path, backend: type[Container]) -> None:
    spec = Spec(root, ["/bin/sh", "-c", "echo $A; pwd; echo $$"], env={"A": "x 'y'"}, cwd="/tmp")
    with backend(spec) as container:
        ended = container.wait()
    assert (ended.code, ended.out) == (0, "x 'y'\n/tmp\n1\n"), ended.err


def test_a_second_program_inside(root: Path, backend: type[Container]) -> None:
    with backend(Spec(root, ["/bin/sh", "-c", SHELL])) as container:
        container.until_said("up")
        said = container.run("/bin/sh", "-c", "echo inside; ls /proc/1/exe; exit 5")
        assert (said.code, said.out) == (5, "inside\n/proc/1/exe\n"), said.err


def test_what_is_inside_ends_with_the_block(root: Path, backend: type[Container]) -> None:
    with backend(Spec(root, ["/bin/sh", "-c", "sleep 1000 & echo up; wait"])) as container:
        container.until_said("up")
        until(lambda: len(container.ps()) == 2, "both processes", explain=container.ps)
        pid = container.pid
    assert not Path(f"/proc/{pid}").exists()


def test_read_only_root_with_a_place_to_write(root: Path, backend: type[Container]) -> None:
    script = "touch /etc/x 2>/dev/null || echo no; touch /run/x && echo yes"
    spec = Spec(root, ["/bin/sh", "-c", script], read_only=True, tmpfs={"/run": "mode=755"})
    with backend(spec) as container:
        assert container.wait().out == "no\nyes\n"


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_another_user(root: Path, backend: type[Container]) -> None:
    with backend(Spec(root, ["/bin/id"], user=(65534, 65534))) as container:
        assert container.wait().out.startswith("uid=65534(nobody) gid=65534(nogroup)")


@pytest.mark.skipif(Runc not in BACKENDS, reason="needs root and runc")
class TestRunc:
    def test_terminal(self, root: Path) -> None:
        script = "tty; read line; echo got $line"
        with Runc(Spec(root, ["/bin/sh", "-c", script], tty=True)) as container:
            container.until_said("/dev/")
            container.type("hello\n")
            container.until_said("got hello")
            assert container.wait().code == 0

    def test_no_capabilities(self, root: Path) -> None:
        spec = Spec(root, ["/bin/grep", "CapEff", "/proc/1/status"], capabilities="none")
        with Runc(spec) as container:
            assert container.wait().out.split() == ["CapEff:", "0" * 16]


@pytest.mark.skipif(not ROOT, reason="an overlay needs root")
def test_overlay_of_this_machine(world: World) -> None:
    changes = world.plant({"hello": "from above\n"}, "changes")
    spec = Spec(changes, ["/bin/sh", "-c", "cat /hello; touch /new; id -u"], overlay=True)
    with Unshared(spec) as container:
        assert container.wait().out == "from above\n0\n"
    assert (changes / "new").exists()
    assert not Path("/new").exists()
