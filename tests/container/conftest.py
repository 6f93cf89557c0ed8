"""Images with s6x in them, one fresh copy for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from s6x.image.bundle import Bundled, bundle
from s6x.image.install import install
from world.containers import busybox_root
from world.families import Base, without_originals
from world.images import Image, Role, linked_libraries, machine_root, static_executable
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


@pytest.fixture
def image(world: World, images: Callable[[str], Path]) -> Callable[..., Image]:
    """Return a function that gives a fresh image of a generation with these files and a plan."""
    world.top.chmod(0o755)
    count = 0

    def of(
        generation: str, content: Mapping[str, Content] | None = None, *, planned: bool = True
    ) -> Image:
        nonlocal count
        count += 1
        root = world.top / f"root{count}"
        shutil.copytree(images(generation), root, symlinks=True)
        its = Image(root, generation).plant(content or {})
        return its.built() if planned else its

    return of


@pytest.fixture(params=["pid1", "child"])
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
    with machine_root(world.top) as root:
        without_originals(root)
        install(root, "v2", executable)
        yield Base(root, "bash")
