"""Images with s6x in them, and `/init` running in them: as PID 1, and as an ordinary process."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from s6x.image.build import build
from world import process
from world.containers import Container, Spec, Unshared
from world.programs import Result, our_executable
from world.tree import Content, plant
from world.waiting import until

Role = Literal["pid1", "child"]

AS_CHILD = ["/bin/sh", "-c", '/init "$@"; exit $?', "sh"]
"""A PID 1 that is not ours, and /init below it."""


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_runc = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("runc") is None, reason="needs root and runc"
)


@dataclass
class Image:
    """A root directory with one generation of s6-overlay as s6x lays it out."""

    root: Path
    generation: str

    def plant(self, content: Mapping[str, Content]) -> Image:
        plant(self.root, content)
        return self

    def built(self) -> Image:
        """Make the plan, as the last step of an image's build does."""
        build(self.root)
        return self

    @contextlib.contextmanager
    def boot(
        self, *args: str, role: Role = "pid1", backend: type[Container] = Unshared, **spec: Any
    ) -> Iterator[Init]:
        words = ["/init", *args] if role == "pid1" else [*AS_CHILD, *args]
        with backend(Spec(self.root, words, **spec)) as container:
            yield Init(container, role)

    def run(self, *args: str, timeout_s: float = 15, **how: Any) -> Result:
        """Boot and wait for the end."""
        with self.boot(*args, **how) as init:
            return init.wait(timeout_s)


@dataclass
class Init:
    """A running `/init`."""

    container: Container
    role: Role = "pid1"

    @property
    def pid(self) -> int:
        """The pid of init itself, as seen from outside."""
        if self.role == "pid1":
            return self.container.pid
        return until(self._child, "init below PID 1", explain=self.container.processes)

    def _child(self) -> int | None:
        for pid in process.children_of(self.container.pid):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if process.argv_of(pid)[0].startswith(("s6-svscan", "/init")):
                    return pid
        return None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self) -> Result:
        """What `docker stop` does."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout_s: float = 15) -> Result:
        return self.container.wait(timeout_s)

    def until_said(self, text: str) -> None:
        self.container.until_said(text)

    def run(self, *args: str) -> Result:
        return self.container.run(*args)

    def ps(self) -> list[str]:
        return self.container.ps()


@contextlib.contextmanager
def machine_root(top: Path) -> Iterator[Path]:
    """Mount the machine's own root below `top`, with a layer for changes over it."""
    for name in ("root", "upper", "work"):
        (top / name).mkdir()
    layers = f"lowerdir=/,upperdir={top}/upper,workdir={top}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, top / "root"], check=True)
    try:
        yield top / "root"
    finally:
        subprocess.run(["umount", "--lazy", top / "root"], check=True)


def linked_libraries(executable: Path) -> list[Path]:
    """What a dynamically linked build needs, to be run in a root that has no libraries."""
    listed = subprocess.run(["ldd", executable], capture_output=True, text=True, check=False)
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", listed.stdout)]


def static_executable() -> Path:
    """The executable under test; a test that needs no libraries in its image needs a static one."""
    executable = our_executable()
    assert executable
    listed = subprocess.run(["ldd", executable], capture_output=True, check=False)
    if listed.returncode == 0 and b"=>" in listed.stdout:
        pytest.skip("the executable under test is not static: make build makes one")
    return executable
