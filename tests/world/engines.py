"""Fixtures for tests with podman, and for guides; tests/container/conftest.py has them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from s6x.image.bundle import Bundled, bundle
from world.bases import Bases
from world.images import static_executable
from world.pages import Page
from world.podman import Podman, Podmanned
from world.programs import REPOSITORY
from world.running import World
from world.sockets import free_port


@pytest.fixture(scope="session")
def podman_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Podman's storage for this session; use `podman`."""
    with contextlib.closing(Podman(tmp_path_factory.mktemp("podman"))) as its:
        Podmanned.podman = its
        yield its


@pytest.fixture
def podman(world: World, podman_storage: Podman) -> Iterator[Podman]:
    """Podman with the images that the session has made, and without containers."""
    yield podman_storage
    podman_storage.clear()


@pytest.fixture(scope="session")
def bases(podman_storage: Podman) -> Bases:
    """The base images of Dockerfiles, made when they are asked for."""
    return Bases(podman_storage)


@pytest.fixture
def guide(
    podman: Podman, bases: Bases, bundles: dict[str, Bundled], world: World
) -> Callable[..., Page]:
    """Return a function that gives a page of docs/guides, to be run in a copy of the examples."""
    bases.busybox()
    shutil.copytree(REPOSITORY / "examples", world.top / "examples", symlinks=True)
    port = free_port()

    def lay(generation: str, example: str) -> None:
        """Lay what `s6x bundle` makes into an example: the private Python is made once only."""
        into = world.top / "examples" / example / "dist"
        bundle(into, generation, static_executable(), ("native",))
        shutil.copy(bundles["python"].path, into)

    def of(
        name: str,
        changes: Mapping[str, str] | None = None,
        instead: Mapping[str, Callable[[], None]] | None = None,
    ) -> Page:
        made = {
            f"s6x bundle --generation {generation} --output examples/{example.name}/dist": partial(
                lay, generation, example.name
            )
            for example in (world.top / "examples").iterdir()
            for generation in ("v1", "v2")
        }
        return Page(
            REPOSITORY / "docs/guides" / name,
            world.top,
            {**os.environ, "PATH": f"{programs_of_people(podman)}:{os.environ['PATH']}"},
            {
                # The network is the machine's: whoever listens does so for this machine alone.
                "-p 8080:8080": f"-e LISTEN=127.0.0.1:{port}",
                "localhost:8080": f"127.0.0.1:{port}",
                **(changes or {}),
            },
            {**made, **(instead or {})},
            port,
        )

    return of


def programs_of_people(podman: Podman) -> Path:
    """Return where `podman` and `s6x` are."""
    command = podman.command.with_name("s6x")
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m s6x "$@"\n')
    command.chmod(0o755)
    return command.parent
