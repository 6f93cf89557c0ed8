"""What the tests of images share: an executable that only knows what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

APPLETS = (
    "init", "init-stage1", "init-stage2", "init-stage3", "printcontenv", "s6-supervise", "s6-svc",
    "s6-svscan", "s6x", "with-contenv",
)  # fmt: skip


@pytest.fixture
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for the native executable, which answers `--list-applets`."""
    path = tmp_path_factory.mktemp("native") / "s6x"
    path.write_text("#!/bin/sh\nprintf '%s\\n' " + " ".join(APPLETS) + "\n")
    path.chmod(0o755)
    return path
