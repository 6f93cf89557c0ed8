"""What is native and what is Python. Imports nothing that takes time."""

from __future__ import annotations

import os

# ruff: noqa: PTH110, PTH118, PTH120 - pathlib alone takes longer than all of this

_HERE = os.path.dirname(__file__)

EXECUTABLE = os.path.join(_HERE, "_native", "bin", "s6x")
"""The executable with all programs; missing in a source tree that was never built."""


def is_python_command(word: str) -> bool:
    """Whether `s6x WORD` is a command of :mod:`s6x.cli`: whether there is a module of that name."""
    name = word.replace("-", "_")
    module = os.path.join(_HERE, "cli", name)
    # In an image's private Python there are no sources.
    return name.isidentifier() and any(os.path.exists(module + end) for end in (".py", ".pyc"))
