"""Images with s6x in them, one fresh copy for each test."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from s6x.image.bundle import Bundled, bundle
from s6x.image.install import install
from world.containers import busybox_root
from world.engines import bases, guide, podman, podman_storage  # noqa: F401
from world.families import Base, without_originals
from world.images import (
    Image,
    Role,
    linked_libraries,
    machine_root,
    needs_root,
    static_executable,
)
from world.programs import our_executable
from world.running import World
from world.tree import Content, plant


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make one root of each generation, to be copied for each test."""
    made: dict[str, Path] = {}

    def of(generation: str) -> Path:
        if generation not in made:
            top = tmp_path_factory.mktemp(f"image-{generation}")
            top.chmod(0o755)
            root = busybox_root(top / "root")
            executable = our_executable()
            assert executable, "there is no s6x executable to test: run cargo build"
            install(root, generation, executable)
            for library in linked_libraries(executable):
                target = root / str(library).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, target)
            made[generation] = root
        return made[generation]

    return of


ON_BOTH_ROOTS = ("test_init_v1", "test_init_v2", "test_init_legacy")
"""Modules whose images are made on a busybox root, and on the machine's own.

Of other modules, those tests that are marked `both_roots` are.
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `role` or `image` in each role, and on each root."""
    names = {*metafunc.fixturenames}
    on_both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH_ROOTS
    on_both = on_both or metafunc.definition.get_closest_marker("both_roots") is not None
    if on_both and {"image", "role"} <= names:
        # What a root changes does not depend on whose child init is.
        cases = [("busybox", "pid1"), ("busybox", "child"), ("machine", "pid1")]
        metafunc.parametrize(("image", "role"), _marked(cases), indirect=True)
    elif on_both and "image" in names:
        metafunc.parametrize("image", _marked([("busybox",), ("machine",)]), indirect=True)
    elif "role" in names and not _parametrized(metafunc, "role"):
        metafunc.parametrize("role", ["pid1", "child"], indirect=True)


def _parametrized(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test says itself which values an argument has."""
    marks = metafunc.definition.iter_markers("parametrize")
    return any(name in mark.args[0] for mark in marks)


def _marked(cases: Sequence[tuple[str, ...]]) -> list[Any]:
    """Say of each case what it needs: the machine's root is mounted."""
    return [pytest.param(*case, marks=needs_root if "machine" in case else ()) for case in cases]


@pytest.fixture
def image(
    world: World, images: Callable[[str], Path], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Image]]:
    """Return a function that gives a fresh image of a generation with these files and a plan."""
    world.top.chmod(0o755)
    count = 0
    on_the_machines = getattr(request, "param", "busybox") == "machine"
    with contextlib.ExitStack() as mounts:

        def of(
            generation: str, content: Mapping[str, Content] | None = None, *, planned: bool = True
        ) -> Image:
            nonlocal count
            count += 1
            if on_the_machines:
                (world.top / f"machine{count}").mkdir()
                root = mounts.enter_context(own_root(world.top / f"machine{count}", generation))
            else:
                root = world.top / f"root{count}"
                shutil.copytree(images(generation), root, symlinks=True)
            its = Image(root, generation).plant(content or {})
            return its.built() if planned else its

        yield of


@contextlib.contextmanager
def own_root(top: Path, generation: str) -> Iterator[Path]:
    """The machine's own root with s6x in it, and without another s6."""
    executable = our_executable()
    assert executable, "there is no s6x executable to test: run cargo build"
    with machine_root(top) as root:
        without_originals(root)
        install(root, generation, executable)
        yield root


@pytest.fixture
def role(request: pytest.FixtureRequest) -> Role:
    """Whether init is PID 1 of the container, or somebody's child."""
    chosen: Role = request.param
    return chosen


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundled]:
    """Both tarballs of `s6x bundle`, by kind; making them takes seconds."""
    made = bundle(tmp_path_factory.mktemp("bundles"), "v2", static_executable())
    return {its.kind: its for its in made}


@pytest.fixture(params=["busybox", "machine"])
def base(request: pytest.FixtureRequest, world: World) -> Iterator[Base]:
    executable = our_executable()
    assert executable, "there is no s6x executable to test: run make build"
    world.top.chmod(0o755)
    if request.param == "busybox":
        root = busybox_root(world.top / "root")
        for library in linked_libraries(executable):
            plant(root, {str(library).lstrip("/") + "!": library.read_bytes()})
        install(root, "v2", executable)
        yield Base(root, "sh")
        return
    with own_root(world.top, "v2") as root:
        yield Base(root, "bash")
