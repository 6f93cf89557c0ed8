"""Fixtures for tests with podman; tests/container/conftest.py has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from world.podman import Podman, Podmanned
from world.running import World


@pytest.fixture(scope="session")
def podman_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Podman's storage for this session; use `podman`."""
    with Podman(tmp_path_factory.mktemp("podman")) as its:
        Podmanned.podman = its
        yield its


@pytest.fixture
def podman(world: World, podman_storage: Podman) -> Iterator[Podman]:
    """Podman with the images that the session has made, and without containers."""
    yield podman_storage
    podman_storage.clear()
