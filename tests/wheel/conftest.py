"""One unpacked source distribution, and what pip makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from world.building import Installed, build, fresh, wheel_of
from world.programs import REPOSITORY


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("sdist")
    build("maturin", "sdist", "-o", into, cwd=REPOSITORY)
    (archive,) = into.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def source(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked: a tree without a version control system."""
    into = tmp_path_factory.mktemp("source")
    subprocess.run(["tar", "-xf", sdist, "-C", into], check=True)  # tarfile: not the same in 3.11.2
    (top,) = into.iterdir()
    return top


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = fresh(tmp_path_factory.mktemp("environment") / "venv")
    build(place.directory / "bin/python", "-m", "pip", "install", wheel, cwd=place.directory)
    return place
