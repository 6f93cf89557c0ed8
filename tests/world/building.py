"""Building the package as pip does, and fresh environments to install it into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from world.programs import Result

PROFILE = os.environ.get("S6X_NATIVE_PROFILE", "native")
"""How the executable is built here: as for publication, unless somebody is in a hurry (`dev`)."""

LIMIT_S = 800


@dataclass(frozen=True)
class Installed:
    """A fresh virtual environment with the package in it."""

    directory: Path

    def run(self, program: str, *words: str | Path, cwd: Path | None = None) -> Result:
        done = subprocess.run(
            [self.directory / "bin" / program, *words],
            cwd=cwd or self.directory,  # never the repository: its package would be found there
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)


def build(*argv: str | Path, cwd: Path) -> str:
    """Run a step of a build, with this interpreter's maturin and without the network."""
    tools = Path(sys.executable).parent
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "S6X_NATIVE_PROFILE": PROFILE,
            "CARGO_TARGET_DIR": str(cwd / "target"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def wheel_of(source: Path, into: Path) -> Path:
    """Build the wheel of a source tree."""
    options: list[str | Path] = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "-w", into]
    build(sys.executable, "-m", "pip", "wheel", *options, source, cwd=source)
    (wheel,) = into.glob("*.whl")
    return wheel


def fresh(directory: Path, *, borrowing: bool = False) -> Installed:
    """Make an empty environment; `borrowing`: it sees what is installed for the tests."""
    venv.create(directory, with_pip=True)
    if borrowing:
        (packages,) = directory.glob("lib/python*/site-packages")
        (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return Installed(directory)
