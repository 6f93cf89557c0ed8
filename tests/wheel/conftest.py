"""What pip makes of the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.building import Installed, build, fresh


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = fresh(tmp_path_factory.mktemp("environment") / "venv")
    build(place.directory / "bin/python", "-m", "pip", "install", wheel, cwd=place.directory)
    return place
