"""What the tests of the small utilities share: a program of ours, run on bytes."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from world import programs
from world.programs import Programs
from world.running import World


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it wrote."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Utilities:
    """Our programs, in a directory of their own."""

    programs: Programs
    top: Path

    def __call__(
        self,
        *words: str | bytes | Path,
        text: bytes = b"",
        env: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
        stdin: int | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE,
        umask: int = 0o022,
    ) -> Ended:
        """Run a program to its end; `text` is its input unless there is a descriptor `stdin`."""
        done = subprocess.run(
            [*under, self.programs.path(str(words[0])), *words[1:]],
            input=text if stdin is None else None,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=self.top,
            env={"PATH": "/usr/bin:/bin", **(env or {})},
            timeout=60,
            check=False,
            umask=umask,
        )
        return Ended(done.returncode, done.stdout or b"", done.stderr.decode(errors="replace"))

    def sh(self, script: str, *kinds: str) -> Ended:
        """Run a shell script in new namespaces, where our programs come first in `PATH`.

        A mount namespace always, and those of these kinds (`uts`, `pid`: the shell is PID 1).
        """
        flags = [f"--{kind}" for kind in kinds]
        if "pid" in kinds:
            flags += ["--fork", "--kill-child", "--mount-proc"]
        done = subprocess.run(
            ["unshare", "--mount", *flags, "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.top,
            env={"PATH": f"{self.programs.directory}:/usr/sbin:/usr/bin:/sbin:/bin"},
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


@pytest.fixture(scope="session")
def our_programs() -> Iterator[Programs]:
    """Our programs under their names."""
    with tempfile.TemporaryDirectory(prefix="s6x-utilities-") as top:
        Path(top).chmod(0o755)
        ours = programs.ours(Path(top))
        if ours is None:
            raise pytest.UsageError("there is no s6x executable to test: run `cargo build`")
        yield ours


@pytest.fixture
def run(our_programs: Programs, world: World) -> Utilities:
    """Run one of our programs in an empty directory, `run.top`."""
    return Utilities(our_programs, world.plant({}, "top"))
