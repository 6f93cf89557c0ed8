"""What the tests of our own command line share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from world import programs
from world.programs import Programs


@pytest.fixture(scope="session")
def s6x() -> Iterator[Programs]:
    """Our programs, `s6x` itself included, under their names."""
    with TemporaryDirectory(prefix="s6x-cli-") as top:
        Path(top).chmod(0o755)
        ours = programs.ours(Path(top))
        if ours is None:
            raise pytest.UsageError("there is no s6x executable to test: run `cargo build`")
        yield ours
