"""What the tests of images share: an executable that only knows what it holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

APPLETS = (
    "init", "init-stage1", "init-stage2", "init-stage3", "logutil-service", "printcontenv",
    "s6-fdholder-daemon", "s6-supervise", "s6-svc", "s6-svscan", "s6x", "with-contenv",
)  # fmt: skip


@pytest.fixture
def executable() -> Iterator[Path]:
    """A stand-in for the native executable, which answers `--list-applets`; anybody can run it."""
    top = Path(tempfile.mkdtemp(prefix="s6x-native-"))
    top.chmod(0o755)
    path = top / "s6x"
    path.write_text("#!/bin/sh\nprintf '%s\\n' " + " ".join(APPLETS) + "\n")
    path.chmod(0o755)
    yield path
    shutil.rmtree(top)
