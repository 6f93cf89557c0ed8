"""The examples in the documentation run, and the types in it hold."""

from __future__ import annotations

import doctest
import importlib
import runpy
import subprocess
import sys
from pathlib import Path
from pkgutil import walk_packages

import pytest

import s6x.supervise

HERE = Path(__file__).parent
MODULES = [
    "s6x.supervise",
    *(module.name for module in walk_packages(s6x.supervise.__path__, "s6x.supervise.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_the_guide() -> None:
    guide = HERE.parents[1] / "docs/guides/python.md"
    result = doctest.testfile(str(guide), module_relative=False)
    assert result.attempted > 15
    assert result.failed == 0


def test_there_are_examples() -> None:
    found = [doctest.DocTestFinder().find(importlib.import_module(name)) for name in MODULES]
    assert sum(len(test.examples) for tests in found for test in tests) >= 6


def test_types() -> None:
    runpy.run_path(str(HERE / "typing_checks.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(HERE / "typing_checks.py")],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout
